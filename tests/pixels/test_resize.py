"""Resizing: the right interpolation, on both axes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.pixels.frame import Frame
from augcli.pixels.resize import fit, resize
from tests.strategies import frames, image, seeds


def bilinear(values: list[list[float]], frame: Frame) -> list[list[float]]:
    """Interpolate between pixel centres; beyond the outermost centres the value stays the same."""

    def ends(place: int, side: int, wanted: int) -> tuple[int, int, float]:
        at = min(max((place + 0.5) * side / wanted - 0.5, 0), side - 1)
        first = min(int(at), side - 1)
        return first, min(first + 1, side - 1), at - first

    height, width = len(values), len(values[0])
    result = []
    for y in range(frame.height):
        top, bottom, down = ends(y, height, frame.height)
        row = []
        for x in range(frame.width):
            left, right, along = ends(x, width, frame.width)
            above = values[top][left] * (1 - along) + values[top][right] * along
            below = values[bottom][left] * (1 - along) + values[bottom][right] * along
            row.append(above * (1 - down) + below * down)
        result.append(row)
    return result


@given(frame=frames, wanted=frames, seed=seeds)
def test_resize_gives_the_frame_that_was_asked_for(frame: Frame, wanted: Frame, seed: int) -> None:
    before = image(seed, frame)
    after = resize(before, wanted)
    assert after.dtype == np.uint8
    assert after.shape == (*wanted, 3)
    assert before.tolist() == image(seed, frame).tolist()


def test_resize_returns_the_same_array_when_it_fits_already() -> None:
    before = image(1, (5, 9))
    assert resize(before, Frame(5, 9)) is before


@given(frame=frames, wanted=frames, value=st.integers(0, 255))
def test_resize_keeps_a_plain_colour(frame: Frame, wanted: Frame, value: int) -> None:
    colour = [value, 255 - value, 7]
    before = np.full((*frame, 3), colour, np.uint8)
    assert (resize(before, wanted) == colour).all()


@given(wanted=frames, down=st.integers(1, 4), along=st.integers(1, 4), seed=seeds)
def test_resize_averages_areas_when_it_shrinks_by_whole_numbers(
    wanted: Frame, down: int, along: int, seed: int
) -> None:
    before = image(seed, (wanted.height * down, wanted.width * along))
    blocks = before.reshape(wanted.height, down, wanted.width, along, 3)
    exact = blocks.mean(axis=(1, 3))
    # A half may go either way.
    assert np.abs(resize(before, wanted) - exact).max() <= 0.5


@given(frame=frames, down=st.integers(0, 20), along=st.integers(0, 20), seed=seeds)
def test_resize_is_bilinear_when_it_enlarges(
    frame: Frame, down: int, along: int, seed: int
) -> None:
    before = image(seed, frame)
    wanted = Frame(frame.height + down, frame.width + along)
    after = resize(before, wanted)
    for channel in range(3):
        exact = bilinear(before[..., channel].tolist(), wanted)
        assert np.abs(after[..., channel] - np.array(exact)).max() <= 1


@pytest.mark.parametrize("wanted", [Frame(3, 9), Frame(9, 3)])
def test_resize_is_bilinear_when_only_one_side_grows(wanted: Frame) -> None:
    before = image(3, (6, 6))
    exact = bilinear(before[..., 0].tolist(), wanted)
    assert np.abs(resize(before, wanted)[..., 0] - np.array(exact)).max() <= 1


@given(frames, frames, seeds)
def test_fit_gives_the_frame_and_keeps_flat_colours(before: Frame, after: Frame, seed: int) -> None:
    colour = np.random.Philox(key=seed).random_raw(3).astype(np.uint8)
    flat = np.broadcast_to(colour, (*before, 3)).copy()
    fitted = fit(flat, after)
    assert fitted.shape == (*after, 3)
    assert (fitted == colour).all()


def test_fit_halves_to_the_average_of_four() -> None:
    image = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3) * 3
    mean = image.reshape(2, 2, 3, 2, 3).astype(float).mean(axis=(1, 3))
    assert np.abs(fit(image, Frame(2, 3)) - mean).max() <= 0.5


def test_fit_skips_no_stripe_of_a_large_picture() -> None:
    """Plain bilinear shrinking would look at every eighth row only."""
    striped = np.zeros((64, 64, 3), np.uint8)
    striped[::8] = 240
    assert np.abs(fit(striped, Frame(8, 8)).astype(int) - 30).max() <= 2


def test_fit_is_the_picture_itself_where_it_fits() -> None:
    image = np.zeros((3, 5, 3), np.uint8)
    assert fit(image, Frame(3, 5)) is image
