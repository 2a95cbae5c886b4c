"""Masks: made of cells, a box, a lattice or blocks, and counted.

A mask is uint8 (H, W), 0 or 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from augcli.pixels.geometry import FRACTION_BITS, cosine_and_sine
from augcli.pixels.grid import cell_lengths, check_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from augcli.pixels.frame import Box, Frame, Mask

_ROWS_AT_ONCE = 128


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
    check_cells(cells, grid)
    chosen = np.zeros(grid * grid, np.uint8)
    chosen[list(cells)] = 1
    heights, widths = cell_lengths(frame.height, grid), cell_lengths(frame.width, grid)
    return chosen.reshape(grid, grid).repeat(widths, axis=1).repeat(heights, axis=0)


def box_mask(box: Box, frame: Frame) -> Mask:
    """Return the mask (H, W) that is 1 in a box and 0 elsewhere.

    Args:
        box: (x0, y0, x1, y1) in pixels, half-open, inside the frame.
        frame: Height and width of the mask.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> box_mask((1, 0, 3, 1), Frame(2, 3))
        array([[0, 1, 1],
               [0, 0, 0]], dtype=uint8)
    """
    return boxes_mask([box], frame)


def boxes_mask(boxes: Sequence[Box], frame: Frame) -> Mask:
    """Return the mask (H, W) that is 1 in any of the boxes and 0 elsewhere.

    Args:
        boxes: Each (x0, y0, x1, y1) in pixels, half-open, inside the frame.
        frame: Height and width of the mask.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> boxes_mask([(0, 0, 1, 1), (1, 0, 3, 1)], Frame(1, 4)).tolist()
        [[1, 1, 1, 0]]
    """
    mask = np.zeros(frame, np.uint8)
    for x0, y0, x1, y1 in boxes:
        mask[y0:y1, x0:x1] = 1
    return mask


def full_mask(frame: Frame) -> Mask:
    """Return the mask (H, W) that is 1 everywhere."""
    return np.ones(frame, np.uint8)


def lattice_mask(
    frame: Frame, unit: int, stripe: int, offset: tuple[int, int], angle: int = 0
) -> Mask:
    """Return the mask (H, W) that is 1 in the squares of a lattice and 0 in the stripes between.

    Every unit begins with a stripe along its upper and its left edge; the rest of it is a
    square. The place of each pixel in the turned lattice is computed, so the lattice fills a
    frame of any shape.

    Args:
        frame: Height and width of the mask.
        unit: Edge of a unit in pixels.
        stripe: Width of the stripes in pixels, 0 to ``unit``.
        offset: (x, y) of the lattice in pixels, each 0 to ``unit`` - 1.
        angle: Turn about the centre in whole degrees, anticlockwise as seen.

    Source: Chen et al. 2020 (arXiv 2001.04086), "GridMask".

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> lattice_mask(Frame(3, 6), unit=3, stripe=2, offset=(0, 1))
        array([[0, 0, 1, 0, 0, 1],
               [0, 0, 0, 0, 0, 0],
               [0, 0, 0, 0, 0, 0]], dtype=uint8)
    """
    left, top = offset
    if angle % 360 == 0:
        rows = (np.arange(frame.height) - top) % unit >= stripe
        columns = (np.arange(frame.width) - left) % unit >= stripe
        return np.logical_and.outer(rows, columns).astype(np.uint8)
    cosine, sine = cosine_and_sine(angle % 360)
    # Twice the distance to the centre is whole, and so is all that follows from it.
    x = 2 * np.arange(frame.width, dtype=np.int64) - (frame.width - 1)
    y = 2 * np.arange(frame.height, dtype=np.int64) - (frame.height - 1)
    mask = np.empty(frame, np.uint8)
    for start in range(0, frame.height, _ROWS_AT_ONCE):
        band = y[start : start + _ROWS_AT_ONCE, None]
        across = (x * cosine - band * sine) >> (FRACTION_BITS + 1)
        down = (x * sine + band * cosine) >> (FRACTION_BITS + 1)
        in_square = _in_square(across - left, unit, stripe) & _in_square(down - top, unit, stripe)
        mask[start : start + _ROWS_AT_ONCE] = in_square
    return mask


def _in_square(places: NDArray[np.int64], unit: int, stripe: int) -> NDArray[np.bool_]:
    # A remainder of 32-bit numbers takes a fraction of the time of one of 64-bit numbers.
    return places.astype(np.int32) % np.int32(unit) >= stripe


def grow_blocks(seeds: Mask, block: int) -> Mask:
    """Return the mask of the squares whose upper left corners are seeds.

    Args:
        seeds: uint8 (h, w), 0 or 1: 1 where a square begins.
        block: Side of the squares in pixels.

    Returns:
        uint8 (h + block - 1, w + block - 1), 0 or 1.

    Example:
        >>> grow_blocks(np.uint8([[0, 1, 0]]), 2)
        array([[0, 1, 1, 0],
               [0, 1, 1, 0]], dtype=uint8)
    """
    height, width = seeds.shape
    grown = np.zeros((height + block - 1, width + block - 1), np.uint8)
    grown[:height, :width] = seeds
    # A pixel is covered by the seeds up to ``block`` - 1 pixels above and left of it.
    square = np.ones((block, block), np.uint8)
    return np.asarray(cv2.dilate(grown, square, anchor=(block - 1, block - 1)), np.uint8)


def count_mask(mask: Mask) -> tuple[int, int]:
    """Return how many pixels of the mask are 1, and how many there are in all.

    Example:
        >>> count_mask(np.uint8([[1, 0, 0]]))
        (1, 3)
    """
    return cv2.countNonZero(mask), mask.size
