"""Pictures that are nearly black, or of one colour."""

from __future__ import annotations

import numpy as np
import pytest

from augcli.pixels.blank import BLACK, blank_kind
from tests.photos import picture


def noise(low: int, high: int) -> np.ndarray:
    return np.random.default_rng(1).integers(low, high + 1, (40, 50, 3), np.uint8)


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (noise(0, BLACK), "black"),
        (noise(0, BLACK + 9), ""),
        (noise(200, 208), "one colour"),
        (noise(200, 220), ""),
        (picture(1, 30, 30), ""),
    ],
)
def test_levels_decide(image: np.ndarray, kind: str) -> None:
    assert blank_kind(image) == kind


def test_a_few_bright_pixels_leave_a_picture_black() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    image[0, :90] = 255
    assert blank_kind(image) == "black"
    image[1:3, :90] = 255
    assert blank_kind(image) == ""


def test_a_small_mark_is_no_blank_page() -> None:
    image = np.full((200, 200, 3), 255, np.uint8)
    image[5, 5] = 0
    assert blank_kind(image) == ""


def test_a_colour_may_be_any() -> None:
    image = np.zeros((9, 9, 3), np.uint8)
    image[:] = (200, 0, 90)
    assert blank_kind(image) == "one colour"
