"""Sides and ranges as a person writes them."""

from __future__ import annotations

from typing import Any

import pytest

from augcli.augmentations.sides import (
    Range,
    parse_aspects,
    parse_shares,
    parse_side,
    parse_units,
    side_pixels,
)
from augcli.pixels.frame import Frame


@pytest.mark.parametrize(
    ("found", "side"), [("16", 16), (16, 16), ("0.25", 0.25), (0.25, 0.25), ("16.0", 16)]
)
def test_parse_side_takes_pixels_and_shares(found: Any, side: float) -> None:
    assert (parse_side(found), type(parse_side(found))) == (side, type(side))


@pytest.mark.parametrize("found", ["0", "-3", "1.5", "wide", "", None, "nan", "inf", [16]])
def test_parse_side_refuses_what_is_neither(found: Any) -> None:
    with pytest.raises(ValueError, match=r"^is .*, but must be whole pixels such as 16"):
        parse_side(found)


def test_side_pixels_takes_a_share_of_the_shorter_side() -> None:
    found = [
        side_pixels(side, frame)
        for side in (500, 0.5, 0.25)
        for frame in (Frame(100, 30), Frame(30, 100), Frame(1, 1))
    ]
    assert found == [500, 500, 500, 15, 15, 1, 8, 8, 1]


@pytest.mark.parametrize("found", ["0.02,0.4", " 0.02 , 0.4 ", (0.02, 0.4), [0.02, 0.4]])
def test_ranges_are_read_from_text_and_from_pairs(found: Any) -> None:
    assert parse_shares(found) == parse_aspects(found) == Range(0.02, 0.4)
    assert str(parse_shares(found)) == "0.02,0.4"


@pytest.mark.parametrize(
    "found", ["0.4,0.02", "0.4", "0,1", "-1,1", "0.1,0.2,0.3", "a,b", "nan,1", "0.1,inf", 5, None]
)
def test_ranges_refuse_what_is_no_range(found: Any) -> None:
    for parse in (parse_shares, parse_aspects, parse_units):
        with pytest.raises(ValueError, match=r"^is .*, but must be "):
            parse(found)


def test_shares_end_at_the_whole_area() -> None:
    assert parse_shares("0.5,1") == (0.5, 1)
    with pytest.raises(ValueError, match=r"is 0.5,1.1, but must be two shares"):
        parse_shares("0.5,1.1")


@pytest.mark.parametrize("found", ["96,224", "2,2", "0.43,1", "0.2,0.2"])
def test_units_are_whole_pixels_or_shares(found: str) -> None:
    assert str(parse_units(found)) == found


@pytest.mark.parametrize("found", ["1,5", "96.5,224", "96,224.5", "0.5,20", "0.5,1.5"])
def test_units_refuse_a_mixture(found: str) -> None:
    with pytest.raises(ValueError, match="must be whole pixels of at least 2"):
        parse_units(found)
