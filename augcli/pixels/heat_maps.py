"""Heat maps: their best cells, their mass under a mask, and matrices that resample and smooth.

The matrices are also built into the graphs of scorers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from augcli.pixels.grid import edges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from augcli.pixels.frame import Frame, HeatMap, Mask

RANK_STEPS = 10_000
"""Scores are rounded to this many steps of the map's range before they are compared."""


def ranked_cells(heat_map: HeatMap, count: int) -> tuple[int, ...]:
    """Return the ``count`` best cells: highest score first, equal scores by cell index.

    Scores are rounded to 1/10,000 of the map's range first: their last bits differ between
    processors and batch sizes, and must not choose the cells.

    Args:
        heat_map: float32 (grid, grid), finite.
        count: How many cells, 1 to grid².

    Returns:
        Cell indices; cell k is in row k // grid and column k % grid.

    Raises:
        TypeError: The heat map is no NumPy array.
        ValueError: It is not (grid, grid), holds NaN or infinity, or has not so many cells.

    Example:
        >>> ranked_cells(np.float32([[0.1, 0.9], [0.9, 0.3]]), 3)
        (1, 2, 3)
    """
    if not isinstance(heat_map, np.ndarray):
        raise TypeError(
            f"the heat map is a {type(heat_map).__qualname__}, but must be a NumPy array "
            "(grid, grid)"
        )
    if heat_map.ndim != 2 or heat_map.shape[0] != heat_map.shape[1]:
        raise ValueError(f"the heat map has the shape {heat_map.shape}, but must be (grid, grid)")
    if not 1 <= count <= heat_map.size:
        raise ValueError(f"count is {count}, but the heat map has {heat_map.size} cells")
    steps = heat_map.ravel().astype(np.float64)
    # In half the time of minimum and maximum; NaN comes last.
    order = steps.argsort()
    low, high = steps[order[0]], steps[order[-1]]
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("the heat map holds NaN or infinity")
    steps -= low
    if high > low:
        steps /= high - low
        steps *= -RANK_STEPS
    np.rint(steps, out=steps)
    return tuple(steps.argsort(kind="stable")[:count].tolist())


def mass_in_mask(heat_map: HeatMap, mask: Mask) -> tuple[float, float]:
    """Return a heat map's mass where the mask is 1, and its mass everywhere.

    The score of each cell is spread evenly over the cell's pixels. Scores below 0 count as 0.
    Scores are rounded to 1/10,000 of the highest first: their last bits differ between
    processors and batch sizes, and must not change the labels.

    Args:
        heat_map: float32 (grid, grid), finite.
        mask: uint8 (H, W), 0 or 1.

    Example:
        >>> mass_in_mask(np.float32([[1, 0], [1, 2]]), np.uint8([[1, 0], [0, 1]]))
        (15000.0, 20000.0)
    """
    import cv2  # noqa: PLC0415 - a run's main process averages heat maps without OpenCV

    scores = np.clip(heat_map.astype(np.float64), 0, None)
    highest = scores.max()
    if not highest > 0:
        return 0.0, 0.0
    steps = np.rint(scores / highest * RANK_STEPS)
    grid = len(steps)
    rows, columns = edges(mask.shape[0], grid), edges(mask.shape[1], grid)
    sums = cv2.integral(mask)[np.ix_(rows, columns)]
    shown = np.diff(np.diff(sums, axis=0), axis=1)
    size = np.outer(np.diff(rows), np.diff(columns))
    # In a frame smaller than the grid some cells have no pixels and therefore no mass.
    has_pixels = size > 0
    steps, shares = steps[has_pixels], shown[has_pixels] / size[has_pixels]
    # The exact sum does not depend on the order in which a machine adds.
    return math.fsum((steps * shares).tolist()), math.fsum(steps.tolist())


def pool_map(scores: NDArray[np.float32], grid: int) -> HeatMap:
    """Return a heat map of any size, averaged by area to float32 (grid, grid).

    Args:
        scores: float32 (h, w), h and w at least ``grid``.
        grid: Number of rows and of columns wanted.

    Example:
        >>> pool_map(np.float32([[1, 3, 5], [1, 3, 5], [1, 3, 5]]), 2).tolist()
        [[1.6666666269302368, 4.333333492279053], [1.6666666269302368, 4.333333492279053]]
    """
    height, width = scores.shape
    if (height, width) == (grid, grid):
        return scores
    pooled = overlaps(height, grid) @ scores.astype(np.float64) @ overlaps(width, grid).T
    return pooled.astype(np.float32)


