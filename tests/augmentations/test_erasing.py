"""Random Erasing: area and aspect by both laws, places, and rectangles that do not fit."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.augmentations.erasing import Erasing, ErasingDraw
from augcli.errors import ParameterError
from augcli.pixels.frame import Frame
from augcli.rng import Stream
from tests.strategies import frames, image, seeds

LARGE = Frame(3000, 5000)
Law = Literal["torchvision", "paper"]


def sides(method: Erasing, frame: Frame, count: int) -> np.ndarray:
    """Return (count, 2): heights and widths of what is drawn, all of which must fit."""
    found = []
    for copy in range(count):
        ((x0, y0, x1, y1),) = method.draw(frame, Stream(copy, "law")).boxes
        found.append((y1 - y0, x1 - x0))
    return np.array(found)


def distance(values: np.ndarray) -> float:
    """Return Kolmogorov's distance of values to the uniform law over 0 to 1."""
    ordered = np.sort(values)
    steps = np.arange(len(ordered) + 1) / len(ordered)
    return float(max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max()))


@given(
    frames, seeds, st.sampled_from(["torchvision", "paper"]), st.sampled_from(["noise", "black"])
)
def test_picture_is_made_again_from_json(frame: Frame, seed: int, law: Law, fill: str) -> None:
    method = Erasing(law=law, fill=fill)
    base = image(seed, frame)
    before = base.copy()
    draw = method.draw(frame, Stream(seed, "test"))
    made = method.apply((base,), draw)
    record = json.loads(json.dumps(draw.to_json()))
    assert np.array_equal(Erasing().apply((base,), ErasingDraw.from_json(record)), made)
    assert np.array_equal(base, before)
    outside = np.ones(frame, bool)
    for x0, y0, x1, y1 in draw.boxes:
        assert 0 <= x0 < x1 <= frame.width
        assert 0 <= y0 < y1 <= frame.height
        assert x1 - x0 < frame.width
        assert y1 - y0 < frame.height
        outside[y0:y1, x0:x1] = False
        if fill == "black":
            assert not made[y0:y1, x0:x1].any()
    assert np.array_equal(made[outside], base[outside])


@given(frames, seeds, st.sampled_from(["torchvision", "paper"]))
def test_rectangle_is_that_of_the_plain_recipe(frame: Frame, seed: int, law: Law) -> None:
    """The recipe of torchvision and of the authors, on the same numbers."""
    stream = Stream(seed, "test")
    expected: tuple[tuple[int, int, int, int], ...] = ()
    low, high = (0.3, 3.3) if law == "torchvision" else (0.3, 1 / 0.3)
    largest = 0.33 if law == "torchvision" else 0.4
    for _ in range(100):
        area = (0.02 + (largest - 0.02) * stream.uniform()) * frame.height * frame.width
        share = stream.uniform()
        if law == "torchvision":
            aspect = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
        else:
            aspect = low + (high - low) * share
        height, width = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if height < frame.height and width < frame.width and height and width:
            top = stream.integer(frame.height - height + 1)
            left = stream.integer(frame.width - width + 1)
            expected = ((left, top, left + width, top + height),)
            break
    found = Erasing(law=law, fill="black").draw(frame, Stream(seed, "test"))
    assert found.boxes == expected


@pytest.mark.parametrize("law", ["torchvision", "paper"])
def test_area_is_uniform(law: Law) -> None:
    method = Erasing(law=law, area=(0.02, 0.18), fill="black")
    found = sides(method, LARGE, 1500)
    area = found.prod(axis=1) / (LARGE.height * LARGE.width)
    # Beyond this distance lies one sample in 100,000.
    assert distance((area - 0.02) / 0.16) < 2.47 / math.sqrt(1500)


