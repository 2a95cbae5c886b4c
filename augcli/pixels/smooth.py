"""Smoothing a heat map, as matrices: what a network can do inside its graph as well."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def blur_matrix(side: int, sigma: float) -> NDArray[np.float64]:
    """Return the matrix (side, side) that blurs ``side`` values with a Gaussian.

    ``B @ heat_map @ B.T`` is a heat map blurred with reflected borders, as
    ``cv2.GaussianBlur`` does it with ``BORDER_REFLECT``. The Gaussian is cut off at four
    standard deviations.

    Args:
        side: How many values.
        sigma: Standard deviation in cells; 0 changes nothing.

    Example:
        >>> blur_matrix(3, 0).tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
        >>> blur_matrix(3, 1.2).sum(axis=1).round(9).tolist()
        [1.0, 1.0, 1.0]
    """
    if sigma == 0:
        return np.eye(side)
    radius = math.ceil(4 * sigma)
    kernel = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * sigma**2))
    kernel /= kernel.sum()
    # Row i of the padded identity says which value stands at place i - radius.
    places = np.pad(np.eye(side), ((radius, radius), (0, 0)), mode="symmetric")
    return np.stack([kernel @ places[row : row + len(kernel)] for row in range(side)])


def centre_weights(grid: int) -> NDArray[np.float64]:
    """Return a Gaussian (grid, grid) about the middle, of two cells where the grid is 7 x 7.

    Where the grid is another, it covers the same share of the photo.

    Example:
        >>> centre_weights(3).round(2).tolist()
        [[0.26, 0.51, 0.26], [0.51, 1.0, 0.51], [0.26, 0.51, 0.26]]
    """
    spread = 2 * grid / 7
    distance = (np.arange(grid) - (grid - 1) / 2) / spread
    along = np.exp(-(distance**2) / 2)
    return np.outer(along, along)
