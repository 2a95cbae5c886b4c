"""Sides of squares: what is read, and how many pixels they are."""

from __future__ import annotations

from typing import Any

import pytest

from augcli.augmentations.sides import parse_side, side_pixels
from augcli.pixels.frame import Frame


@pytest.mark.parametrize(
    ("given", "side"), [("16", 16), (16, 16), ("0.25", 0.25), (0.25, 0.25), ("16.0", 16)]
)
def test_parse_side_takes_pixels_and_shares(given: Any, side: float) -> None:
    assert (parse_side(given), type(parse_side(given))) == (side, type(side))


@pytest.mark.parametrize("given", ["0", "-3", "1.5", "wide", "", None, "nan", "inf", [16]])
def test_parse_side_refuses_what_is_neither(given: Any) -> None:
    with pytest.raises(ValueError, match=r"^is .*, but must be whole pixels such as 16"):
        parse_side(given)


def test_side_pixels_takes_a_share_of_the_shorter_side() -> None:
    lengths = [
        side_pixels(side, frame)
        for side in (500, 0.5, 0.25)
        for frame in (Frame(100, 30), Frame(30, 100), Frame(1, 1))
    ]
    assert lengths == [500, 500, 500, 15, 15, 1, 8, 8, 1]
