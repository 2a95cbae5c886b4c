"""Blending, shrinking into a box, and the middle of a cell, against plain loops."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from augcli.pixels.frame import Frame
from augcli.pixels.grid import cells_mask, edges
from augcli.pixels.mix import WHOLE, blend, box_mask, cell_centre, full_mask, paste_resized
from augcli.pixels.resize import fit, resize
from tests.strategies import frames, image, seeds, sides


@given(frame=frames, other=frames, share=st.integers(0, WHOLE), seed=seeds)
def test_blend_rounds_the_exact_value(frame: Frame, other: Frame, share: int, seed: int) -> None:
    base, donor = image(seed, frame), image(seed + 1, other)
    blended = blend(base, donor, share)
    fitted = fit(donor, frame)
    for place in np.ndindex(*base.shape):
        mine, theirs = int(base[place]), int(fitted[place])
        exact = Fraction(share * mine + (WHOLE - share) * theirs, WHOLE)
        assert blended[place] == round(exact)  # halves go to the even number
    assert (base == image(seed, frame)).all()
    assert (donor == image(seed + 1, other)).all()


def test_blend_is_exact_for_all_pairs_of_values() -> None:
    base, donor = (one.astype(np.uint8)[..., None] for one in np.indices((256, 256)))
    for share in (0, 1, 127, 128, 129, 32_768, 43_691, 65_408, 65_535, WHOLE):
        exact = share * base.astype(np.int64) + (WHOLE - share) * donor.astype(np.int64)
        below, rest = np.divmod(exact, WHOLE)
        half = 2 * rest == WHOLE
        expected = below + np.where(half, below % 2, 2 * rest > WHOLE)
        triple = [np.repeat(one, 3, axis=2) for one in (base, donor)]
        assert (blend(triple[0], triple[1], share)[..., :1] == expected).all()


@st.composite
def frames_with_boxes(draw: st.DrawFn) -> tuple[Frame, tuple[int, int, int, int]]:
    frame = draw(frames)
    x0, y0 = draw(st.integers(0, frame.width - 1)), draw(st.integers(0, frame.height - 1))
    x1, y1 = draw(st.integers(x0 + 1, frame.width)), draw(st.integers(y0 + 1, frame.height))
    return frame, (x0, y0, x1, y1)


@given(placed=frames_with_boxes(), other=frames, seed=seeds)
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


@given(placed=frames_with_boxes())
def test_box_mask_is_1_in_the_box(placed: tuple[Frame, tuple[int, int, int, int]]) -> None:
    frame, (x0, y0, x1, y1) = placed
    mask = box_mask((x0, y0, x1, y1), frame)
    assert mask.dtype == np.uint8
    assert mask.tolist() == [
        [int(x0 <= x < x1 and y0 <= y < y1) for x in range(frame.width)]
        for y in range(frame.height)
    ]


def test_an_empty_box_has_an_empty_mask() -> None:
    assert not box_mask((2, 1, 2, 3), Frame(3, 5)).any()


def test_full_mask_is_1_everywhere() -> None:
    assert full_mask(Frame(2, 3)).tolist() == [[1, 1, 1], [1, 1, 1]]


@given(height=sides, width=sides, grid=st.integers(1, 9), number=st.integers(0, 80))
def test_cell_centre_is_the_middle_pixel_of_the_cell(
    height: int, width: int, grid: int, number: int
) -> None:
    cell, frame = number % (grid * grid), Frame(height, width)
    x, y = cell_centre(cell, frame, grid)
    assert 0 <= x < width
    assert 0 <= y < height
    mask = cells_mask([cell], frame, grid)
    if mask.any():
        assert mask[y, x] == 1
        left, right = edges(width, grid)[cell % grid : cell % grid + 2].tolist()
        # As many pixels before it as after it, or one more.
        assert (x - left) - (right - 1 - x) in (0, 1)
