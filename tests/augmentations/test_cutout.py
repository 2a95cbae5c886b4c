"""Cutout against the definition in its paper; ``at`` is tested in another file."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.augmentations.cutout import Cutout, CutoutDraw, cutout
from augcli.augmentations.fill import draw_fill, fill_pixels, parse_fill
from augcli.errors import ParameterError
from augcli.pixels.fills import mean_colour
from augcli.pixels.frame import Box, Frame
from augcli.rng import Stream
from tests.strategies import frames, image, seeds


class Scripted(Stream):
    """A stream that draws the given numbers, and checks what they are drawn from."""

    def __init__(self, *drawn: tuple[int, int]) -> None:
        super().__init__()
        self.drawn = list(drawn)

    def integer(self, bound: int) -> int:
        number, expected = self.drawn.pop(0)
        assert bound == expected
        return number


def erased(boxes: tuple[Box, ...], frame: Frame) -> set[tuple[int, int]]:
    """Return the (y, x) of every pixel in a box."""
    return {
        (y, x)
        for y, x in product(range(frame.height), range(frame.width))
        if any(x0 <= x < x1 and y0 <= y < y1 for x0, y0, x1, y1 in boxes)
    }


@pytest.mark.parametrize("side", [1, 2, 3, 4, 5, 7, 20])
def test_a_patch_lies_around_every_centre_and_is_clipped(side: int) -> None:
    """All pixels can be the centre: also those whose patch hangs over the border."""
    frame = Frame(5, 8)
    method = Cutout(patch=side, fill="black")
    for y, x in product(range(frame.height), range(frame.width)):
        draw = method.draw(frame, Scripted((y, frame.height), (x, frame.width)))
        top, left = y - side // 2, x - side // 2
        expected = {
            (row, column)
            for row, column in product(range(top, top + side), range(left, left + side))
            if 0 <= row < frame.height and 0 <= column < frame.width
        }
        assert erased(draw.boxes, frame) == expected
        assert (y, x) in expected


@pytest.mark.parametrize("side", [1, 2, 3, 5, 8, 9])
def test_a_patch_inside_is_whole_at_every_place(side: int) -> None:
    frame = Frame(5, 8)
    method = Cutout(patch=side, inside=True, fill="black")
    height, width = min(side, 5), min(side, 8)
    for top, left in product(range(6 - height), range(9 - width)):
        drawn = Scripted((top, 6 - height), (left, 9 - width))
        assert method.draw(frame, drawn).boxes == ((left, top, left + width, top + height),)


def test_an_odd_patch_loses_no_pixel() -> None:
    """The reference code takes half a side to both ends, which makes 14 of 15."""
    draw = Cutout(patch=15, fill="black").draw(Frame(40, 60), Scripted((20, 40), (30, 60)))
    assert draw.boxes == ((23, 13, 38, 28),)


def test_the_erased_share_is_what_the_definition_gives() -> None:
    """On 32 x 32 pixels a patch of 16 erases 19.1% on average, not 25%: some of it hangs over."""
    lengths = [min(32, centre + 8) - max(0, centre - 8) for centre in range(32)]
    exact = Fraction(sum(lengths), 32 * 32) ** 2
    assert round(float(exact), 3) == 0.191
    frame, method = Frame(32, 32), Cutout(patch=16, fill="black")
    areas = [
        (x1 - x0) * (y1 - y0)
        for number in range(4000)
        for x0, y0, x1, y1 in method.draw(frame, Stream("share", number)).boxes
    ]
    assert abs(np.mean(areas) / 1024 - float(exact)) < 0.003


def test_centres_are_uniform_over_rows_and_columns() -> None:
    frame, method = Frame(4, 6), Cutout(patch=1, fill="black")
    places = Counter(
        method.draw(frame, Stream("centres", number)).boxes[0][:2] for number in range(4800)
    )
    assert set(places) == set(product(range(6), range(4)))
    # 200 each: five deviations.
    assert max(abs(count - 200) for count in places.values()) < 5 * 200**0.5


@given(frame=frames, holes=st.integers(1, 6), side=st.integers(1, 50), seed=seeds)
def test_every_hole_is_a_patch_of_its_own(frame: Frame, holes: int, side: int, seed: int) -> None:
    stream = Stream(seed)
    one_by_one = [
        Cutout(patch=side, fill="black").draw(frame, stream).boxes[0] for _ in range(holes)
    ]
    together = Cutout(patch=side, holes=holes, fill="black").draw(frame, Stream(seed))
    assert together.boxes == tuple(one_by_one)


@given(frame=frames, seed=seeds, inside=st.booleans(), side=st.integers(1, 50))
def test_exactly_the_boxes_show_the_fill(frame: Frame, seed: int, inside: bool, side: int) -> None:
    method = Cutout(patch=side, holes=2, inside=inside, fill="#ff8001")
    before = image(seed, frame)
    draw = method.draw(frame, Stream(seed))
    after = method.apply((before,), draw)
    dropped = erased(draw.boxes, frame)
    assert dropped
    for y, x in product(range(frame.height), range(frame.width)):
        expected = [255, 128, 1] if (y, x) in dropped else before[y, x].tolist()
        assert after[y, x].tolist() == expected


@pytest.mark.parametrize(
    ("share", "frame", "side"),
    [
        (0.5, Frame(20, 40), 10),
        (0.5, Frame(40, 20), 10),
        (0.25, Frame(30, 30), 8),
        (0.001, Frame(30, 30), 1),
        (0.999, Frame(3, 3), 3),
    ],
)
def test_a_share_is_of_the_shorter_side(share: float, frame: Frame, side: int) -> None:
    x0, y0, x1, y1 = Cutout(patch=share, inside=True, fill="black").draw(frame, Stream(1)).boxes[0]
    assert (x1 - x0, y1 - y0) == (side, side)


def test_the_same_draw_is_applied_to_a_picture_of_any_content() -> None:
    draw = CutoutDraw(((1, 0, 3, 2),), (9, 8, 7))
    after = Cutout().apply((image(5, (4, 4)),), draw)
    assert after[:2, 1:3].tolist() == [[[9, 8, 7]] * 2] * 2


@pytest.mark.parametrize(
    ("word", "colour"),
    [("black", (0, 0, 0)), ("white", (255, 255, 255)), ("#102030", (16, 32, 48))],
)
def test_a_plain_fill_is_recorded_as_its_colour(word: str, colour: tuple[int, int, int]) -> None:
    assert draw_fill(word, Stream(1)) == colour
    assert fill_pixels(colour, image(1, (2, 2))) == colour


def test_the_data_sets_mean_colour_must_be_known() -> None:
    with pytest.raises(ValueError, match="mean colour of a data set"):
        Cutout().draw(Frame(8, 8), Stream(1))
    method = Cutout().with_mean_colour((1, 22, 255))
    assert (Cutout().needs_mean_colour, method.needs_mean_colour) == (True, False)
    assert method.draw(Frame(8, 8), Stream(1)).fill == (1, 22, 255)


@given(frame=frames, seed=seeds)
def test_image_mean_is_the_mean_of_the_whole_picture(frame: Frame, seed: int) -> None:
    before = image(seed, frame)
    method = Cutout(patch=3, fill="image-mean")
    draw = method.draw(frame, Stream(seed))
    after = method.apply((before,), draw)
    x0, y0, x1, y1 = draw.boxes[0]
    assert draw.fill == "image-mean"
    assert {tuple(one) for one in after[y0:y1, x0:x1].reshape(-1, 3).tolist()} == {
        mean_colour(before)
    }


@given(frame=frames, seed=seeds)
def test_noise_is_made_again_from_its_seed_alone(frame: Frame, seed: int) -> None:
    """It lies under the whole picture, so two boxes that overlap show the same."""
    drawn = draw_fill("noise", Stream(seed))
    first = fill_pixels(drawn, image(1, frame))
    second = fill_pixels(drawn, image(2, frame))
    assert isinstance(first, np.ndarray)
    assert isinstance(second, np.ndarray)
    assert (first.dtype, first.shape) == (np.dtype(np.uint8), (*frame, 3))
    assert first.tobytes() == second.tobytes()


def test_noise_of_a_seed_is_this_and_takes_all_values_equally_often() -> None:
    """The first bytes are the first word's, the lowest byte first, on every machine."""
    noise = fill_pixels("noise:7", image(1, (100, 200)))
    assert isinstance(noise, np.ndarray)
    word = Stream("noise", "noise:7").word()
    assert noise.ravel()[:8].tolist() == list(word.to_bytes(8, "little"))
    counts = np.bincount(noise.ravel(), minlength=256)
    assert abs(counts - 60_000 / 256).max() < 5 * (60_000 / 256) ** 0.5


