"""Hypothesis strategies that several files of tests use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from augcli.pixels.frame import Frame

if TYPE_CHECKING:
    from augcli.params import Declared
    from augcli.pixels.frame import HeatMap, Image

# The same examples on every machine and every day; no example fails for being slow.
settings.register_profile("augcli", derandomize=True, deadline=None, max_examples=60, database=None)
settings.load_profile("augcli")

sides = st.integers(1, 40)
"""Sides of pictures: smaller than a grid of 7, multiples of it, and all between."""

frames = st.builds(Frame, sides, sides)
"""Height and width of pictures, seldom squares."""

seeds = st.integers(0, 2**32 - 1)
"""What :func:`image` and :func:`heat_map` make their values from."""


def image(seed: int, frame: tuple[int, int]) -> Image:
    """Return noise, uint8 (H, W, 3); its pixels are equal only by chance."""
    return np.random.default_rng(seed).integers(0, 256, (*frame, 3), np.uint8)


def heat_map(seed: int, grid: int = 7) -> HeatMap:
    """Return a float32 (grid, grid) of uniform scores."""
    return np.random.default_rng(seed).random((grid, grid), np.float32)


def grids_with_cells(largest: int = 9) -> st.SearchStrategy[tuple[int, list[int]]]:
    """Return a grid's number of rows and a few of its cells, each once."""

    def cells(grid: int) -> st.SearchStrategy[tuple[int, list[int]]]:
        one = st.integers(0, grid * grid - 1)
        return st.tuples(st.just(grid), st.lists(one, unique=True))

    return st.integers(1, largest).flatmap(cells)


def allowed_values(field: Declared, span: int = 20) -> st.SearchStrategy[Any]:
    """Return values that a declared parameter takes, near its lower bound.

    Args:
        field: The parameter.
        span: How far from the lower bound whole numbers without need of more go.
    """
    if field.param.parse is not None:
        found: st.SearchStrategy[Any] = st.just(field.default)
    elif field.choices:
        found = st.sampled_from(field.choices)
    elif field.kind is bool:
        found = st.booleans()
    elif field.kind is int:
        low = int(field.param.minimum or 0)
        high = low + span if field.param.maximum is None else min(field.param.maximum, low + span)
        found = st.integers(low, int(high))
    elif field.kind is float:
        found = st.floats(field.param.minimum, field.param.maximum, allow_nan=False)
    elif field.kind is Path:
        found = st.just(field.default)
    else:
        found = st.text(max_size=10)
    return st.none() | found if field.optional else found
