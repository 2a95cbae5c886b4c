"""Rotating: exact at right angles, a slope at any angle, and masks that move like pictures."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.augmentations.rotate import Rotate, RotateDraw
from augcli.errors import ParameterError, UnreadableImage
from augcli.pixels.frame import Frame
from augcli.rng import Stream
from tests.augmentations.steps import check_step, mask_of, moved_mask, pattern, shown
from tests.strategies import frames, image, seeds

if TYPE_CHECKING:
    from augcli.pixels.frame import Image

angles = st.integers(-18_000, 18_000)
small = st.integers(1, 16)
small_frames = st.builds(Frame, small, small)
step = Rotate()


def turned(picture: Image, angle: int, fill: tuple[int, int, int] | None = None) -> Image:
    return step.apply((picture,), RotateDraw(angle, fill))


def place(frame: Frame, angle: int, x: int, y: int) -> tuple[float, float]:
    """Return where the pixel (x, y) of a turned picture comes from, by the textbook."""
    radians = math.radians(angle / 100)
    across, down = x - (frame.width - 1) / 2, y - (frame.height - 1) / 2
    return (
        across * math.cos(radians) - down * math.sin(radians) + (frame.width - 1) / 2,
        across * math.sin(radians) + down * math.cos(radians) + (frame.height - 1) / 2,
    )


def mirrored(at: float, side: int) -> float:
    """Return the place inside 0 … side - 1 that a mirrored one repeats, one fold at a time."""
    if side == 1:
        return 0.0
    while not 0 <= at <= side - 1:
        at = -at if at < 0 else 2 * (side - 1) - at
    return at


def slope(frame: Frame) -> Image:
    """Return a picture whose values any bilinear interpolation gives exactly: 8 x + 7 y."""
    values = 8 * np.arange(frame.width) + 7 * np.arange(frame.height)[:, None]
    return np.repeat(values.astype(np.uint8)[..., None], 3, axis=2)


@given(frames, seeds, angles, st.sampled_from(["reflect", "fill"]))
def test_the_size_stays_and_the_record_is_enough(
    frame: Frame, seed: int, largest: int, border: Any
) -> None:
    rotate = Rotate(degrees=abs(largest) / 100, border=border, fill="noise")
    made, draw = check_step(rotate, image(seed, frame), seed)
    assert made.shape == (*frame, 3)
    assert abs(draw.angle) <= abs(largest)
    assert (draw.fill is None) == (border == "reflect")


@given(frames, seeds, st.sampled_from([None, (1, 2, 3)]))
def test_no_turn_and_a_half_turn_are_exact(frame: Frame, seed: int, fill: Any) -> None:
    picture = image(seed, frame)
    assert np.array_equal(turned(picture, 0, fill), picture)
    for angle in (-18_000, 18_000):
        assert np.array_equal(turned(picture, angle, fill), picture[::-1, ::-1])


@given(st.integers(1, 40), seeds, st.sampled_from([None, (1, 2, 3)]))
def test_a_quarter_turn_of_a_square_is_exact_and_anticlockwise(
    side: int, seed: int, fill: Any
) -> None:
    picture = image(seed, (side, side))
    assert np.array_equal(turned(picture, 9_000, fill), np.rot90(picture))
    assert np.array_equal(turned(picture, -9_000, fill), np.rot90(picture, -1))


@given(small_frames, angles)
def test_mirrored_corners_show_the_place_they_mirror(frame: Frame, angle: int) -> None:
    made = turned(slope(frame), angle)
    for y in range(frame.height):
        for x in range(frame.width):
            across, down = place(frame, angle, x, y)
            wanted = 8 * mirrored(across, frame.width) + 7 * mirrored(down, frame.height)
            # Places are rounded to 1/32 pixels and values to whole numbers.
            assert abs(int(made[y, x, 0]) - wanted) <= 15 / 64 + 0.51


@given(small_frames, angles)
def test_a_fill_begins_where_the_last_pixel_ends(frame: Frame, angle: int) -> None:
    fill = (255, 254, 253)
    made = turned(slope(frame), angle, fill)
    for y in range(frame.height):
        for x in range(frame.width):
            across, down = place(frame, angle, x, y)
            beyond = max(abs(across - (frame.width - 1) / 2) - frame.width / 2,
                         abs(down - (frame.height - 1) / 2) - frame.height / 2)  # fmt: skip
            if beyond > 1 / 32:
                assert made[y, x].tolist() == list(fill)
            elif beyond < -1 / 32:
                across = min(max(across, 0), frame.width - 1)
                down = min(max(down, 0), frame.height - 1)
                assert abs(int(made[y, x, 0]) - 8 * across - 7 * down) <= 15 / 64 + 0.51


@given(frames, seeds, angles)
def test_a_mask_says_who_owns_each_pixel_of_the_picture(
    frame: Frame, seed: int, angle: int
) -> None:
    mask = mask_of(seed, frame)
    made = turned(shown(mask), angle)[..., 0]
    owner = moved_mask(step, mask, RotateDraw(angle, None))
    # The nearest of the four pixels that are blended weighs at least a quarter.
    assert (owner[made == 255] == 1).all()
    assert (owner[made == 0] == 0).all()
    assert (owner[made > 192] == 1).all()
    assert (owner[made < 63] == 0).all()


@given(frames, seeds, angles)
def test_what_shows_the_fill_belongs_to_the_base(frame: Frame, seed: int, angle: int) -> None:
    picture = np.maximum(image(seed, frame), 1)
    draw = RotateDraw(angle, (0, 0, 0))
    made = step.apply((picture,), draw)
    everything = np.ones(frame, np.uint8)
    assert np.array_equal(moved_mask(step, everything, draw) == 1, (made > 0).all(axis=2))
    assert moved_mask(step, everything, RotateDraw(angle, None)).all()
    nothing = np.zeros(frame, np.uint8)
    assert not moved_mask(step, nothing, draw).any()


@given(st.integers(1, 40), seeds, st.sampled_from([None, (1, 2, 3)]))
def test_a_quarter_turn_of_a_square_mask_is_exact(side: int, seed: int, fill: Any) -> None:
    mask = mask_of(seed, (side, side))
    assert np.array_equal(moved_mask(step, mask, RotateDraw(9_000, fill)), np.rot90(mask))


def test_a_picture_shows_through_as_a_fill() -> None:
    picture = image(1, (20, 30))
    draw = RotateDraw(4_500, "noise:7")
    made = step.apply((picture,), draw)
    other = step.apply((picture[::-1].copy(),), draw)
    corner = moved_mask(step, np.ones((20, 30), np.uint8), draw) == 0
    assert 0.1 < corner.mean() < 0.6
    assert np.array_equal(made[corner], other[corner])
    assert len(np.unique(made[corner])) > 100


def test_angles_are_all_hundredths_in_the_range() -> None:
    draws = [Rotate(degrees=0.03).draw(Frame(4, 5), Stream("turn", index)) for index in range(200)]
    assert {draw.angle for draw in draws} == {-3, -2, -1, 0, 1, 2, 3}
    wide = [Rotate().draw(Frame(4, 5), Stream("turn", index)).angle for index in range(1000)]
    assert -1500 <= min(wide) < -1480
    assert 1480 < max(wide) <= 1500
    assert abs(sum(wide) / len(wide)) < 60


def test_the_mean_colour_is_asked_for_only_where_it_shows() -> None:
    assert not Rotate().needs_mean_colour
    rotate = Rotate(border="fill")
    assert rotate.needs_mean_colour
    known = rotate.with_mean_colour((1, 2, 3))
    assert not known.needs_mean_colour
    assert known.draw(Frame(4, 5), Stream("turn")).fill == (1, 2, 3)


def test_a_picture_too_long_to_look_up_fails_by_name() -> None:
    with pytest.raises(UnreadableImage, match="is 32767 x 1 pixels, but rotating takes at most"):
        step.draw(Frame(1, 32_767), Stream("turn"))
    picture = pattern((1, 32_766))
    assert np.array_equal(turned(picture, 18_000), picture[:, ::-1])


def test_wrong_options_are_refused_by_name() -> None:
    with pytest.raises(ParameterError, match=r"degrees is 181\.0, but must be 0 to 180 degrees"):
        Rotate(degrees=181)
    with pytest.raises(ParameterError, match="border is 'reflct', but must be one of reflect"):
        Rotate(border="reflct")  # type: ignore[arg-type]


def test_the_bytes_are_the_same_in_every_version_of_opencv() -> None:
    made = [turned(pattern((61, 90)), angle) for angle in (733, -1500, 9000, 13_337)]
    assert [hashlib.sha256(one.tobytes()).hexdigest()[:8] for one in made] == [
        "62530a1d",
        "89cfc307",
        "b9e316bd",
        "9562ea51",
    ]
