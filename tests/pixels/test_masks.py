"""Masks: which pixels of cells, boxes, lattices and blocks are set, by loops over pixels."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.pixels.frame import Frame
from augcli.pixels.geometry import FRACTION_BITS
from augcli.pixels.masks import (
    box_mask,
    cells_mask,
    count_mask,
    full_mask,
    grow_blocks,
    lattice_mask,
)
from tests.pixels.boxes import frames_with_box
from tests.strategies import frames, grids_with_cells, seeds


def cell_of(place: int, side: int, grid: int) -> int:
    """Return the row or column of the cell that holds a pixel, from the definition alone."""
    # Edge i is i * side / grid rounded half up; a pixel is in the last cell that began.
    rounded = [math.floor(Fraction(i * side, grid) + Fraction(1, 2)) for i in range(grid + 1)]
    return max(i for i in range(grid) if rounded[i] <= place)


@given(frame=frames, chosen=grids_with_cells())
def test_cells_mask_holds_the_pixels_of_the_cells(
    frame: Frame, chosen: tuple[int, list[int]]
) -> None:
    """Every pixel is looked up on its own: no two axes are swapped, no cell overlaps."""
    grid, cells = chosen
    rows = [cell_of(y, frame.height, grid) for y in range(frame.height)]
    columns = [cell_of(x, frame.width, grid) for x in range(frame.width)]
    expected = [[int(row * grid + column in cells) for column in columns] for row in rows]
    found = cells_mask(cells, frame, grid)
    assert found.dtype == np.uint8
    assert found.tolist() == expected


@given(frame=frames, grid=st.integers(1, 9))
def test_each_pixel_is_in_exactly_one_cell(frame: Frame, grid: int) -> None:
    masks = [cells_mask([cell], frame, grid) for cell in range(grid * grid)]
    assert (np.sum(masks, axis=0, dtype=np.int64) == 1).all()


def test_a_cells_index_counts_along_rows() -> None:
    assert cells_mask([1], Frame(2, 6), grid=2).tolist() == [[0, 0, 0, 1, 1, 1], [0] * 6]


@pytest.mark.parametrize("cell", [-1, 49])
def test_cells_mask_refuses_a_cell_that_is_not_on_the_grid(cell: int) -> None:
    with pytest.raises(ValueError, match="not all on a 7 x 7 grid"):
        cells_mask([0, cell], Frame(14, 14), 7)


@given(placed=frames_with_box())
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


@given(frame=frames, seed=seeds)
def test_count_mask_counts_one_by_one(frame: Frame, seed: int) -> None:
    mask = np.random.default_rng(seed).integers(0, 2, frame, np.uint8)
    expected = sum(1 for row in mask.tolist() for pixel in row if pixel)
    assert count_mask(mask) == (expected, frame.height * frame.width)


@given(frames, seeds, st.integers(1, 12), st.sampled_from([0.01, 0.1, 0.5]))
def test_grow_blocks_covers_the_square_of_each_seed(
    frame: Frame, seed: int, block: int, share: float
) -> None:
    begins = (np.random.default_rng(seed).random(frame) < share).astype(np.uint8)
    expected = np.zeros((frame.height + block - 1, frame.width + block - 1), np.uint8)
    for y in range(frame.height):
        for x in range(frame.width):
            if begins[y, x]:
                expected[y : y + block, x : x + block] = 1
    grown = grow_blocks(begins, block)
    assert grown.dtype == np.uint8
    assert np.array_equal(grown, expected)


def reference_mask(frame: Frame, unit: int, kept: int, offset: tuple[int, int]) -> np.ndarray:
    """Return the upright mask as the authors' loops make it, with their ``mode`` 1."""
    stripes = np.zeros(frame, np.uint8)
    left, top = offset
    for index in range(-1, max(frame) // unit + 1):
        start = max(0, index * unit + top)
        stripes[start : max(0, index * unit + top + kept), :] = 1
        start = max(0, index * unit + left)
        stripes[:, start : max(0, index * unit + left + kept)] = 1
    return 1 - stripes


@given(frames, st.data())
def test_upright_lattice_is_that_of_the_authors(frame: Frame, data: st.DataObject) -> None:
    unit = data.draw(st.integers(2, 50))
    kept = data.draw(st.integers(1, unit - 1))
    offset = (data.draw(st.integers(0, unit - 1)), data.draw(st.integers(0, unit - 1)))
    found = lattice_mask(frame, unit, kept, offset)
    assert found.dtype == np.uint8
    assert found.tolist() == reference_mask(frame, unit, kept, offset).tolist()


@given(frames, st.integers(2, 40), st.integers(0, 359), st.data())
def test_turned_lattice_agrees_with_real_numbers(
    frame: Frame, unit: int, angle: int, data: st.DataObject
) -> None:
    kept = data.draw(st.integers(1, unit - 1))
    left, top = data.draw(st.integers(0, unit - 1)), data.draw(st.integers(0, unit - 1))
    found = lattice_mask(frame, unit, kept, (left, top), angle or 360)
    if angle == 0:
        return
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    for y in range(frame.height):
        for x in range(frame.width):
            right, down = x - (frame.width - 1) / 2, y - (frame.height - 1) / 2
            places = (right * cosine - down * sine, right * sine + down * cosine)
            if any(abs(place - round(place)) < 1e-4 for place in places):
                continue  # On the border between two pixels of the lattice.
            inside = [
                (math.floor(place) - start) % unit >= kept
                for place, start in zip(places, (left, top), strict=True)
            ]
            assert found[y, x] == all(inside), (x, y)


@pytest.mark.parametrize("angle", [0, 1, 30, 45, 90, 137, 180, 270, 359])
@pytest.mark.parametrize("frame", [Frame(3, 61), Frame(61, 3), Frame(1, 1), Frame(10, 14)])
def test_every_pixel_is_dropped_by_the_same_share_of_offsets(frame: Frame, angle: int) -> None:
    """A mask that is cut out of one too small fails here: the ends would be dropped less."""
    unit, kept = 5, 3
    times = sum(
        lattice_mask(frame, unit, kept, (left, top), angle).astype(int)
        for left in range(unit)
        for top in range(unit)
    )
    assert np.unique(times).tolist() == [(unit - kept) ** 2]


@pytest.mark.parametrize("side", [8, 9, 23])
def test_quarter_turn_is_anticlockwise(side: int) -> None:
    unit, kept, left, top = 7, 3, 2, 5
    upright = lattice_mask(Frame(side, side), unit, kept, (left, top))
    # Upright lattices count from the corner, turned ones from the centre.
    moved = ((left - side // 2) % unit, (top - side // 2) % unit)
    turned = lattice_mask(Frame(side, side), unit, kept, moved, 90)
    assert turned.tolist() == np.rot90(upright).tolist()
    assert turned.tolist() != np.rot90(upright, -1).tolist()


def test_sines_are_rounded_far_from_a_tie() -> None:
    """A C library that is off by the last bit of a double still gives the same lattice."""
    one = 1 << FRACTION_BITS
    for angle in range(360):
        for value in (math.cos(math.radians(angle)), math.sin(math.radians(angle))):
            exact = Fraction(value) * one
            to_tie = abs(abs(exact - math.floor(exact)) - Fraction(1, 2))
            assert to_tie > Fraction(1, 10_000), angle


def test_long_pictures_are_done_in_bands_without_seams() -> None:
    whole = lattice_mask(Frame(301, 7), 11, 6, (3, 4), 33)
    # A turn is about the centre: half as long around the same centre is the middle part.
    middle = lattice_mask(Frame(101, 7), 11, 6, (3, 4), 33)
    assert whole[100:201].tolist() == middle.tolist()
