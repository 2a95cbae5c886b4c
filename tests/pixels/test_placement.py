"""Where a patch goes, compared with loops over all places."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.pixels.frame import Box, Frame
from augcli.pixels.grid import cell_boxes
from augcli.pixels.heat_maps import RANK_STEPS
from augcli.pixels.masks import cells_mask
from augcli.pixels.placement import quietest_box, touches
from tests.pixels.boxes import rasterised
from tests.strategies import frames, heat_map, seeds

numbers = st.integers(0, 9)


NINE = Frame(9, 9)


boxes = st.tuples(numbers, numbers, numbers, numbers)


@given(boxes, st.lists(boxes, max_size=3))
def test_touches_means_a_common_pixel(box: Box, others: list[Box]) -> None:
    common = any((rasterised(box, NINE) & rasterised(other, NINE)).any() for other in others)
    assert touches(box, others) is bool(common)


@given(frames, seeds, st.integers(1, 45), st.integers(1, 7), st.data())
def test_quietest_box_is_the_best_of_all_places(
    frame: Frame, seed: int, side: int, grid: int, data: st.DataObject
) -> None:
    count = data.draw(st.integers(0, grid * grid))
    scores = heat_map(seed, grid)
    avoided = list(range(count))
    low, high = float(scores.min()), float(scores.max())
    steps = np.rint((scores.astype(float) - low) / ((high - low) or 1) * RANK_STEPS)
    heat = np.zeros(frame)
    for cell, (x0, y0, x1, y1) in enumerate(cell_boxes(range(grid * grid), frame, grid)):
        heat[y0:y1, x0:x1] = steps.ravel()[cell]
    best_cells = cells_mask(avoided, frame, grid)
    places = []
    for top in range(max(0, frame.height - side) + 1):
        for left in range(max(0, frame.width - side) + 1):
            rows, columns = slice(top, top + side), slice(left, left + side)
            touched = int(best_cells[rows, columns].sum())
            places.append((touched, heat[rows, columns].sum(), top, left))
    _, _, top, left = min(places)
    expected = (left, top, min(frame.width, left + side), min(frame.height, top + side))
    assert quietest_box(scores, avoided, frame, side) == expected


@pytest.mark.parametrize("frame", [Frame(700, 1001), Frame(1001, 70)])
def test_quietest_box_of_a_large_picture_reaches_its_borders(frame: Frame) -> None:
    falling = np.arange(49, 0, -1, dtype=np.float32).reshape(7, 7)
    # Larger than a cell, so that only the very corner covers the least.
    left, top = max(0, frame.width - 200), max(0, frame.height - 200)
    expected = (left, top, frame.width, frame.height)
    assert quietest_box(falling, [0], frame, 200) == expected


def test_quietest_box_does_not_depend_on_the_last_bits_of_a_score() -> None:
    scores = heat_map(3)
    nudged = np.nextafter(scores, np.float32(2))
    frame = Frame(50, 71)
    assert quietest_box(nudged, [3, 4], frame, 30) == quietest_box(scores, [3, 4], frame, 30)


def test_quietest_box_takes_the_upper_left_of_equals() -> None:
    assert quietest_box(np.zeros((7, 7), np.float32), [], Frame(20, 30), 5) == (0, 0, 5, 5)
