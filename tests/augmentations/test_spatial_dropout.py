"""Spatial Dropout on colours: which channels are dropped, how often, and what is refused."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.augmentations.spatial_dropout import SpatialDropout, SpatialDropoutDraw
from augcli.errors import UnreadableImage
from augcli.pixels.frame import Frame
from augcli.rng import Stream
from tests.strategies import frames, image, seeds

FRAME = Frame(5, 8)
SUBSETS = [subset for count in range(4) for subset in itertools.combinations(range(3), count)]


def exact_law(drop: Fraction, allow_empty: bool) -> dict[tuple[int, ...], Fraction]:
    """Return the probability of each set of channels, by Bayes' rule from the plain law."""
    plain = {subset: drop ** len(subset) * (1 - drop) ** (3 - len(subset)) for subset in SUBSETS}
    if not allow_empty:
        del plain[0, 1, 2]
    total = sum(plain.values())
    return {subset: chance / total for subset, chance in plain.items()}


@given(frames, seeds, st.floats(0, 1), st.booleans(), st.sampled_from(["noise", "#0a141e"]))
def test_picture_is_made_again_from_json(
    frame: Frame, seed: int, drop: float, allow_empty: bool, fill: str
) -> None:
    dropout = SpatialDropout(drop=drop, allow_empty=allow_empty, fill=fill)
    base = image(seed, frame)
    base[0, 0] = (1, 2, 3)
    before = base.copy()
    draw = dropout.draw(frame, Stream(seed, "test"))
    made = dropout.apply((base,), draw)
    record = json.loads(json.dumps(draw.to_json()))
    again = SpatialDropout().apply((base,), SpatialDropoutDraw.from_json(record))
    assert np.array_equal(again, made)
    assert np.array_equal(base, before)
    for channel in range(3):
        kept = np.array_equal(made[..., channel], base[..., channel])
        assert kept or channel in draw.channels
        if fill != "noise" and channel in draw.channels:
            assert np.unique(made[..., channel]).tolist() == [(10, 20, 30)[channel]]


@given(st.floats(0, 1, exclude_max=True), st.booleans())
def test_chances_multiply_to_the_exact_law(drop: float, allow_empty: bool) -> None:
    dropout = SpatialDropout(drop=drop, allow_empty=allow_empty)
    law = exact_law(Fraction(drop), allow_empty)
    for subset in SUBSETS:
        chance, dropped = Fraction(1), 0
        for channel in range(3):
            here = dropout._chance(channel, dropped)
            chance *= here if channel in subset else 1 - here
            dropped += channel in subset
        assert chance == law.get(subset, 0)


@pytest.mark.parametrize("allow_empty", [False, True])
@pytest.mark.parametrize("drop", [0.2, 0.7])
def test_sets_of_channels_are_as_frequent_as_they_should_be(drop: float, allow_empty: bool) -> None:
    dropout = SpatialDropout(drop=drop, allow_empty=allow_empty, fill="black")
    count = 4000
    found = Counter(dropout.draw(FRAME, Stream(copy, "share")).channels for copy in range(count))
    for subset, chance in exact_law(Fraction(drop), allow_empty).items():
        deviation = math.sqrt(chance * (1 - chance) / count)
        assert found[subset] / count == pytest.approx(float(chance), abs=4 * deviation)
    assert set(found) <= set(exact_law(Fraction(drop), allow_empty))


def test_dropping_always_keeps_one_of_three() -> None:
    always = SpatialDropout(drop=1, fill="black")
    found = {always.draw(FRAME, Stream(copy)).channels for copy in range(60)}
    assert found == {(0, 1), (0, 2), (1, 2)}
    empty = SpatialDropout(drop=1, allow_empty=True, fill="black")
    assert empty.draw(FRAME, Stream(1)).channels == (0, 1, 2)


@pytest.mark.parametrize("channels", [(), (0,), (1, 2)])
def test_grey_pictures_are_refused_by_name(channels: tuple[int, ...]) -> None:
    grey = image(1, FRAME)
    grey[...] = grey[..., :1]
    with pytest.raises(UnreadableImage, match="is grey, but spatial-dropout"):
        SpatialDropout().apply((grey,), SpatialDropoutDraw(channels, (1, 2, 3)))


def test_image_mean_fills_each_channel_with_its_own_mean() -> None:
    picture = np.array([[[0, 10, 20], [10, 30, 60]]], np.uint8)
    made = SpatialDropout().apply((picture,), SpatialDropoutDraw((0, 2), "image-mean"))
    assert made.tolist() == [[[5, 10, 40], [5, 30, 40]]]


@pytest.mark.parametrize(
    ("channels", "remark"),
    [((), "nothing is dropped"), ((1,), None), ((0, 1, 2), "all channels are dropped")],
)
def test_remark_tells_of_nothing_and_everything(
    channels: tuple[int, ...], remark: str | None
) -> None:
    draw = SpatialDropoutDraw(channels, (1, 2, 3))
    assert SpatialDropout().remark(draw, FRAME) == remark


def test_draws_are_the_same_for_ever() -> None:
    dropout = SpatialDropout(drop=0.4, fill="#010203")
    found = [dropout.draw(FRAME, Stream(1, "golden", copy)).channels for copy in range(6)]
    assert found == [(0, 2), (0, 2), (0,), (0, 1), (1, 2), (1,)]
