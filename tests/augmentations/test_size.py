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


@pytest.mark.parametrize(
    "found",
    ["", "224", "0x4", "4x0", "4x4x4", "4 x 4", "-4x4", "1.5x2", "100000x1", 224, (4,), None],
)
def test_anything_else_is_refused_with_an_example(found: Any) -> None:
    with pytest.raises(ValueError, match="must be WIDTHxHEIGHT in pixels, such as 224x224"):
        parse_size(found)
