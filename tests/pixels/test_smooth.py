"""Smoothing as matrices does what OpenCV does to pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from augcli.pixels.grid import between
from augcli.pixels.smooth import blur_matrix, centre_weights


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