def test_two_pictures_get_different_noise() -> None:
    drawn = {draw_fill("noise", Stream("picture", number)) for number in range(50)}
    assert len(drawn) == 50


@pytest.mark.parametrize("word", ["mean", "image-mean", "black", "white", "noise", "#0a0b0c"])
def test_fills_are_read_in_any_case(word: str) -> None:
    assert parse_fill(word.upper()) == word


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"fill": "blak"},
            "fill is 'blak', but must be mean, image-mean, black, white, noise or "
            "#rrggbb; did you mean 'black'?",
        ),
        ({"fill": "#12"}, "fill is '#12', but must be a colour such as #7b7568"),
        ({"patch": 0}, "patch is 0, but must be whole pixels such as 16"),
        ({"patch": -3}, "patch is -3, but must be whole pixels such as 16"),
        ({"patch": 1.5}, "patch is 1.5, but must be whole pixels such as 16"),
        ({"patch": float("nan")}, "patch is nan, but must be whole pixels such as 16"),
        ({"patch": "16px"}, "patch is '16px', but must be whole pixels such as 16"),
        ({"holes": 0}, "holes is 0, but must be 1 to 10000"),
    ],
)
def test_a_wrong_option_is_told(options: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        Cutout(**options)  # type: ignore[arg-type]
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(("patch", "remark"), [(100, "a patch covers the whole image"), (2, None)])
def test_a_patch_over_the_whole_image_is_remarked(patch: int, remark: str | None) -> None:
    method, frame = Cutout(patch=patch, inside=True, fill="black"), Frame(5, 7)
    assert method.remark(method.draw(frame, Stream(1)), frame) == remark


@given(frame=frames, seed=seeds)
def test_the_function_fills_one_box_of_a_copy(frame: Frame, seed: int) -> None:
    before = image(seed, frame)
    after = cutout(before, (0, 0, 1, frame.height), (1, 2, 3))
    assert after[:, :1].tolist() == [[[1, 2, 3]]] * frame.height
    assert after[:, 1:].tolist() == before[:, 1:].tolist()
    assert before.tolist() == image(seed, frame).tolist()
