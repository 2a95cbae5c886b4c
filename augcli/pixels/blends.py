"""Blends: boxes of a donor pasted onto a base, a donor pasted small, or mixed in everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from augcli.pixels.array_checks import CHANNELS, check_batch, check_image
from augcli.pixels.frame import Frame
from augcli.pixels.grid import cell_runs
from augcli.pixels.masks import cells_mask
from augcli.pixels.resize import fit, resize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from augcli.pixels.frame import Box, Image

WHOLE_SHARE = 65_536
"""The share of a blend that is all: shares are in 1/65,536, which float32 holds exactly."""


def paste_boxes(base: Image, donor: Image, boxes: Iterable[Box], *, over: bool = False) -> Image:
    """Return the base with boxes of the donor at the same places.

    A donor of another size gives the part of itself that lies where the box lies in the base: the
    edges are scaled and rounded half up, and the part is resized by
    :func:`augcli.pixels.resize.fit`. The rest of the donor is not touched.

    Args:
        base: uint8 (H, W, C).
        donor: uint8 (h, w, C).
        boxes: (x0, y0, x1, y1) in pixels of the base, half-open, inside it; may be empty.
        over: Whether the base itself is changed, and not a copy.

    Example:
        >>> base, donor = np.zeros((1, 4, 3), np.uint8), np.full((3, 2, 3), 9, np.uint8)
        >>> paste_boxes(base, donor, [(1, 0, 3, 1)])[..., 0].tolist()
        [[0, 9, 9, 0]]
    """
    pasted = base if over else base.copy()
    height, width = base.shape[:2]
    donor_height, donor_width = donor.shape[:2]
    is_fitting = (height, width) == (donor_height, donor_width)
    for x0, y0, x1, y1 in boxes:
        if is_fitting:
            pasted[y0:y1, x0:x1] = donor[y0:y1, x0:x1]
        elif x0 < x1 and y0 < y1:
            left, right = _scaled(x0, x1, width, donor_width)
            top, bottom = _scaled(y0, y1, height, donor_height)
            part = fit(donor[top:bottom, left:right], Frame(y1 - y0, x1 - x0))
            # OpenCV leaves out a last axis of 1.
            pasted[y0:y1, x0:x1] = part.reshape(y1 - y0, x1 - x0, -1)
    return pasted


def _scaled(start: int, stop: int, side: int, other: int) -> tuple[int, int]:
    """Return where a span of a side lies in another side, of which it covers at least a pixel."""
    first = (2 * start * other + side) // (2 * side)
    last = (2 * stop * other + side) // (2 * side)
    first = min(first, other - 1)
    return first, max(last, first + 1)


def paste_cells(
    base: Image, donor: Image, cells: Sequence[int] | Sequence[Sequence[int]], grid: int = 7
) -> Image:
    """Return a copy of the base with the given cells of the donor at the same places.

    Args:
        base: uint8 (H, W, C), or a batch (N, H, W, C) of any type; C is 1, 3 or 4.
        donor: uint8 (h, w, C); the parts that are pasted are resized if its frame is not the
            base's. For a batch (N, H, W, C), of the bases' type and shape.
        cells: Cell indices, 0 to grid² - 1; cell k is in row k // grid and column k % grid.
            For a batch either one list that all images share, or one list for each image.
            :func:`augcli.ranked_cells` gives them for a heat map.
        grid: Number of rows and of columns.

    Raises:
        TypeError: Base or donor is no NumPy array, or a cell is no whole number.
        ValueError: A cell is not on the grid, or a shape or type doesn't fit.

    Source: Walawalkar et al. 2020 (arXiv 2003.13048), "Attentive CutMix".

    Example:
        >>> base, donor = np.zeros((2, 4, 3), np.uint8), np.full((2, 4, 3), 9, np.uint8)
        >>> paste_cells(base, donor, [1, 2], grid=2)[..., 0].tolist()
        [[0, 0, 9, 9], [9, 9, 0, 0]]
    """
    if getattr(base, "ndim", 0) == 4:
        check_batch(base, "the batch of bases")
        check_batch(donor, "the batch of donors")
        return _paste_batch(base, donor, list(cells), grid)
    check_image(base, "the base", CHANNELS)
    check_image(donor, "the donor", CHANNELS)
    if base.shape[2] != donor.shape[2]:
        raise ValueError(
            f"the base has {base.shape[2]} channels and the donor {donor.shape[2]}, but they must "
            "have the same number"
        )
    return paste_boxes(base, donor, cell_runs(_whole_numbers(cells), Frame.of(base), grid))


def _paste_batch(bases: Image, donors: Image, cells: list[Any], grid: int) -> Image:
    if bases.shape != donors.shape or bases.dtype != donors.dtype:
        raise ValueError(
            f"bases {bases.shape} {bases.dtype} and donors {donors.shape} {donors.dtype} must be "
            "two batches (N, H, W, C) of one shape and type"
        )
    frame = Frame(*bases.shape[1:3])
    lists = [item for item in cells if isinstance(item, Iterable)]
    if not lists:
        masks = cells_mask(_whole_numbers(cells), frame, grid)[None]
    elif len(lists) == len(cells) == len(bases):
        masks = np.stack([cells_mask(_whole_numbers(chosen), frame, grid) for chosen in lists])
    else:
        raise ValueError(
            f"cells must be one list of numbers, or {len(bases)} lists, one for each image"
        )
    return np.where(masks[..., None], donors, bases)


def _whole_numbers(cells: Iterable[Any]) -> list[int]:
    """Return cells as a list; truth values would be taken for the cells 0 and 1."""
    for cell in cells:
        if isinstance(cell, bool) or not isinstance(cell, int | np.integer):
            raise TypeError(f"cells must be whole numbers, not {cell!r}")
    return [int(cell) for cell in cells]


def paste_resized(base: Image, donor: Image, box: Box) -> Image:
    """Return a copy of the base with the whole donor resized into a box.

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


def blend(base: Image, donor: Image, share: int) -> Image:
    """Return share / 65,536 of the base plus the rest of the donor.

    Each value is computed exactly and rounded to the nearest, halves to the even number.

    Args:
        base: uint8 (H, W, 3).
        donor: uint8 (h, w, 3); resized if its frame is not the base's.
        share: The base's share in 1/65,536, 0 to 65,536.

    Source: Zhang et al. 2018 (arXiv 1710.09412), "mixup".

    Example:
        >>> base, donor = np.full((1, 1, 3), 10, np.uint8), np.full((1, 1, 3), 20, np.uint8)
        >>> blend(base, donor, 49_152)[0, 0].tolist()
        [12, 12, 12]
    """
    # 65,536 * 255 is below 2**24, so float32 is exact in every step before the rounding.
    mixed = base.astype(np.float32)
    mixed *= share
    rest = fit(donor, Frame.of(base)).astype(np.float32)
    rest *= WHOLE_SHARE - share
    mixed += rest
    mixed /= WHOLE_SHARE
    return np.rint(mixed, out=mixed).astype(np.uint8)
