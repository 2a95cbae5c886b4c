"""Resizing: pictures as :func:`augcli.pixels.resize.resize` does, masks by the nearest centre."""

from __future__ import annotations

import hashlib
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from augcli.augmentations.resize import Resize, ResizeDraw
from augcli.errors import ParameterError
from augcli.pixels.frame import Frame
from augcli.pixels.resize import resize
from tests.augmentations.steps import check_step, mask_of, moved_mask, pattern, shown
from tests.strategies import frames, image, seeds


def step_to(frame: Frame) -> Resize:
    return Resize(size=f"{frame.width}x{frame.height}")


def nearest(side: int, wanted: int, index: int) -> int:
    """Return the pixel of a side that the centre of a resized one lies in."""
    return int((index + Fraction(1, 2)) * side / wanted)


@given(frames, frames, seeds)
def test_the_picture_has_the_size_and_the_pixels(frame: Frame, wanted: Frame, seed: int) -> None:
    picture = image(seed, frame)
    made, draw = check_step(step_to(wanted), picture, seed)
    assert draw == ResizeDraw((wanted.width, wanted.height))
    assert np.array_equal(made, resize(picture, wanted))
    assert made.shape == (*wanted, 3)


@given(frames, frames, seeds)
def test_a_mask_takes_the_pixel_that_each_centre_lies_in(
    frame: Frame, wanted: Frame, seed: int
) -> None:
    mask = mask_of(seed, frame)
    moved = moved_mask(step_to(wanted), mask, ResizeDraw((wanted.width, wanted.height)))
    assert moved.shape == wanted
    for y in range(wanted.height):
        for x in range(wanted.width):
            row = nearest(frame.height, wanted.height, y)
            column = nearest(frame.width, wanted.width, x)
            assert moved[y, x] == mask[row, column]


@given(frames, frames, seeds)
def test_a_mask_of_two_halves_says_what_each_pixel_mostly_shows(
    frame: Frame, wanted: Frame, seed: int
) -> None:
    mask = np.zeros(frame, np.uint8)
    mask[:, seed % frame.width :] = 1
    mask = mask if seed % 2 else 1 - mask
    step = step_to(wanted)
    made, draw = check_step(step, shown(mask), seed)
    moved = moved_mask(step, mask, draw)
    assert (moved[made[..., 0] > 129] == 1).all()
    assert (moved[made[..., 0] < 126] == 0).all()


def test_the_bytes_are_the_same_in_every_version_of_opencv() -> None:
    picture, step = pattern(Frame(60, 90)), Resize()
    made = [step.apply((picture,), ResizeDraw(size)) for size in ((31, 17), (200, 130), (40, 130))]
    assert [hashlib.sha256(one.tobytes()).hexdigest()[:8] for one in made] == [
        "a8ccc456",
        "d5d1c618",
        "d637fdaf",
    ]


def test_a_wrong_size_is_refused_by_name() -> None:
    with pytest.raises(ParameterError, match="size is '0', but must be WIDTHxHEIGHT"):
        Resize(size="0")
