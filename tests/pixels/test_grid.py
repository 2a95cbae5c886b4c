"""The grid: cells tile every frame, and the ranking of a heat map is the same everywhere."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.pixels.frame import Frame
from augcli.pixels.grid import cells_mask, edges, pool_map, ranked_cells
from tests.strategies import frames, grids_with_cells, heat_map, seeds, sides


def cell_of(place: int, side: int, grid: int) -> int:
    """Return the row or column of the cell that holds a pixel, from the definition alone."""
    # Edge i is i * side / grid rounded half up; a pixel is in the last cell that began.
    rounded = [math.floor(Fraction(i * side, grid) + Fraction(1, 2)) for i in range(grid + 1)]
    return max(i for i in range(grid) if rounded[i] <= place)


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


@given(frame=frames, chosen=grids_with_cells())
def test_cells_mask_holds_the_pixels_of_the_cells(
    frame: Frame, chosen: tuple[int, list[int]]
) -> None:
    """Every pixel is looked up on its own: no two axes are swapped, no cell overlaps."""
    grid, cells = chosen
    rows = [cell_of(y, frame.height, grid) for y in range(frame.height)]
    columns = [cell_of(x, frame.width, grid) for x in range(frame.width)]
    expected = [[int(row * grid + column in cells) for column in columns] for row in rows]
    found = cells_mask(cells, frame, grid)
    assert found.dtype == np.uint8
    assert found.tolist() == expected


@given(frame=frames, grid=st.integers(1, 9))
def test_each_pixel_is_in_exactly_one_cell(frame: Frame, grid: int) -> None:
    masks = [cells_mask([cell], frame, grid) for cell in range(grid * grid)]
    assert (np.sum(masks, axis=0, dtype=np.int64) == 1).all()


def test_a_cells_index_counts_along_rows() -> None:
    assert cells_mask([1], Frame(2, 6), grid=2).tolist() == [[0, 0, 0, 1, 1, 1], [0] * 6]


def by_hand(scores: list[float], count: int) -> tuple[int, ...]:
    """Rank by score rounded to 1/10,000 of the range, then by index."""
    low, high = min(scores), max(scores)
    steps = [round((one - low) / (high - low) * 10_000) if high > low else 0 for one in scores]
    order = sorted(range(len(scores)), key=lambda cell: (-steps[cell], cell))
    return tuple(order[:count])


@given(seed=seeds, grid=st.integers(1, 9), data=st.data())
def test_ranked_cells_are_the_best_in_order(seed: int, grid: int, data: st.DataObject) -> None:
    scores = heat_map(seed, grid)
    count = data.draw(st.integers(1, grid * grid))
    assert ranked_cells(scores, count) == by_hand(scores.ravel().tolist(), count)


@given(levels=st.lists(st.integers(0, 3), min_size=25, max_size=25), scale=st.floats(1e-3, 1e3))
def test_ranked_cells_take_ties_by_index(levels: list[int], scale: float) -> None:
    scores = (scale * np.array(levels)).astype(np.float32).reshape(5, 5)
    assert ranked_cells(scores, 25) == tuple(
        sorted(range(25), key=lambda cell: (-levels[cell], cell))
    )


def test_ranked_cells_go_by_index_where_all_scores_are_equal() -> None:
    assert ranked_cells(np.full((7, 7), 0.25, np.float32), 6) == (0, 1, 2, 3, 4, 5)


def test_scores_closer_than_a_ten_thousandth_of_the_range_are_equal() -> None:
    close = np.array([[0, 0.50001], [0.50002, 1]], np.float32)
    apart = np.array([[0, 0.5001], [0.5003, 1]], np.float32)
    assert ranked_cells(close, 3) == (3, 1, 2)
    assert ranked_cells(apart, 3) == (3, 2, 1)


@given(
    levels=st.lists(st.integers(1, 99), min_size=47, max_size=47),
    seed=seeds,
    scale=st.sampled_from([1e-4, 1.0, 1e4]),
)
def test_ranked_cells_stay_when_the_last_bits_change(
    levels: list[int], seed: int, scale: float
) -> None:
    """Scores that differ by 1/1,000,000 of the range, as between processors, rank alike."""
    scores = np.array([0, 100, *levels]) / 100
    noise = np.random.default_rng(seed).uniform(-1e-6, 1e-6, 49)
    plain, noisy = (
        (scale * one).astype(np.float32).reshape(7, 7) for one in (scores, scores + noise)
    )
    assert ranked_cells(noisy, 49) == ranked_cells(plain, 49)


def area_average(scores: list[list[float]], grid: int) -> list[list[Fraction]]:
    """Average each value by the exact area that it shares with a cell."""
    height, width = len(scores), len(scores[0])

    def overlap(value: int, cell: int, side: int) -> Fraction:
        start, stop = Fraction(cell * side, grid), Fraction((cell + 1) * side, grid)
        return max(Fraction(0), min(Fraction(value + 1), stop) - max(Fraction(value), start))

    area = Fraction(height * width, grid * grid)
    return [
        [
            sum(
                (
                    Fraction(scores[y][x]) * overlap(y, row, height) * overlap(x, column, width)
                    for y in range(height)
                    for x in range(width)
                    if overlap(y, row, height) and overlap(x, column, width)
                ),
                Fraction(0),
            )
            / area
            for column in range(grid)
        ]
        for row in range(grid)
    ]


@pytest.mark.parametrize(
    ("height", "width", "grid"),
    [(7, 7, 7), (8, 11, 7), (14, 7, 7), (5, 9, 3), (4, 4, 1), (16, 9, 8)],
)
def test_pool_map_averages_areas(height: int, width: int, grid: int) -> None:
    scores = np.random.default_rng(height * width).normal(size=(height, width)).astype(np.float32)
    expected = np.array(area_average(scores.tolist(), grid), np.float64)
    found = pool_map(scores, grid)
    assert found.dtype == np.float32
    assert found.shape == (grid, grid)
    assert np.abs(found - expected).max() < 1e-6


@given(height=sides, width=sides, grid=st.integers(1, 9), value=st.floats(-100, 100, width=32))
def test_pool_map_keeps_a_constant(height: int, width: int, grid: int, value: float) -> None:
    scores = np.full((height + grid, width + grid), value, np.float32)
    assert np.allclose(pool_map(scores, grid), value, rtol=1e-6)


@pytest.mark.parametrize("cell", [-1, 49])
def test_cells_mask_refuses_a_cell_that_is_not_on_the_grid(cell: int) -> None:
    with pytest.raises(ValueError, match="not all on a 7 x 7 grid"):
        cells_mask([0, cell], Frame(14, 14), 7)
