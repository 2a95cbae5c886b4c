"""Flipping, against loops."""

from __future__ import annotations

from typing import Literal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from augcli.augmentations.flip import Flip
from augcli.pixels.frame import Frame
from tests.augmentations.steps import check_step, mask_of, moved_mask, shown
from tests.strategies import frames, image, seeds

directions = st.sampled_from(["horizontal", "vertical"])


@given(frames, seeds, directions)
def test_every_pixel_is_mirrored(
    frame: Frame, seed: int, direction: Literal["horizontal", "vertical"]
) -> None:
    picture = image(seed, frame)
    made, _ = check_step(Flip(direction=direction), picture, seed)
    for y in range(frame.height):
        for x in range(frame.width):
            across = frame.width - 1 - x if direction == "horizontal" else x
            down = y if direction == "horizontal" else frame.height - 1 - y
            assert made[y, x].tolist() == picture[down, across].tolist()


@given(frames, seeds, directions)
def test_a_mask_moves_like_the_picture_that_shows_it(
    frame: Frame, seed: int, direction: Literal["horizontal", "vertical"]
) -> None:
    step, mask = Flip(direction=direction), mask_of(seed, frame)
    made, draw = check_step(step, shown(mask), seed)
    assert np.array_equal(shown(moved_mask(step, mask, draw)), made)


@given(frames, seeds, directions)
def test_twice_is_the_picture_again(
    frame: Frame, seed: int, direction: Literal["horizontal", "vertical"]
) -> None:
    step, picture = Flip(direction=direction), image(seed, frame)
    once, draw = check_step(step, picture, seed)
    assert np.array_equal(step.apply((once,), draw), picture)
