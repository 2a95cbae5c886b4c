"""A lattice of squares, as GridMask drops them, at any angle and for any frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from augcli.pixels.frame import Frame, Mask

FRACTION_BITS = 24
"""Sine and cosine are rounded to this many bits, so that every C library gives the same."""

_ROWS_AT_ONCE = 128


def lattice_mask(
    frame: Frame, unit: int, kept: int, offset: tuple[int, int], angle: int = 0
) -> Mask:
    """Return the mask (H, W) that is 1 in the squares of a lattice and 0 in the stripes between.

    Every unit begins with a kept stripe along both its edges; what remains of it is a square.
    Each pixel is asked where it lies in the turned lattice, so no frame is too long for it.

    Args:
        frame: Height and width of the mask.
        unit: Edge of a unit in pixels.
        kept: Width of its stripes in pixels, 0 to ``unit``.
        offset: (x, y) of the lattice in pixels, each 0 to ``unit`` - 1.
        angle: Turn about the centre in whole degrees, anticlockwise as seen.

    Source: Chen et al. 2020 (arXiv 2001.04086), "GridMask".

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> lattice_mask(Frame(3, 6), unit=3, kept=2, offset=(0, 1))
        array([[0, 0, 1, 0, 0, 1],
               [0, 0, 0, 0, 0, 0],
               [0, 0, 0, 0, 0, 0]], dtype=uint8)
    """
    left, top = offset
    if angle % 360 == 0:
        rows = (np.arange(frame.height) - top) % unit >= kept
        columns = (np.arange(frame.width) - left) % unit >= kept
        return np.logical_and.outer(rows, columns).astype(np.uint8)
    cosine, sine = _turn(angle)
    # Twice the distance to the centre is whole, and so is all that follows from it.
    x = 2 * np.arange(frame.width, dtype=np.int64) - (frame.width - 1)
    y = 2 * np.arange(frame.height, dtype=np.int64) - (frame.height - 1)
    mask = np.empty(frame, np.uint8)
    for start in range(0, frame.height, _ROWS_AT_ONCE):
        band = y[start : start + _ROWS_AT_ONCE, None]
        across = (x * cosine - band * sine) >> (FRACTION_BITS + 1)
        down = (x * sine + band * cosine) >> (FRACTION_BITS + 1)
        mask[start : start + _ROWS_AT_ONCE] = _in_square(across - left, unit, kept) & _in_square(
            down - top, unit, kept
        )
    return mask


def _in_square(places: NDArray[np.int64], unit: int, kept: int) -> NDArray[np.bool_]:
    # Remainders of 32 bits take a fraction of the time.
    return places.astype(np.int32) % np.int32(unit) >= kept


def _turn(angle: int) -> tuple[int, int]:
    """Return cosine and sine of whole degrees, in units of 2**-FRACTION_BITS."""
    one = 1 << FRACTION_BITS
    radians = math.radians(angle % 360)
    return round(math.cos(radians) * one), round(math.sin(radians) * one)
