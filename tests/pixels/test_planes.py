"""Planes: the same values, channel by channel."""

from __future__ import annotations

import numpy as np
from hypothesis import given

from augcli.pixels.frame import Frame
from augcli.pixels.planes import planes
from tests.strategies import frames, image, seeds


@given(frames, seeds)
def test_planes_are_the_scaled_channels(frame: Frame, seed: int) -> None:
    picture = image(seed, frame)
    expected = picture.transpose(2, 0, 1).astype(np.float32) * np.float32(1 / 255)
    assert np.array_equal(planes(picture, 1 / 255), expected)
    assert np.array_equal(planes(picture, 1 / 255, swap=True), expected[::-1])
