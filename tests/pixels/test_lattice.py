"""The lattice of GridMask: which pixels lie in its squares, at every angle."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.pixels.frame import Frame
from augcli.pixels.lattice import FRACTION_BITS, lattice_mask
from tests.strategies import frames


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
