"""Compositing: pixels of a donor replace pixels of a base."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

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


def paste_cells(
    base: Image, donor: Image, cells: Sequence[int] | Sequence[Sequence[int]], grid: int = 7
) -> Image:
    """Return a copy of the base with the given cells of the donor at the same places.

    Args:
        base: uint8 (H, W, 3), or a batch (N, H, W, C) of any type.
        donor: uint8 (h, w, 3); resized to the base's frame where it differs. For a batch
            (N, H, W, C), the same type and shape as the bases.
        cells: Cell indices, 0 to grid² - 1; cell k is row k // grid, column k % grid. For a
            batch either one list that all share, or one list for each image.
        grid: Number of rows and of columns.

    Raises:
        ValueError: A cell is not on the grid, or the shapes of a batch don't fit.

    Source: Walawalkar et al. 2020 (arXiv 2003.13048), "Attentive CutMix".

    Example:
        >>> base, donor = np.zeros((2, 4, 3), np.uint8), np.full((2, 4, 3), 9, np.uint8)
        >>> paste_cells(base, donor, [1, 2], grid=2)[..., 0].tolist()
        [[0, 0, 9, 9], [9, 9, 0, 0]]
    """
    if base.ndim == 3:
        return paste_mask(
            base, donor, cells_mask(cast("Sequence[int]", cells), Frame.of(base), grid)
        )
    return _paste_batch(base, donor, cells, grid)


def _paste_batch(
    bases: Image, donors: Image, cells: Sequence[int] | Sequence[Sequence[int]], grid: int
) -> Image:
    if bases.ndim != 4 or bases.shape != donors.shape or bases.dtype != donors.dtype:
        raise ValueError(
            f"bases {bases.shape} {bases.dtype} and donors {donors.shape} {donors.dtype} must be "
            "two batches (N, H, W, C) of one shape and type"
        )
    frame = Frame(*bases.shape[1:3])
    each = [list(one) for one in cells if not isinstance(one, int | np.integer)]
    if not each:
        masks = cells_mask(cast("list[int]", list(cells)), frame, grid)[None]
    elif len(each) == len(cells) == len(bases):
        masks = np.stack([cells_mask(one, frame, grid) for one in each])
    else:
        raise ValueError(
            f"cells must be one list of numbers, or {len(bases)} lists, one for each image"
        )
    return np.where(masks[..., None], donors, bases)


def count_mask(mask: Mask) -> tuple[int, int]:
    """Return how many pixels of the mask are set, and how many there are.

    Example:
        >>> count_mask(np.uint8([[1, 0, 0]]))
        (1, 3)
    """
    return cv2.countNonZero(mask), mask.size
