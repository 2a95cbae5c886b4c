"""Heat-map mass under a mask, against a sum over pixels."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from augcli.pixels.frame import Frame
from augcli.pixels.grid import cells_mask
from augcli.pixels.mass import mass_in_mask
from tests.strategies import frames, heat_map, seeds

if TYPE_CHECKING:
    from augcli.pixels.frame import HeatMap, Mask


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
