"""Heat maps: ranking and mass are the same everywhere; matrices do what OpenCV does."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.pixels.frame import Frame
from augcli.pixels.heat_maps import (
    between,
    blur_matrix,
    centre_weights,
    mass_in_mask,
    pool_map,
    ranked_cells,
)
from augcli.pixels.masks import cells_mask
from tests.strategies import frames, heat_map, seeds, sides

if TYPE_CHECKING:
    from augcli.pixels.frame import HeatMap, Mask


def ranked_by_definition(scores: list[float], count: int) -> tuple[int, ...]:
    """Rank by score rounded to 1/10,000 of the range, then by index."""
    low, high = min(scores), max(scores)
    steps = [round((one - low) / (high - low) * 10_000) if high > low else 0 for one in scores]
    order = sorted(range(len(scores)), key=lambda cell: (-steps[cell], cell))
    return tuple(order[:count])


@given(seed=seeds, grid=st.integers(1, 9), data=st.data())
def test_ranked_cells_are_the_best_in_order(seed: int, grid: int, data: st.DataObject) -> None:
    scores = heat_map(seed, grid)
    count = data.draw(st.integers(1, grid * grid))
    assert ranked_cells(scores, count) == ranked_by_definition(scores.ravel().tolist(), count)


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


def summed(scores: HeatMap, mask: Mask) -> tuple[Fraction, Fraction]:
    """Spread each cell's score over its pixels and add them up, one by one."""
    grid = len(scores)
    highest = float(scores.max())
    inside = total = Fraction(0)
    for cell in range(grid * grid):
        score = max(0.0, float(scores.flat[cell]))
        steps = Fraction(round(score / highest * 10_000))
        ys, xs = np.nonzero(cells_mask([cell], Frame(*mask.shape), grid))
        for y, x in zip(ys.tolist(), xs.tolist(), strict=True):
            total += steps / len(ys)
            inside += steps / len(ys) * int(mask[y, x])
    return inside, total


@given(frame=frames, grid=st.integers(1, 9), seed=seeds, share=st.floats(0, 1))
def test_mass_in_mask_is_the_sum_over_its_pixels(
    frame: Frame, grid: int, seed: int, share: float
) -> None:
    scores = (heat_map(seed, grid) - 0.2).astype(np.float32)
    scores[0, 0] = 0.9
    mask = (np.random.default_rng(seed).random(frame) < share).astype(np.uint8)
    inside, total = mass_in_mask(scores, mask)
    expected, expected_total = summed(scores, mask)
    assert total == expected_total
    assert abs(inside - expected) < 1e-9
    assert mass_in_mask(scores, np.ones_like(mask)) == (total, total)
    assert mass_in_mask(scores, np.zeros_like(mask)) == (0, total)


def test_a_map_without_a_positive_score_has_no_mass() -> None:
    mask = np.ones((5, 9), np.uint8)
    assert mass_in_mask(np.zeros((3, 3), np.float32), mask) == (0, 0)
    assert mass_in_mask(np.full((3, 3), -1, np.float32), mask) == (0, 0)


def test_the_last_bits_of_scores_do_not_count() -> None:
    scores = heat_map(1)
    nudged = np.nextafter(scores, np.float32(2))
    mask = np.tri(31, 45, dtype=np.uint8)
    assert mass_in_mask(nudged, mask) == mass_in_mask(scores, mask)


def test_a_map_that_is_scaled_keeps_its_share() -> None:
    scores, mask = heat_map(2), np.tri(31, 45, dtype=np.uint8)
    assert mass_in_mask(scores * np.float32(4), mask) == mass_in_mask(scores, mask)


@pytest.mark.parametrize("side", [1, 2, 7, 14])
@pytest.mark.parametrize("sigma", [0.5, 1.2, 2.4])
def test_blurs_as_opencv_with_reflected_borders(side: int, sigma: float) -> None:
    plain = np.random.default_rng(side).random((side, side))
    blur = blur_matrix(side, sigma)
    expected = cv2.GaussianBlur(plain, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    assert blur @ plain @ blur.T == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("sigma", [0, 0.3, 1.2, 10])
def test_a_blur_changes_no_constant(sigma: float) -> None:
    assert blur_matrix(7, sigma).sum(axis=1) == pytest.approx(np.ones(7))


def test_the_middle_is_two_cells_wide_on_the_usual_grid_and_the_same_share_on_others() -> None:
    rows, columns = np.mgrid[:7, :7] - 3
    assert centre_weights(7) == pytest.approx(np.exp(-(rows**2 + columns**2) / 8))
    # Cell 5 of 21 lies where cell 1 of 7 does.
    assert centre_weights(21)[1::3, 1::3] == pytest.approx(centre_weights(7))


@pytest.mark.parametrize(("side", "grid"), [(1, 7), (4, 7), (5, 7), (7, 7), (3, 64)])
def test_enlarges_as_opencv(side: int, grid: int) -> None:
    plain = np.random.default_rng(side).random((side, side))
    matrix = between(side, grid)
    expected = cv2.resize(plain, (grid, grid), interpolation=cv2.INTER_LINEAR)
    assert matrix @ plain @ matrix.T == pytest.approx(expected, abs=1e-6)
