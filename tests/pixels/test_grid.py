"""The grid: its cells tile every frame."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from augcli.pixels.frame import Frame
from augcli.pixels.grid import cell_boxes, cell_centre, edges
from augcli.pixels.masks import cells_mask
from tests.pixels.boxes import rasterised
from tests.strategies import frames, sides


@given(side=st.integers(1, 5000), grid=st.integers(1, 64))
def test_edges_tile_the_side_for_any_side_and_grid(side: int, grid: int) -> None:
    found = edges(side, grid).tolist()
    widths = [stop - start for start, stop in pairwise(found)]
    assert (found[0], found[-1], len(found)) == (0, side, grid + 1)
    assert set(widths) <= {side // grid, side // grid + 1}


@given(side=st.integers(1, 5000), grid=st.integers(1, 64))
def test_edges_are_the_exact_quotients_rounded_half_up(side: int, grid: int) -> None:
    exact = [Fraction(i * side, grid) for i in range(grid + 1)]
    assert edges(side, grid).tolist() == [math.floor(one + Fraction(1, 2)) for one in exact]


def test_edges_of_the_papers_own_frame_are_32_pixels_apart() -> None:
    assert edges(224, 7).tolist() == [0, 32, 64, 96, 128, 160, 192, 224]


@given(frames, st.integers(1, 9), st.data())
def test_cell_boxes_are_the_pixels_of_the_mask(
    frame: Frame, grid: int, data: st.DataObject
) -> None:
    cell = data.draw(st.integers(0, grid * grid - 1))
    (box,) = cell_boxes([cell], frame, grid)
    assert np.array_equal(rasterised(box, frame), cells_mask([cell], frame, grid))


@given(height=sides, width=sides, grid=st.integers(1, 9), number=st.integers(0, 80))
def test_cell_centre_is_the_middle_pixel_of_the_cell(
    height: int, width: int, grid: int, number: int
) -> None:
    cell, frame = number % (grid * grid), Frame(height, width)
    x, y = cell_centre(cell, frame, grid)
    assert 0 <= x < width
    assert 0 <= y < height
    mask = cells_mask([cell], frame, grid)
    if mask.any():
        assert mask[y, x] == 1
        left, right = edges(width, grid)[cell % grid : cell % grid + 2].tolist()
        # As many pixels before it as after it, or one more.
        assert (x - left) - (right - 1 - x) in (0, 1)
