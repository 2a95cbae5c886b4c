"""Blends: every output pixel is the base's, the donor's or the exact mixture."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.pixels.blends import WHOLE_SHARE, blend, paste_boxes, paste_cells, paste_resized
from augcli.pixels.frame import Box, Frame
from augcli.pixels.grid import cell_runs, edges
from augcli.pixels.masks import cells_mask
from augcli.pixels.resize import fit, resize
from tests.augmentations.mixing import pasted
from tests.pixels.boxes import frames_with_box
from tests.strategies import frames, grids_with_cells, image, seeds


def cells_pasted(
    base: list[list[object]], donor: list[list[object]], cells: list[int], grid: int
) -> list[list[object]]:
    """Copy one cell after the other, pixel by pixel."""
    pasted = [list(row) for row in base]
    rows, columns = edges(len(base), grid).tolist(), edges(len(base[0]), grid).tolist()
    for cell in cells:
        row, column = cell // grid, cell % grid
        for y in range(rows[row], rows[row + 1]):
            for x in range(columns[column], columns[column + 1]):
                pasted[y][x] = donor[y][x]
    return pasted


@given(frame=frames, chosen=grids_with_cells(), seed=seeds)
def test_paste_cells_copies_the_cells_and_nothing_else(
    frame: Frame, chosen: tuple[int, list[int]], seed: int
) -> None:
    grid, cells = chosen
    base, donor = image(seed, frame), image(seed + 1, frame)
    expected = cells_pasted(base.tolist(), donor.tolist(), cells, grid)
    assert paste_cells(base, donor, cells, grid).tolist() == expected


@given(frame=frames, other=frames, chosen=grids_with_cells(), seed=seeds)
def test_paste_cells_resizes_what_it_takes_of_the_donor(
    frame: Frame, other: Frame, chosen: tuple[int, list[int]], seed: int
) -> None:
    grid, cells = chosen
    base, donor = image(seed, frame), image(seed + 1, other)
    expected = pasted(base, donor, cell_runs(cells, frame, grid))
    assert paste_cells(base, donor, cells, grid).tolist() == expected.tolist()


@given(boxed=frames_with_box(), other=frames, seed=seeds)
def test_paste_boxes_takes_a_box_from_the_same_place(
    boxed: tuple[Frame, Box], other: Frame, seed: int
) -> None:
    frame, box = boxed
    base, donor = image(seed, frame), image(seed + 1, other)
    assert paste_boxes(base, donor, [box]).tolist() == pasted(base, donor, [box]).tolist()
    changed = base.copy()
    assert paste_boxes(changed, donor, [box], over=True) is changed
    assert changed.tolist() == pasted(base, donor, [box]).tolist()


def test_a_box_of_a_larger_donor_shows_the_same_part_of_the_scene() -> None:
    """A ramp four times as wide: each pixel shows the mean of the four that lie there."""
    base = np.zeros((4, 12, 3), np.uint8)
    donor = np.broadcast_to(np.arange(48, dtype=np.uint8)[None, :, None] * 5, (16, 48, 3))
    shown = paste_boxes(base, donor, [(3, 1, 7, 4)])[1:4, 3:7, 0].astype(float)
    assert np.abs(shown - (np.arange(3, 7) * 4 + 1.5) * 5).max() <= 1


@given(frame=frames, seed=seeds)
def test_pasting_leaves_its_inputs_unchanged(frame: Frame, seed: int) -> None:
    base, donor = image(seed, frame), image(seed + 1, frame)
    pasted = paste_cells(base, donor, [0, 8, 24], 5)
    pasted[...] = 0
    assert base.tolist() == image(seed, frame).tolist()
    assert donor.tolist() == image(seed + 1, frame).tolist()


@given(frame=frames, seed=seeds)
def test_pasting_takes_views_with_channels_in_reverse(frame: Frame, seed: int) -> None:
    """What OpenCV reads is often turned to RGB as ``image[..., ::-1]``, a view."""
    base, donor = image(seed, frame)[..., ::-1], image(seed + 1, frame)[:, ::-1, ::-1]
    expected = paste_cells(base.copy(), donor.copy(), [1, 2, 3], 3)
    assert paste_cells(base, donor, [1, 2, 3], 3).tolist() == expected.tolist()


def test_pasting_all_cells_gives_the_donor_and_none_the_base() -> None:
    base, donor = image(1, (9, 15)), image(2, (9, 15))
    assert paste_cells(base, donor, range(49)).tolist() == donor.tolist()
    assert paste_cells(base, donor, []).tolist() == base.tolist()


def batch(kind: str) -> tuple[Any, Any]:
    random = np.random.default_rng(5)
    bases, donors = random.integers(0, 256, (2, 3, 20, 31, 4)).astype(kind)
    return bases, donors


@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("as_array", [False, True])
def test_paste_cells_takes_a_batch_with_cells_for_each_image(kind: str, as_array: bool) -> None:
    bases, donors = batch(kind)
    cells = [[0, 5, 48], [1, 2, 3], [48, 47, 46]]
    given_cells: Any = np.array(cells) if as_array else cells
    found = paste_cells(bases, donors, given_cells)
    for one, base, donor, chosen in zip(found, bases, donors, cells, strict=True):
        mask = cells_mask(chosen, Frame(20, 31), 7)[..., None].astype(bool)
        assert one.tolist() == np.where(mask, donor, base).tolist()
    assert found.dtype == bases.dtype
    assert bases.tolist() == batch(kind)[0].tolist()


def test_paste_cells_takes_a_batch_with_cells_that_all_share() -> None:
    bases, donors = batch("float32")
    shared = paste_cells(bases, donors, [3, 9], grid=4)
    assert shared.tolist() == paste_cells(bases, donors, [[3, 9]] * 3, grid=4).tolist()
    assert paste_cells(bases, donors, [], grid=4).tolist() == bases.tolist()


def test_paste_cells_takes_a_batch_with_unequal_numbers_of_cells() -> None:
    bases, donors = batch("uint8")
    found = paste_cells(bases, donors, [[], [0], list(range(49))])
    assert found[0].tolist() == bases[0].tolist()
    assert found[2].tolist() == donors[2].tolist()


def test_paste_cells_refuses_a_batch_that_does_not_fit() -> None:
    bases, donors = batch("uint8")
    with pytest.raises(ValueError, match="two batches"):
        paste_cells(bases, donors[:2], [1])
    with pytest.raises(ValueError, match="two batches"):
        paste_cells(bases, donors.astype(np.float32), [1])
    with pytest.raises(ValueError, match="3 lists, one for each image"):
        paste_cells(bases, donors, [[1], [2]])
    with pytest.raises(ValueError, match="not all on a 7 x 7 grid"):
        paste_cells(bases, donors, [[1], [2], [49]])


@given(frame=frames, other=frames, share=st.integers(0, WHOLE_SHARE), seed=seeds)
def test_blend_rounds_the_exact_value(frame: Frame, other: Frame, share: int, seed: int) -> None:
    base, donor = image(seed, frame), image(seed + 1, other)
    blended = blend(base, donor, share)
    fitted = fit(donor, frame)
    for place in np.ndindex(*base.shape):
        mine, theirs = int(base[place]), int(fitted[place])
        exact = Fraction(share * mine + (WHOLE_SHARE - share) * theirs, WHOLE_SHARE)
        assert blended[place] == round(exact)  # halves go to the even number
    assert (base == image(seed, frame)).all()
    assert (donor == image(seed + 1, other)).all()


def test_blend_is_exact_for_all_pairs_of_values() -> None:
    base, donor = (one.astype(np.uint8)[..., None] for one in np.indices((256, 256)))
    for share in (0, 1, 127, 128, 129, 32_768, 43_691, 65_408, 65_535, WHOLE_SHARE):
        exact = share * base.astype(np.int64) + (WHOLE_SHARE - share) * donor.astype(np.int64)
        below, rest = np.divmod(exact, WHOLE_SHARE)
        half = 2 * rest == WHOLE_SHARE
        expected = below + np.where(half, below % 2, 2 * rest > WHOLE_SHARE)
        triple = [np.repeat(one, 3, axis=2) for one in (base, donor)]
        assert (blend(triple[0], triple[1], share)[..., :1] == expected).all()


@given(placed=frames_with_box(), other=frames, seed=seeds)
def test_paste_resized_shows_the_whole_donor_in_the_box_and_the_base_around(
    placed: tuple[Frame, tuple[int, int, int, int]], other: Frame, seed: int
) -> None:
    frame, (x0, y0, x1, y1) = placed
    base, donor = image(seed, frame), image(seed + 1, other)
    pasted = paste_resized(base, donor, (x0, y0, x1, y1))
    shrunken = resize(donor, Frame(y1 - y0, x1 - x0))
    for y in range(frame.height):
        for x in range(frame.width):
            inside = x0 <= x < x1 and y0 <= y < y1
            expected = shrunken[y - y0, x - x0] if inside else base[y, x]
            assert pasted[y, x].tolist() == expected.tolist()
    assert (base == image(seed, frame)).all()
