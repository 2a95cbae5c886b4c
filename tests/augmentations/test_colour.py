"""Colour: exact against fractions, and near to Pillow's definitions."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageEnhance

from augcli.augmentations.colour import Colour, ColourDraw
from augcli.errors import ParameterError
from augcli.pixels.frame import Frame
from augcli.rng import Stream
from tests.augmentations.steps import check_step, mask_of
from tests.strategies import frames, image, seeds

if TYPE_CHECKING:
    from augcli.pixels.frame import Image

factors = st.integers(0, 2000)
small = st.integers(1, 12)
small_frames = st.builds(Frame, small, small)
step = Colour()


def rounded(value: Fraction) -> int:
    return min(255, max(0, math.floor(value + Fraction(1, 2))))


def grey(pixel: list[int]) -> int:
    """Return 0.299 red, 0.587 green and 0.114 blue, in units of 2**-14."""
    red, green, blue = pixel
    return (4899 * red + 9617 * green + 1868 * blue + 8192) >> 14


def changed(picture: Image, draw: ColourDraw) -> list[list[int]]:
    """Return the pixels of a picture after the three steps, by the textbook."""
    brightness, contrast, saturation = (
        Fraction(factor, 1000) for factor in (draw.brightness, draw.contrast, draw.saturation)
    )
    found: list[list[int]] = picture.reshape(-1, 3).tolist()
    found = [[rounded(brightness * value) for value in pixel] for pixel in found]
    mean = rounded(Fraction(sum(grey(pixel) for pixel in found)) / len(found))
    found = [
        [rounded(contrast * value + (1 - contrast) * mean) for value in pixel] for pixel in found
    ]
    return [
        [rounded(saturation * value + (1 - saturation) * grey(pixel)) for value in pixel]
        for pixel in found
    ]


@given(small_frames, seeds, factors, factors, factors)
def test_every_value_is_exact(
    frame: Frame, seed: int, brightness: int, contrast: int, saturation: int
) -> None:
    picture, draw = image(seed, frame), ColourDraw(brightness, contrast, saturation)
    made = step.apply((picture,), draw)
    assert made.reshape(-1, 3).tolist() == changed(picture, draw)


@pytest.mark.parametrize("factor", [0, 1, 499, 500, 999, 1000, 1001, 1500, 1999, 2000])
def test_saturation_is_exact_for_every_value_and_grey(factor: int) -> None:
    """Values and greys up to 255, where single precision could round the wrong way."""
    value, other = np.meshgrid(np.arange(256), np.arange(256))
    picture = np.stack([value, other, other], axis=-1).astype(np.uint8)
    made = step.apply((picture,), ColourDraw(1000, 1000, factor)).astype(int)
    greys = (4899 * value + 11485 * other + 8192) >> 14
    wanted = (factor * value + (1000 - factor) * greys + 500) // 1000
    assert np.array_equal(made[..., 0], np.clip(wanted, 0, 255))


@given(frames, seeds, factors)
def test_each_step_is_near_to_pillow(frame: Frame, seed: int, factor: int) -> None:
    picture = image(seed, frame)
    pillow = Pillow.fromarray(picture)
    for kind, draw in (
        (ImageEnhance.Brightness, ColourDraw(factor, 1000, 1000)),
        (ImageEnhance.Contrast, ColourDraw(1000, factor, 1000)),
        (ImageEnhance.Color, ColourDraw(1000, 1000, factor)),
    ):
        enhanced = np.asarray(kind(pillow).enhance(factor / 1000)).astype(int)
        # Pillow cuts fractions off, and its greys may be rounded the other way.
        assert np.abs(step.apply((picture,), draw).astype(int) - enhanced).max() <= 2


@given(frames, seeds)
def test_the_record_is_enough_and_nothing_moves(frame: Frame, seed: int) -> None:
    colour = Colour(brightness=1, contrast=1, saturation=1)
    made, draw = check_step(colour, image(seed, frame), seed)
    assert made.shape == (*frame, 3)
    mask = mask_of(seed, frame)
    assert np.array_equal(colour.apply_to_mask(mask, draw), mask)


@given(frames, seeds)
def test_factors_of_one_change_nothing(frame: Frame, seed: int) -> None:
    picture = image(seed, frame)
    made, draw = check_step(Colour(brightness=0, contrast=0, saturation=0), picture, seed)
    assert draw == ColourDraw(1000, 1000, 1000)
    assert np.array_equal(made, picture)


def test_factors_are_all_thousandths_in_the_range() -> None:
    colour = Colour(brightness=0.002, contrast=0.001, saturation=1)
    draws = [colour.draw(Frame(4, 5), Stream("colour", index)) for index in range(1000)]
    assert {draw.brightness for draw in draws} == set(range(998, 1003))
    assert {draw.contrast for draw in draws} == {999, 1000, 1001}
    saturations = [draw.saturation for draw in draws]
    assert 0 <= min(saturations) < 10
    assert 1990 < max(saturations) <= 2000
    assert abs(sum(saturations) / 1000 - 1000) < 50


def test_wrong_options_are_refused_by_name() -> None:
    with pytest.raises(ParameterError, match=r"contrast is 1\.5, but must be 0 to 1"):
        Colour(contrast=1.5)
