"""Checks that the tests of all steps of recipes share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from augcli.pixels.frame import Frame
from augcli.rng import Stream

if TYPE_CHECKING:
    from augcli.augmentations.base import Augmentation
    from augcli.pixels.frame import Image, Mask


def check_step(step: Augmentation[Any], image: Image, seed: int) -> tuple[Image, Any]:
    """Check inputs, outputs and the record of one step; return the result and the draw."""
    before = image.copy()
    image.flags.writeable = False
    draw = step.draw(Frame.of(image), Stream("step", seed))
    assert draw == step.draw(Frame.of(image), Stream("step", seed))
    made = step.apply((image,), draw)
    assert np.array_equal(image, before)
    assert made.dtype == np.uint8
    assert made.ndim == 3
    record = json.loads(json.dumps(draw.to_json()))
    again = step.draw_type.from_json(record)
    assert again == draw
    assert np.array_equal(step.apply((image,), again), made)
    return made, draw


def moved_mask(step: Augmentation[Any], mask: Mask, draw: Any) -> Mask:
    """Return a mask moved by a step, and check that its input is unchanged."""
    before = mask.copy()
    mask.flags.writeable = False
    moved = step.apply_to_mask(mask, draw)
    assert np.array_equal(mask, before)
    assert moved.dtype == np.uint8
    return moved


def mask_of(seed: int, frame: tuple[int, int]) -> Mask:
    """Return a mask (H, W) of noise, 0 or 1."""
    return np.random.default_rng(seed).integers(0, 2, frame, np.uint8)


def shown(mask: Mask) -> Image:
    """Return the picture (H, W, 3) that is white where the mask is 1, else black."""
    return np.repeat(mask[..., None] * np.uint8(255), 3, axis=2)


def pattern(frame: tuple[int, int]) -> Image:
    """Return a picture (H, W, 3) made without random numbers, for golden hashes."""
    values = np.arange(frame[0] * frame[1] * 3, dtype=np.int64)
    return (values * values * 31 % 251).astype(np.uint8).reshape(*frame, 3)
