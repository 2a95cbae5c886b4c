"""Blur: against a Gaussian in loops."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.augmentations.blur import Blur, BlurDraw
from augcli.errors import ParameterError
from augcli.pixels.frame import Frame
from augcli.rng import Stream
from tests.augmentations.steps import check_step, mask_of, pattern
from tests.strategies import frames, image, seeds

if TYPE_CHECKING:
    from augcli.pixels.frame import Image

small = st.integers(1, 9)
small_frames = st.builds(Frame, small, small)
step = Blur()


def mirrored(at: int, side: int) -> int:
    """Return the pixel inside a side that a mirrored one repeats, one fold at a time."""
    if side == 1:
        return 0
    while not 0 <= at < side:
        at = -at if at < 0 else 2 * (side - 1) - at
    return at


def blurred_line(values: list[float], sigma: float) -> list[float]:
    """Return a line under a Gaussian that is cut off at 3 sigma."""
    reach = math.ceil(3 * sigma)
    weights = [math.exp(-(at**2) / (2 * sigma**2)) for at in range(-reach, reach + 1)]
    return [
        sum(
            weight * values[mirrored(index + at - reach, len(values))]
            for at, weight in enumerate(weights)
        )
        / sum(weights)
        for index in range(len(values))
    ]


def blurred(channel: list[list[float]], sigma: float) -> list[list[float]]:
    """Return a channel, rows of columns, under a Gaussian."""
    rows = [blurred_line(row, sigma) for row in channel]
    columns = [blurred_line(list(column), sigma) for column in zip(*rows, strict=True)]
    return [list(row) for row in zip(*columns, strict=True)]


@given(small_frames, seeds, st.integers(1, 300))
def test_every_value_is_that_of_a_gaussian(frame: Frame, seed: int, sigma: int) -> None:
    picture = image(seed, frame)
    made = step.apply((picture,), BlurDraw(sigma))
    for channel in range(3):
        wanted = blurred(picture[..., channel].tolist(), sigma / 100)
        # OpenCV's weights are whole numbers of 1/256: noise with all sigmas differs by 3.1.
        assert np.abs(made[..., channel] - np.array(wanted)).max() < 4


@given(frames, seeds)
def test_the_record_is_enough_and_nothing_moves(frame: Frame, seed: int) -> None:
    made, draw = check_step(step, image(seed, frame), seed)
    assert made.shape == (*frame, 3)
    mask = mask_of(seed, frame)
    assert np.array_equal(step.apply_to_mask(mask, draw), mask)


@given(frames, st.integers(0, 255), st.integers(1, 10_000))
def test_one_colour_stays_what_it_is(frame: Frame, value: int, sigma: int) -> None:
    picture: Image = np.full((*frame, 3), value, np.uint8)
    assert np.array_equal(step.apply((picture,), BlurDraw(sigma)), picture)


def test_the_smallest_sigma_changes_nothing() -> None:
    picture = image(1, (9, 14))
    assert np.array_equal(step.apply((picture,), BlurDraw(1)), picture)


def test_sigmas_are_all_hundredths_in_the_range() -> None:
    blur = Blur(sigma=(0.29, 0.32))
    draws = [blur.draw(Frame(4, 5), Stream("blur", index)) for index in range(200)]
    assert {draw.sigma for draw in draws} == {29, 30, 31, 32}
    usual = [step.draw(Frame(4, 5), Stream("blur", index)).sigma for index in range(1000)]
    assert min(usual) == 10
    assert max(usual) == 200
    assert abs(sum(usual) / 1000 - 105) < 5


@pytest.mark.parametrize("sigma", ["0,1", "2,1", "1", "0.001,1", "1,101", "nan,1", None])
def test_wrong_options_are_refused_by_name(sigma: Any) -> None:
    with pytest.raises(ParameterError, match=r"sigma is .*, but must be two numbers of 0.01 to 10"):
        Blur(sigma=sigma)


def test_the_bytes_are_the_same_in_every_version_of_opencv() -> None:
    made = [step.apply((pattern((61, 90)),), BlurDraw(sigma)) for sigma in (10, 77, 200, 1500)]
    assert [hashlib.sha256(one.tobytes()).hexdigest()[:8] for one in made] == [
        "7d7da22f",
        "f840324c",
        "0d6e6926",
        "716eb8f9",
    ]