def test_aspect_is_uniform_in_its_logarithm_by_torchvisions_law() -> None:
    found = sides(Erasing(area=(0.02, 0.18), fill="black"), LARGE, 1500)
    aspect = found[:, 0] / found[:, 1]
    way = (np.log(aspect) - math.log(0.3)) / (math.log(3.3) - math.log(0.3))
    assert distance(way) < 2.47 / math.sqrt(1500)
    assert np.mean(aspect > 1) == pytest.approx(0.498, abs=0.05)


def test_aspect_is_uniform_by_the_papers_law() -> None:
    found = sides(Erasing(law="paper", area=(0.02, 0.18), fill="black"), LARGE, 1500)
    aspect = found[:, 0] / found[:, 1]
    assert distance((aspect - 0.3) / (1 / 0.3 - 0.3)) < 2.47 / math.sqrt(1500)
    assert np.mean(aspect > 1) == pytest.approx(0.769, abs=0.05)


def test_share_dropped_is_as_the_ranges_say() -> None:
    """Small enough to fit always: the mean area is the middle of the range."""
    black, white = np.zeros((301, 502, 3), np.uint8), "#ffffff"
    method = Erasing(area=(0.02, 0.2), fill=white)
    shares = []
    for copy in range(400):
        draw = method.draw(Frame.of(black), Stream(copy, "share"))
        shares.append(method.apply((black,), draw).mean() / 255)
    deviation = 0.18 / math.sqrt(12 * 400)
    assert np.mean(shares) == pytest.approx(0.11, abs=4 * deviation)


def test_every_place_is_as_likely() -> None:
    method = Erasing(area=(0.25, 0.25), aspect=(1, 1), fill="black")
    found = Counter(
        method.draw(Frame(4, 4), Stream(copy, "place")).boxes[0][:2] for copy in range(1800)
    )
    assert sorted(found) == [(x, y) for x in range(3) for y in range(3)]
    deviation = math.sqrt(1800 * 1 / 9 * 8 / 9)
    assert all(abs(count - 200) < 4 * deviation for count in found.values())


@pytest.mark.parametrize("frame", [Frame(20, 300), Frame(300, 20)])
def test_long_pictures_are_erased_nearly_always(frame: Frame) -> None:
    """With torchvision's 10 tries one in ten of them would not be erased."""
    method = Erasing(fill="black")
    assert all(method.draw(frame, Stream(copy)).boxes for copy in range(300))


@pytest.mark.parametrize("frame", [Frame(1, 1), Frame(1, 40), Frame(40, 1)])
@pytest.mark.parametrize("law", ["torchvision", "paper"])
def test_what_does_not_fit_says_so(frame: Frame, law: Law) -> None:
    method = Erasing(law=law, fill="noise")
    draw = method.draw(frame, Stream(1))
    assert draw.boxes == ()
    assert method.remark(draw, frame) == "no rectangle fits"
    base = image(1, frame)
    assert np.array_equal(method.apply((base,), draw), base)


def test_what_fits_is_not_remarked() -> None:
    method = Erasing(fill="black")
    assert method.remark(method.draw(Frame(30, 40), Stream(1)), Frame(30, 40)) is None


@pytest.mark.parametrize(
    ("option", "value"),
    [("area", "0.4,0.02"), ("area", "0.1,2"), ("aspect", "0,1"), ("law", "mine")],
)
def test_wrong_options_are_named(option: str, value: str) -> None:
    with pytest.raises(ParameterError, match=f"^{option} is "):
        Erasing(**{option: value})  # type: ignore[arg-type]


def test_draws_are_the_same_for_ever() -> None:
    laws: tuple[Law, ...] = ("torchvision", "paper")
    draws = [
        Erasing(law=law, fill="noise").draw(Frame(320, 481), Stream(1, "golden", law))
        for law in laws
    ]
    assert draws == [
        ErasingDraw(boxes=((330, 8, 461, 64),), fill="noise:820618548"),
        ErasingDraw(boxes=((251, 7, 326, 216),), fill="noise:813239062"),
    ]
