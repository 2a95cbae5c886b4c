"""The grid: cells of a frame, masks made of cells, and the ranking of a heat map."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from augcli.pixels.frame import Frame, HeatMap, Mask

RANK_STEPS = 10_000
"""Scores are ranked after rounding to this many steps of the map's range."""


def edges(side: int, grid: int) -> NDArray[np.int64]:
    """Return the ``grid`` + 1 edges that cut a side into cells, in pixels.

    Edge i lies at i * side / grid, rounded half up: the cells tile any side exactly, and
    no two differ by more than one pixel.

    Example:
        >>> edges(10, 7).tolist()
        [0, 1, 3, 4, 6, 7, 9, 10]
    """
    return (2 * np.arange(grid + 1) * side + grid) // (2 * grid)


def cells_mask(cells: Sequence[int], frame: Frame, grid: int) -> Mask:
    """Return the mask (H, W) that is 1 in the given cells and 0 elsewhere.

    Args:
        cells: Cell indices, 0 to grid² - 1; cell k is row k // grid, column k % grid.
        frame: Height and width of the mask.
        grid: Number of rows and of columns.

    Raises:
        ValueError: A cell is not on the grid.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> cells_mask([1], Frame(2, 4), grid=2)
        array([[0, 0, 1, 1],
               [0, 0, 0, 0]], dtype=uint8)
    """
    if cells and not 0 <= min(cells) <= max(cells) < grid * grid:
        raise ValueError(f"cells {tuple(cells)} are not all on a {grid} x {grid} grid")
    chosen = np.zeros(grid * grid, np.uint8)
    chosen[list(cells)] = 1
    heights, widths = _lengths(frame.height, grid), _lengths(frame.width, grid)
    return chosen.reshape(grid, grid).repeat(widths, axis=1).repeat(heights, axis=0)


@functools.lru_cache(maxsize=256)
def _lengths(side: int, grid: int) -> NDArray[np.int64]:
    """Return the lengths of the cells along a side, in pixels."""
    return np.diff(edges(side, grid))


def ranked_cells(heat_map: HeatMap, count: int) -> tuple[int, ...]:
    """Return the ``count`` best cells: score descending, ties by cell index.

    Scores are compared after rounding to 1/10,000 of the map's range, so that the last bits,
    which differ between processors and batch sizes, do not choose the cells.

    Args:
        heat_map: float32 (grid, grid), finite.
        count: How many cells, 1 to grid².

    Example:
        >>> ranked_cells(np.float32([[0.1, 0.9], [0.9, 0.3]]), 3)
        (1, 2, 3)
    """
    scores = heat_map.ravel().astype(np.float64)
    low = scores.min()
    span = scores.max() - low
    steps = np.rint((scores - low) / span * RANK_STEPS) if span > 0 else np.zeros_like(scores)
    return tuple(np.argsort(-steps, kind="stable")[:count].tolist())


def pool_map(scores: NDArray[np.float32], grid: int) -> HeatMap:
    """Return a map of any size, area-averaged to float32 (grid, grid).

    Args:
        scores: float32 (h, w) with h and w of at least ``grid``.
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


def overlaps(side: int, grid: int) -> NDArray[np.float64]:
    """Return the matrix (grid, side) that area-averages: the share of each value in each cell.

    Args:
        side: How many values there are, at least ``grid``.
        grid: How many cells.

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
        grid: How many cells.

    Example:
        >>> between(2, 4).tolist()
        [[1.0, 0.0], [0.75, 0.25], [0.25, 0.75], [0.0, 1.0]]
    """
    place = np.clip((np.arange(grid) + 0.5) * side / grid - 0.5, 0, side - 1)
    distance = np.abs(place[:, None] - np.arange(side)[None, :])
    return np.asarray(np.clip(1 - distance, 0, None))
