"""The random resized crop: the distribution of boxes, the centre crop, and the pixels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.augmentations.random_resized_crop import CropDraw, RandomResizedCrop
from augcli.errors import ParameterError
from augcli.pixels.frame import Frame
from augcli.pixels.resize import resize
from augcli.rng import Stream
from tests.augmentations.steps import check_step, mask_of, moved_mask, shown
from tests.strategies import frames, image, seeds


def drawn(crop: RandomResizedCrop, frame: Frame, count: int) -> list[tuple[int, int, int, int]]:
    """Return the boxes of the first ``count`` streams."""
    return [crop.draw(frame, Stream("crop", index)).box for index in range(count)]


@given(frames, frames, seeds)
def test_the_picture_is_the_box_resized(frame: Frame, wanted: Frame, seed: int) -> None:
    picture = image(seed, frame)
    made, draw = check_step(
        RandomResizedCrop(size=f"{wanted.width}x{wanted.height}"), picture, seed
    )
    x0, y0, x1, y1 = draw.box
    assert 0 <= x0 < x1 <= frame.width
    assert 0 <= y0 < y1 <= frame.height
    assert draw.size == (wanted.width, wanted.height)
    assert np.array_equal(made, resize(picture[y0:y1, x0:x1].copy(), wanted))


@given(frames, frames, seeds)
def test_a_mask_takes_the_pixel_of_the_box_that_each_centre_lies_in(
    frame: Frame, wanted: Frame, seed: int
) -> None:
    crop = RandomResizedCrop(size=f"{wanted.width}x{wanted.height}")
    draw = crop.draw(frame, Stream("crop", seed))
    mask = mask_of(seed, frame)
    moved = moved_mask(crop, mask, draw)
    x0, y0, x1, y1 = draw.box
    assert moved.shape == wanted
    for y in range(wanted.height):
        for x in range(wanted.width):
            row = y0 + (2 * y + 1) * (y1 - y0) // (2 * wanted.height)
            column = x0 + (2 * x + 1) * (x1 - x0) // (2 * wanted.width)
            assert moved[y, x] == mask[row, column]


@given(frames, seeds)
def test_without_resizing_the_mask_is_what_the_picture_shows(frame: Frame, seed: int) -> None:
    crop, mask = RandomResizedCrop(), mask_of(seed, frame)
    box = crop.draw(frame, Stream("crop", seed)).box
    draw = CropDraw(box, (box[2] - box[0], box[3] - box[1]))
    assert np.array_equal(shown(moved_mask(crop, mask, draw)), crop.apply((shown(mask),), draw))


def test_areas_and_ratios_are_those_asked_for() -> None:
    frame = Frame(900, 1600)
    crop = RandomResizedCrop(scale=(0.1, 0.3), ratio=(0.5, 2.0))
    boxes = drawn(crop, frame, 1500)
    areas = [(x1 - x0) * (y1 - y0) / (900 * 1600) for x0, y0, x1, y1 in boxes]
    ratios = [math.log2((x1 - x0) / (y1 - y0)) for x0, y0, x1, y1 in boxes]
    assert 0.0995 < min(areas) < 0.101
    assert 0.299 < max(areas) < 0.3005
    assert abs(sum(areas) / len(areas) - 0.2) < 0.005
    assert -1.005 < min(ratios) < -0.99
    assert 0.99 < max(ratios) < 1.005
    # Uniform in the logarithm: the mean is 0, where a uniform ratio's would be 0.25.
    assert abs(sum(ratios) / len(ratios)) < 0.05


def test_places_are_uniform_over_all_that_fit() -> None:
    # A share of 0.16 of 5 x 5 pixels is 2 x 2, which fits at 4 x 4 places.
    boxes = drawn(RandomResizedCrop(scale=(0.16, 0.16), ratio=(1, 1)), Frame(5, 5), 1600)
    corners = [(x0, y0) for x0, y0, _, _ in boxes]
    assert {(x1 - x0, y1 - y0) for x0, y0, x1, y1 in boxes} == {(2, 2)}
    counts = [corners.count((x, y)) for x in range(4) for y in range(4)]
    assert sum(counts) == 1600
    assert min(counts) > 60
    assert max(counts) < 140


@pytest.mark.parametrize(
    ("frame", "ratio", "box"),
    [
        (Frame(100, 10), (0.75, 4 / 3), (0, 43, 10, 56)),
        (Frame(10, 100), (0.75, 4 / 3), (43, 0, 56, 10)),
        (Frame(10, 12), (0.75, 4 / 3), (0, 0, 12, 10)),
        # Torchvision's centre crop has no pixels here.
        (Frame(9, 1), (10, 20), (0, 4, 1, 5)),
        (Frame(1, 9), (0.05, 0.1), (4, 0, 5, 1)),
    ],
)
def test_where_nothing_fits_the_middle_is_taken(
    frame: Frame, ratio: tuple[float, float], box: tuple[int, int, int, int]
) -> None:
    crop = RandomResizedCrop(ratio=ratio)
    assert crop._central(frame) == box


def test_after_ten_tries_the_middle_is_taken() -> None:
    # The whole area as a square does not fit into 3 x 12 pixels.
    crop = RandomResizedCrop(scale=(1, 1), ratio=(1, 1))
    assert set(drawn(crop, Frame(3, 12), 20)) == {(4, 0, 7, 3)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": "0,1"}, "scale is 0,1, but must be two shares"),
        ({"scale": (0.5, 1.5)}, r"scale is \(0.5, 1.5\), but must be two shares"),
        ({"ratio": "2,1"}, "ratio is 2,1, but must be two quotients"),
        ({"ratio": "1"}, "ratio is 1, but must be two quotients"),
        ({"size": "0x1"}, "size is '0x1', but must be WIDTHxHEIGHT"),
    ],
)
def test_wrong_options_are_refused_by_name(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        RandomResizedCrop(**options)


@given(st.floats(0.01, 1), st.floats(0.2, 5), frames, seeds)
def test_any_law_gives_a_box_inside(scale: float, ratio: float, frame: Frame, seed: int) -> None:
    crop = RandomResizedCrop(scale=(scale, 1), ratio=(min(ratio, 1), max(ratio, 1)))
    x0, y0, x1, y1 = crop.draw(frame, Stream("crop", seed)).box
    assert 0 <= x0 < x1 <= frame.width
    assert 0 <= y0 < y1 <= frame.height
