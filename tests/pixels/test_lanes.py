"""Cells copied in pieces are those of the mask."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from augcli.pixels.batches import cells_masks
from augcli.pixels.frame import Frame
from augcli.pixels.lanes import Lanes


@pytest.mark.parametrize("kind", [np.uint8, np.float16, np.float32])
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize(
    ("frame", "grid"), [(Frame(224, 224), 7), (Frame(57, 56), 7), (Frame(9, 32), 4)]
)
def test_pieces_are_the_pixels_of_the_mask(
    frame: Frame, grid: int, channels_last: bool, kind: Any
) -> None:
    random = np.random.default_rng(0)
    shape = (*frame, 3) if channels_last else (3, *frame)
    before = random.integers(0, 256, (5, *shape)).astype(kind)
    donors = np.array([1, 2, 3, 4, 0])
    chosen = random.random((5, grid, grid)) < 0.3
    planes, values = (1, 3) if channels_last else (3, 1)
    lanes = Lanes.of(frame, planes, values * before.itemsize, grid)
    assert lanes
    bases = before.copy()
    lanes.copy(bases, bases, donors, chosen)
    masks = cells_masks(chosen, frame)
    masks = masks[..., None] if channels_last else masks[:, None]
    assert np.array_equal(bases, np.where(masks, before[donors], before))


@pytest.mark.parametrize(("frame", "grid"), [(Frame(32, 32), 7), (Frame(3, 56), 7)])
def test_cells_of_several_widths_or_without_pixels_have_no_pieces(frame: Frame, grid: int) -> None:
    assert Lanes.of(frame, 3, 1, grid) is None
