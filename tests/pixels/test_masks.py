"""Dropping by a mask, compared with loops over pixels."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.pixels.frame import Frame
from augcli.pixels.masks import divide_values, fill_channels, fill_mask, grow_blocks, is_grey
from tests.strategies import frames, image, seeds

COLOUR = (9, 80, 250)


def random_mask(seed: int, shape: tuple[int, ...], share: float = 0.3) -> np.ndarray:
    return (np.random.default_rng(seed).random(shape) < share).astype(np.uint8)


@given(frames, seeds, st.booleans(), st.booleans())
def test_fill_mask_replaces_exactly_the_places_of_the_mask(
    frame: Frame, seed: int, per_channel: bool, picture: bool
) -> None:
    base = image(seed, frame)
    before = base.copy()
    mask = random_mask(seed, (*frame, 3) if per_channel else tuple(frame))
    fill = image(seed + 1, frame) if picture else COLOUR
    filled = fill_mask(base, mask, fill)
    expected = base.copy()
    for y in range(frame.height):
        for x in range(frame.width):
            for channel in range(3):
                if mask[y, x, channel] if per_channel else mask[y, x]:
                    expected[y, x, channel] = (
                        fill[y, x, channel] if isinstance(fill, np.ndarray) else fill[channel]
                    )
    assert filled.dtype == np.uint8
    assert filled.tolist() == expected.tolist()
    assert np.array_equal(base, before)


@given(frames, seeds, st.lists(st.integers(0, 2), unique=True), st.booleans())
def test_fill_channels_replaces_whole_channels(
    frame: Frame, seed: int, channels: list[int], picture: bool
) -> None:
    base = image(seed, frame)
    before = base.copy()
    fill = image(seed + 1, frame) if picture else COLOUR
    filled = fill_channels(base, channels, fill)
    shown = np.broadcast_to(np.asarray(fill, np.uint8), base.shape)
    for channel in range(3):
        source = shown if channel in channels else before
        assert np.array_equal(filled[..., channel], source[..., channel])
    assert np.array_equal(base, before)


@pytest.mark.parametrize(
    ("pixel", "grey"),
    [((5, 5, 5), True), ((6, 5, 5), False), ((5, 6, 5), False), ((5, 5, 6), False)],
)
def test_one_coloured_pixel_is_not_grey(pixel: tuple[int, int, int], grey: bool) -> None:
    picture = np.full((3, 5, 3), 7, np.uint8)
    picture[2, 1] = pixel
    assert is_grey(picture) is grey


@given(st.floats(0.01, 1))
def test_divide_values_rounds_half_up_and_clips(divisor: float) -> None:
    values = np.arange(256, dtype=np.uint8).repeat(3).reshape(2, 128, 3)
    expected = [min(255, int(value / Fraction(divisor) + Fraction(1, 2))) for value in range(256)]
    assert divide_values(values, divisor)[..., 1].ravel().tolist() == expected


def test_divide_values_rounds_a_half_up() -> None:
    assert divide_values(np.array([[[1, 3, 5]]], np.uint8), 2.0).tolist() == [[[1, 2, 3]]]


@given(frames, seeds, st.integers(1, 12), st.sampled_from([0.01, 0.1, 0.5]))
def test_grow_blocks_covers_the_square_of_each_seed(
    frame: Frame, seed: int, block: int, share: float
) -> None:
    begins = random_mask(seed, tuple(frame), share)
    expected = np.zeros((frame.height + block - 1, frame.width + block - 1), np.uint8)
    for y in range(frame.height):
        for x in range(frame.width):
            if begins[y, x]:
                expected[y : y + block, x : x + block] = 1
    grown = grow_blocks(begins, block)
    assert grown.dtype == np.uint8
    assert np.array_equal(grown, expected)
