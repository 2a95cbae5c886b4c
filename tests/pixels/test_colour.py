"""Grey images, and the division of values, by exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.pixels.colour import divide_values, is_grey


@pytest.mark.parametrize(
    ("pixel", "grey"),
    [((5, 5, 5), True), ((6, 5, 5), False), ((5, 6, 5), False), ((5, 5, 6), False)],
)
def test_one_coloured_pixel_is_not_grey(pixel: tuple[int, int, int], grey: bool) -> None:
    picture = np.full((3, 5, 3), 7, np.uint8)
    picture[2, 1] = pixel
    assert is_grey(picture) is grey


@given(st.floats(0.01, 1))
def test_divide_values_rounds_half_up_and_clips(divisor: float) -> None:
    values = np.arange(256, dtype=np.uint8).repeat(3).reshape(2, 128, 3)
    expected = [min(255, int(value / Fraction(divisor) + Fraction(1, 2))) for value in range(256)]
    assert divide_values(values, divisor)[..., 1].ravel().tolist() == expected


def test_divide_values_rounds_a_half_up() -> None:
    assert divide_values(np.array([[[1, 3, 5]]], np.uint8), 2.0).tolist() == [[[1, 2, 3]]]
