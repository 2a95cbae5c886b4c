"""Mass: how much of what a heat map points at lies under a mask."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from augcli.pixels.grid import RANK_STEPS, edges

if TYPE_CHECKING:
    from augcli.pixels.frame import HeatMap, Mask


def mass_in_mask(heat_map: HeatMap, mask: Mask) -> tuple[float, float]:
    """Return a heat map's mass where the mask is 1, and its mass everywhere.

    The score of each cell is spread evenly over the cell's pixels. Scores below 0 count as 0,
    and all are rounded to 1/10,000 of the highest, so that their last bits, which differ
    between processors and batch sizes, do not change the labels.

    Args:
        heat_map: float32 (grid, grid), finite.
        mask: uint8 (H, W), 0 or 1.

    Example:
        >>> mass_in_mask(np.float32([[1, 0], [1, 2]]), np.uint8([[1, 0], [0, 1]]))
        (15000.0, 20000.0)
    """
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
    # In a frame smaller than the grid some cells have no pixels, and so no mass.
    has_pixels = size > 0
    steps, shares = steps[has_pixels], shown[has_pixels] / size[has_pixels]
    # The exact sum does not depend on the order in which a machine adds.
    return math.fsum((steps * shares).tolist()), math.fsum(steps.tolist())
