"""The geometry of a grid: where its cells lie in a frame.

Cell k of a grid is in row k // grid and column k % grid.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from augcli.pixels.frame import Box, Frame


def edges(side: int, grid: int) -> NDArray[np.int64]:
    """Return the ``grid`` + 1 edges that cut a side into cells, in pixels.

    Edge i lies at i * side / grid, rounded half up: the cells tile any side exactly, and
    no two differ by more than one pixel.

    Example:
        >>> edges(10, 7).tolist()
        [0, 1, 3, 4, 6, 7, 9, 10]
    """
    return (2 * np.arange(grid + 1) * side + grid) // (2 * grid)


@functools.lru_cache(maxsize=256)
def cell_lengths(side: int, grid: int) -> NDArray[np.int64]:
    """Return the ``grid`` lengths of the cells along a side, in pixels.

    Example:
        >>> cell_lengths(10, 7).tolist()
        [1, 2, 1, 2, 1, 2, 1]
    """
    return np.diff(edges(side, grid))


@functools.lru_cache(maxsize=256)
def _edges(side: int, grid: int) -> list[int]:
    """Return the edges as whole numbers of Python, which many pictures share."""
    whole: list[int] = edges(side, grid).tolist()
    return whole


def check_cells(cells: Sequence[int], grid: int) -> None:
    """Check that cells are on a grid.

    Raises:
        ValueError: A cell is not on it.
    """
    if cells and not 0 <= min(cells) <= max(cells) < grid * grid:
        raise ValueError(f"cells {tuple(cells)} are not all on a {grid} x {grid} grid")


def cell_boxes(cells: Sequence[int], frame: Frame, grid: int) -> list[Box]:
    """Return the box of each cell; it may be empty where the frame is smaller than the grid.

    Args:
        cells: Cell indices, 0 to grid² - 1.
        frame: Height and width of the image.
        grid: Number of rows and of columns.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> cell_boxes([1, 2], Frame(2, 5), grid=2)
        [(3, 0, 5, 1), (0, 1, 3, 2)]
    """
    rows, columns = _edges(frame.height, grid), _edges(frame.width, grid)
    places = [divmod(cell, grid) for cell in cells]
    return [(columns[j], rows[i], columns[j + 1], rows[i + 1]) for i, j in places]


def cell_runs(cells: Sequence[int], frame: Frame, grid: int) -> list[Box]:
    """Return the boxes that cells fill, those that lie side by side in a row as one box.

    Args:
        cells: Cell indices, 0 to grid² - 1, in any order.
        frame: Height and width of the image.
        grid: Number of rows and of columns.

    Raises:
        ValueError: A cell is not on the grid.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> cell_runs([3, 0, 1], Frame(2, 4), grid=2)
        [(0, 0, 4, 1), (2, 1, 4, 2)]
    """
    check_cells(cells, grid)
    rows, columns = _edges(frame.height, grid), _edges(frame.width, grid)
    boxes: list[Box] = []
    chosen = sorted(set(cells))
    start = 0
    for place, cell in enumerate(chosen):
        row, column = divmod(cell, grid)
        if column + 1 < grid and place + 1 < len(chosen) and chosen[place + 1] == cell + 1:
            continue
        first = chosen[start] - row * grid
        boxes.append((columns[first], rows[row], columns[column + 1], rows[row + 1]))
        start = place + 1
    return boxes


def cell_centre(cell: int, frame: Frame, grid: int) -> tuple[int, int]:
    """Return the pixel (x, y) in the middle of a cell; where two are in the middle, the later.

    Args:
        cell: Cell index, 0 to grid² - 1.
        frame: Height and width of the picture.
        grid: Number of rows and of columns.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> cell_centre(5, Frame(9, 12), grid=3)
        (10, 4)
    """
    row, column = divmod(cell, grid)
    # In a frame smaller than the grid a cell may be empty and lie beyond the last pixel.
    return _middle(frame.width, grid, column), _middle(frame.height, grid, row)


def _middle(side: int, grid: int, index: int) -> int:
    start, stop = edges(side, grid)[index : index + 2].tolist()
    return int(min((start + stop) // 2, side - 1))
