"""Compositing: pixels of a donor replace pixels of a base."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from augcli.pixels.frame import Frame
from augcli.pixels.grid import cells_mask
from augcli.pixels.resize import fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from augcli.pixels.frame import Image, Mask


def paste_mask(base: Image, donor: Image, mask: Mask) -> Image:
    """Return a copy of the base with the donor's pixels where the mask is 1.

    Args:
        base: uint8 (H, W, 3).
        donor: uint8 (h, w, 3); resized to the base's frame where it differs.
        mask: uint8 (H, W), 0 or 1.
    """
    fitted = fit(donor, Frame.of(base))
    return np.asarray(cv2.copyTo(fitted, mask, base.copy()), np.uint8)


def paste_cells(base: Image, donor: Image, cells: Sequence[int], grid: int = 7) -> Image:
    """Return a copy of the base with the given cells of the donor at the same places.

    Args:
        base: uint8 (H, W, 3).
        donor: uint8 (h, w, 3); resized to the base's frame where it differs.
        cells: Cell indices, 0 to grid² - 1; cell k is row k // grid, column k % grid.
        grid: Number of rows and of columns.

    Source: Walawalkar et al. 2020 (arXiv 2003.13048), "Attentive CutMix".

    Example:
        >>> base, donor = np.zeros((2, 4, 3), np.uint8), np.full((2, 4, 3), 9, np.uint8)
        >>> paste_cells(base, donor, [1, 2], grid=2)[..., 0].tolist()
        [[0, 0, 9, 9], [9, 9, 0, 0]]
    """
    return paste_mask(base, donor, cells_mask(cells, Frame.of(base), grid))


def count_mask(mask: Mask) -> tuple[int, int]:
    """Return how many pixels of the mask are set, and how many there are.

    Example:
        >>> count_mask(np.uint8([[1, 0, 0]]))
        (1, 3)
    """
    return cv2.countNonZero(mask), mask.size
