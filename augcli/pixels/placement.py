"""Where a patch goes: which boxes touch, and which place covers the least of some cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from augcli.pixels.grid import edges
from augcli.pixels.heat_maps import RANK_STEPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from augcli.pixels.frame import Box, Frame, HeatMap

CANDIDATES = 64
"""How many places along each axis are compared at most."""


def touches(box: Box, others: Iterable[Box]) -> bool:
    """Return whether a box has a pixel in common with any of the others.

    Example:
        >>> touches((0, 0, 2, 2), [(2, 0, 4, 2)]), touches((0, 0, 3, 2), [(2, 0, 4, 2)])
        (False, True)
    """
    x0, y0, x1, y1 = box
    return any(
        max(x0, left) < min(x1, right) and max(y0, top) < min(y1, bottom)
        for left, top, right, bottom in others
    )


def quietest_box(heat_map: HeatMap, avoided: Sequence[int], frame: Frame, side: int) -> Box:
    """Return the patch that covers the fewest pixels of the avoided cells, then the least heat.

    At most 64 x 64 evenly spaced places are compared; of equal ones the upper left is taken.
    The patch always lies inside the frame as a whole.

    Args:
        heat_map: float32 (grid, grid), finite.
        avoided: Indices of the cells to avoid.
        frame: Height and width of the image.
        side: Side of the patch in pixels, cut to each side of the frame.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> quietest_box(np.float32([[9, 1], [2, 0]]), [0], Frame(4, 4), 3)
        (1, 1, 4, 4)
    """
    grid = len(heat_map)
    scores = heat_map.astype(np.float64)
    low, high = scores.min(), scores.max()
    # Rounded as in ranked_cells, so that the last bits of a score do not choose the place.
    heat = np.rint((scores - low) / max(high - low, 1e-30) * RANK_STEPS).astype(np.int64)
    clear = np.zeros(grid * grid, np.int64)
    clear[list(avoided)] = 1
    tops, down = _starts(frame.height, side, grid)
    lefts, across = _starts(frame.width, side, grid)
    touched = down @ clear.reshape(grid, grid) @ across.T
    covered = down @ heat @ across.T
    best = int(np.lexsort((covered.ravel(), touched.ravel()))[0])
    top, left = int(tops[best // len(lefts)]), int(lefts[best % len(lefts)])
    return (left, top, min(frame.width, left + side), min(frame.height, top + side))


def _starts(length: int, side: int, grid: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where a patch may start along one axis, and how much of each cell it covers there.

    Returns:
        Starts int64 (n,) in pixels, and covered pixels int64 (n, grid).
    """
    last = max(0, length - side)
    count = min(CANDIDATES, last + 1)
    starts = np.arange(count) * last // max(1, count - 1)
    limits = edges(length, grid)
    begin = np.maximum(starts[:, None], limits[:-1])
    end = np.minimum(starts[:, None] + side, limits[1:])
    return starts, np.maximum(0, end - begin)
