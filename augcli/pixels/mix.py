"""Mixing: a donor blended with a base, or shrunk into a box of it; and the mask of a box."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from augcli.pixels.frame import Frame
from augcli.pixels.grid import edges
from augcli.pixels.resize import fit, resize

if TYPE_CHECKING:
    from augcli.pixels.frame import Box, Image, Mask

WHOLE = 65_536
"""Shares of a blend are whole numbers of 1/65,536, which float32 holds exactly."""


def blend(base: Image, donor: Image, share: int) -> Image:
    """Return share / 65,536 of the base plus the rest of the donor.

    Each value is exact and then rounded to the nearest, halves to the even number.

    Args:
        base: uint8 (H, W, 3).
        donor: uint8 (h, w, 3); resized to the base's frame where it differs.
        share: The base's share in 1/65,536, 0 to 65,536.

    Source: Zhang et al. 2018 (arXiv 1710.09412), "mixup".

    Example:
        >>> base, donor = np.full((1, 1, 3), 10, np.uint8), np.full((1, 1, 3), 20, np.uint8)
        >>> blend(base, donor, 49_152)[0, 0].tolist()
        [12, 12, 12]
    """
    # 65,536 * 255 is below 2**24, so no step before the rounding loses a bit.
    mixed = base.astype(np.float32)
    mixed *= share
    other = fit(donor, Frame.of(base)).astype(np.float32)
    other *= WHOLE - share
    mixed += other
    mixed /= WHOLE
    return np.rint(mixed, out=mixed).astype(np.uint8)


def paste_resized(base: Image, donor: Image, box: Box) -> Image:
    """Return a copy of the base with the whole donor squashed into a box.

    Args:
        base: uint8 (H, W, 3).
        donor: uint8 (h, w, 3).
        box: (x0, y0, x1, y1) in pixels, half-open, inside the base, not empty.

    Source: Qin et al. 2020 (arXiv 2012.11101), "ResizeMix".

    Example:
        >>> base, donor = np.zeros((2, 3, 3), np.uint8), np.full((4, 4, 3), 9, np.uint8)
        >>> paste_resized(base, donor, (1, 0, 3, 1))[..., 0].tolist()
        [[0, 9, 9], [0, 0, 0]]
    """
    x0, y0, x1, y1 = box
    pasted = base.copy()
    pasted[y0:y1, x0:x1] = resize(donor, Frame(y1 - y0, x1 - x0))
    return pasted


def box_mask(box: Box, frame: Frame) -> Mask:
    """Return the mask (H, W) that is 1 in a box and 0 elsewhere.

    Args:
        box: (x0, y0, x1, y1) in pixels, half-open, inside the frame.
        frame: Height and width of the mask.

    Example:
        >>> box_mask((1, 0, 3, 1), Frame(2, 3))
        array([[0, 1, 1],
               [0, 0, 0]], dtype=uint8)
    """
    x0, y0, x1, y1 = box
    mask = np.zeros(frame, np.uint8)
    mask[y0:y1, x0:x1] = 1
    return mask


def full_mask(frame: Frame) -> Mask:
    """Return the mask (H, W) that is 1 everywhere."""
    return np.ones(frame, np.uint8)


def cell_centre(cell: int, frame: Frame, grid: int) -> tuple[int, int]:
    """Return the pixel (x, y) in the middle of a cell; of two middle ones the later.

    Args:
        cell: Cell index, 0 to grid² - 1.
        frame: Height and width of the picture.
        grid: Number of rows and of columns.

    Example:
        >>> cell_centre(5, Frame(9, 12), grid=3)
        (10, 4)
    """
    row, column = divmod(cell, grid)
    # A cell of a frame smaller than the grid may be empty and lie beyond the last pixel.
    return _middle(frame.width, grid, column), _middle(frame.height, grid, row)


def _middle(side: int, grid: int, index: int) -> int:
    start, stop = edges(side, grid)[index : index + 2].tolist()
    return int(min((start + stop) // 2, side - 1))
