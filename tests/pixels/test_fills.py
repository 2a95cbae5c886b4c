"""Fills: exactly the boxes, the mask or the channels change."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.pixels.fills import fill_boxes, fill_channels, fill_mask, mean_colour, parse_colour
from augcli.pixels.frame import Box, Frame
from tests.strategies import frames, image, seeds

COLOUR = (9, 80, 250)


colours = st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))


def boxes_in(frame: Frame) -> st.SearchStrategy[list[Box]]:
    """Return up to three boxes inside a frame; some are empty, some overlap."""

    def span(side: int) -> st.SearchStrategy[list[int]]:
        return st.lists(st.integers(0, side), min_size=2, max_size=2).map(sorted)

    box = st.tuples(span(frame.width), span(frame.height)).map(
        lambda spans: (spans[0][0], spans[1][0], spans[0][1], spans[1][1])
    )
    return st.lists(box, max_size=3)


frames_with_boxes = frames.flatmap(lambda frame: st.tuples(st.just(frame), boxes_in(frame)))


def in_a_box(x: int, y: int, boxes: list[Box]) -> bool:
    return any(x0 <= x < x1 and y0 <= y < y1 for x0, y0, x1, y1 in boxes)


def random_mask(seed: int, shape: tuple[int, ...], share: float = 0.3) -> np.ndarray:
    return (np.random.default_rng(seed).random(shape) < share).astype(np.uint8)


@given(chosen=frames_with_boxes, colour=colours, seed=seeds)
def test_fill_boxes_shows_the_colour_in_the_boxes_only(
    chosen: tuple[Frame, list[Box]], colour: tuple[int, int, int], seed: int
) -> None:
    frame, boxes = chosen
    before = image(seed, frame)
    expected = [
        [
            list(colour) if in_a_box(x, y, boxes) else before[y, x].tolist()
            for x in range(frame.width)
        ]
        for y in range(frame.height)
    ]
    assert fill_boxes(before, boxes, colour).tolist() == expected
    assert before.tolist() == image(seed, frame).tolist()


@given(chosen=frames_with_boxes, seed=seeds)
def test_fill_boxes_shows_a_picture_at_its_own_place(
    chosen: tuple[Frame, list[Box]], seed: int
) -> None:
    frame, boxes = chosen
    before, under = image(seed, frame), image(seed + 1, frame)
    expected = [
        [(under if in_a_box(x, y, boxes) else before)[y, x].tolist() for x in range(frame.width)]
        for y in range(frame.height)
    ]
    assert fill_boxes(before, boxes, under).tolist() == expected


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


@given(frame=frames, seed=seeds)
def test_mean_colour_is_the_exact_mean_rounded_half_up(frame: Frame, seed: int) -> None:
    pixels = image(seed, frame)
    expected = tuple(
        math.floor(
            Fraction(sum(pixels[..., one].ravel().tolist()), frame.height * frame.width)
            + Fraction(1, 2)
        )
        for one in range(3)
    )
    assert mean_colour(pixels) == expected


def test_mean_colour_of_a_large_white_picture_is_white() -> None:
    """Sums of millions of pixels don't overflow."""
    white = np.broadcast_to(np.uint8(255), (3000, 3000, 3))
    assert mean_colour(white) == (255, 255, 255)


@given(colour=colours, upper=st.booleans())
def test_parse_colour_reads_what_hex_writes(colour: tuple[int, int, int], upper: bool) -> None:
    text = "#{:02x}{:02x}{:02x}".format(*colour)
    assert parse_colour(text.upper() if upper else text) == colour


@pytest.mark.parametrize(
    "text",
    ["", "#", "red", "#12345", "#1234567", "123456", "#12345g", "# 12345", "#12345\n", "#١٢٣٤٥٦"],
)
def test_parse_colour_names_what_it_found_when_it_is_no_colour(text: str) -> None:
    with pytest.raises(ValueError, match="must be a colour such as #7b7568") as caught:
        parse_colour(text)
    assert repr(text) in str(caught.value)
