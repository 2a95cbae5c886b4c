"""The ``size`` option: what is read, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.augmentations.size import parse_size, size_frame
from augcli.pixels.frame import Frame

anything = st.integers(1, 99_999)


@given(anything, anything)
def test_a_size_is_width_times_height(width: int, height: int) -> None:
    size = parse_size(f"{width}X{height}")
    assert size == parse_size((width, height)) == parse_size(size)
    assert size_frame(size) == Frame(height, width)


@given(anything)
def test_one_number_is_both_sides(side: int) -> None:
    assert parse_size(side) == parse_size(f" {side} ") == parse_size((side, side))


@pytest.mark.parametrize(
    "found",
    [
        "",
        "0",
        "0x4",
        "4x0",
        "4x4x4",
        "4 x 4",
        "-4x4",
        "1.5x2",
        "100000x1",
        0,
        4.0,
        True,
        (4,),
        None,
    ],
)
def test_anything_else_is_refused_with_an_example(found: Any) -> None:
    with pytest.raises(ValueError, match="must be WIDTHxHEIGHT in pixels, such as 640x480"):
        parse_size(found)
