"""Dropout on pixels: which are dropped, what is shown, and how often."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.augmentations.dropout import Dropout, DropoutDraw
from augcli.errors import ParameterError
from augcli.pixels.frame import Frame
from augcli.rng import Stream
from tests.strategies import frames, image, seeds

fills = st.sampled_from(["black", "white", "noise", "image-mean", "#0a141e"])


@given(frames, seeds, st.floats(0, 1), st.booleans(), st.booleans(), fills)
def test_picture_is_made_again_from_json(
    frame: Frame, seed: int, drop: float, per_channel: bool, rescale: bool, fill: str
) -> None:
    dropout = Dropout(drop=drop, per_channel=per_channel, rescale=rescale, fill=fill)
    base = image(seed, frame)
    before = base.copy()
    draw = dropout.draw(frame, Stream(seed, "test"))
    made = dropout.apply((base,), draw)
    record = json.loads(json.dumps(draw.to_json()))
    # What a draw does must not depend on the options it is read with.
    assert np.array_equal(Dropout().apply((base,), DropoutDraw.from_json(record)), made)
    assert np.array_equal(base, before)
    assert made.shape == base.shape
    assert made.dtype == np.uint8


@given(frames, seeds, st.floats(0, 0.99), st.booleans(), st.booleans())
def test_pixels_are_those_of_a_loop(
    frame: Frame, seed: int, drop: float, per_channel: bool, rescale: bool
) -> None:
    base = image(seed, frame)
    draw = DropoutDraw(seed, drop, per_channel, rescale, (10, 20, 30))
    words = Stream("dropout", seed)
    expected = base.tolist()
    for row in expected:
        for pixel in row:
            dropped = words.word() < Fraction(drop) * 2**64
            for channel in range(3):
                if per_channel and channel:
                    dropped = words.word() < Fraction(drop) * 2**64
                if dropped:
                    pixel[channel] = (10, 20, 30)[channel]
                elif rescale:
                    value = Fraction(pixel[channel]) / Fraction(1 - drop)
                    pixel[channel] = min(255, math.floor(value + Fraction(1, 2)))
    assert Dropout().apply((base,), draw).tolist() == expected


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("drop", [0.02, 0.1, 0.5])
def test_share_dropped_is_nominal(drop: float, per_channel: bool) -> None:
    dropout = Dropout(drop=drop, per_channel=per_channel, fill="black")
    frame = Frame(61, 103)
    masks = [
        dropout.draw(frame, Stream(copy, "share")).mask(frame).astype(float) for copy in range(100)
    ]
    places = sum(mask.size for mask in masks)
    share = sum(mask.sum() for mask in masks) / places
    # Four standard deviations.
    assert share == pytest.approx(drop, abs=4 * math.sqrt(drop * (1 - drop) / places))


def test_channels_are_dropped_together_or_apart() -> None:
    white = np.full((40, 30, 3), 255, np.uint8)
    frame = Frame.of(white)

    def kinds(per_channel: bool) -> int:
        dropout = Dropout(drop=0.5, per_channel=per_channel, fill="black")
        made = dropout.apply((white,), dropout.draw(frame, Stream(1)))
        return len(np.unique(made.reshape(-1, 3), axis=0))

    assert (kinds(False), kinds(True)) == (2, 8)


def test_rescaling_keeps_the_mean_brightness() -> None:
    dark = np.full((200, 301, 3), 100, np.uint8)
    dropout = Dropout(drop=0.25, rescale=True, fill="black")
    made = dropout.apply((dark,), dropout.draw(Frame.of(dark), Stream(1)))
    assert np.unique(made).tolist() == [0, 133]
    assert made.mean() == pytest.approx(100, abs=1)


def test_draw_is_the_same_for_ever() -> None:
    draw = Dropout(fill="#010203").draw(Frame(32, 48), Stream(1, "golden"))
    assert draw == DropoutDraw(810102133, 0.1, False, False, (1, 2, 3))
    assert np.flatnonzero(draw.mask(Frame(3, 9))).tolist() == [18, 25, 26]


def test_small_draws_stay_small() -> None:
    draw = Dropout(drop=0.9, fill="noise").draw(Frame(4000, 6000), Stream(1))
    assert len(json.dumps(draw.to_json())) < 120


@pytest.mark.parametrize(
    ("drop", "frame", "remark"),
    [
        (0.0, Frame(50, 70), "nothing is dropped"),
        (1e-9, Frame(5, 7), "nothing is dropped"),
        (0.1, Frame(50, 70), None),
        (1.0, Frame(1, 1), None),
    ],
)
def test_remark_tells_where_nothing_is_dropped(
    drop: float, frame: Frame, remark: str | None
) -> None:
    dropout = Dropout(drop=drop, fill="black")
    assert dropout.remark(dropout.draw(frame, Stream(1)), frame) == remark


@pytest.mark.parametrize("drop", [-0.1, 1.1, float("nan"), "much"])
def test_drop_is_a_probability(drop: float) -> None:
    with pytest.raises(ParameterError, match=r"^drop is "):
        Dropout(drop=drop)