def pool_maps(scores: NDArray[np.float32], grid: int) -> NDArray[np.float32]:
    """Return many heat maps float32 (N, h, w) averaged as :func:`pool_map` does."""
    height, width = scores.shape[1:]
    if (height, width) == (grid, grid):
        return scores
    pooled = overlaps(height, grid) @ scores.astype(np.float64) @ overlaps(width, grid).T
    return pooled.astype(np.float32)


def crop_map(
    scores: NDArray[np.float32], box: tuple[float, float, float, float], frame: Frame, grid: int
) -> HeatMap:
    """Return the heat map of a part of a picture.

    The score of each cell is spread evenly over its pixels, and the new cells average them by
    area. What lies outside the picture scores 0.

    Args:
        scores: float32 (h, w), of the whole picture.
        box: (x0, y0, x1, y1) of the part in pixels, half-open; may reach beyond the picture.
        frame: Height and width of the whole picture in pixels.
        grid: Rows and columns wanted.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> crop_map(np.float32([[1, 3], [5, 7]]), (5, 0, 10, 10), Frame(10, 10), 2).tolist()
        [[3.0, 3.0], [7.0, 7.0]]
    """
    x0, y0, x1, y1 = box
    if (x0, y0, x1, y1) == (0, 0, frame.width, frame.height) and min(scores.shape) >= grid:
        return pool_map(scores, grid)
    height, width = scores.shape
    rows = _averages(y0 * height / frame.height, y1 * height / frame.height, height, grid)
    columns = _averages(x0 * width / frame.width, x1 * width / frame.width, width, grid)
    return np.asarray(rows @ scores.astype(np.float64) @ columns.T).astype(np.float32)


def _averages(start: float, stop: float, side: int, grid: int) -> NDArray[np.float64]:
    """Return the matrix (grid, side) that averages the values from ``start`` to ``stop``."""
    step = (stop - start) / grid
    first = start + np.arange(grid)[:, None] * step
    value = np.arange(side)[None, :]
    overlap = np.minimum(value + 1, first + step) - np.maximum(value, first)
    return np.asarray(np.clip(overlap, 0, None) / step)


def overlaps(side: int, grid: int) -> NDArray[np.float64]:
    """Return the matrix (grid, side) that averages by area: the weight of each value in each cell.

    Args:
        side: How many values there are, at least ``grid``.
        grid: How many cells there are.

    Example:
        >>> overlaps(4, 2).tolist()
        [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    start = np.arange(grid)[:, None] * side / grid
    value = np.arange(side)[None, :]
    overlap = np.minimum(value + 1, start + side / grid) - np.maximum(value, start)
    return np.asarray(np.clip(overlap, 0, None) * grid / side)


def between(side: int, grid: int) -> NDArray[np.float64]:
    """Return the matrix (grid, side) that enlarges bilinearly, as ``cv2.INTER_LINEAR`` does.

    Args:
        side: How many values there are, at most ``grid``.
        grid: How many cells there are.

    Example:
        >>> between(2, 4).tolist()
        [[1.0, 0.0], [0.75, 0.25], [0.25, 0.75], [0.0, 1.0]]
    """
    place = np.clip((np.arange(grid) + 0.5) * side / grid - 0.5, 0, side - 1)
    distance = np.abs(place[:, None] - np.arange(side)[None, :])
    return np.asarray(np.clip(1 - distance, 0, None))


def blur_matrix(side: int, sigma: float) -> NDArray[np.float64]:
    """Return the matrix (side, side) that blurs ``side`` values with a Gaussian.

    With this matrix B, ``B @ heat_map @ B.T`` is what ``cv2.GaussianBlur`` with
    ``BORDER_REFLECT`` gives. The Gaussian is cut off at four standard deviations.

    Args:
        side: How many values there are.
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
    # Row i of the padded identity picks the value at place i - radius.
    places = np.pad(np.eye(side), ((radius, radius), (0, 0)), mode="symmetric")
    return np.stack([kernel @ places[row : row + len(kernel)] for row in range(side)])


def centre_weights(grid: int) -> NDArray[np.float64]:
    """Return a Gaussian (grid, grid) about the middle of the grid, 1 at its top.

    Its standard deviation is 2/7 of the grid's side: two cells of a 7 x 7 grid.

    Example:
        >>> centre_weights(3).round(2).tolist()
        [[0.26, 0.51, 0.26], [0.51, 1.0, 0.51], [0.26, 0.51, 0.26]]
    """
    spread = 2 * grid / 7
    distance = (np.arange(grid) - (grid - 1) / 2) / spread
    along = np.exp(-(distance**2) / 2)
    return np.outer(along, along)
