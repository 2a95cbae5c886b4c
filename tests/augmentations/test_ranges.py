"""Ranges: what is read, how they are written, and the numbers that are drawn from them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.augmentations.cutmix import CutMix
from augcli.augmentations.gridmask import GridMask
from augcli.augmentations.ranges import (
    Range,
    parse_quotients,
    parse_range,
    parse_shares,
    parse_units,
)
from augcli.augmentations.resizemix import ResizeMix
from augcli.recipes.recipe import Recipe
from augcli.rng import Stream

if TYPE_CHECKING:
    from augcli.augmentations.base import Augmentation

finite = st.floats(0, exclude_min=True, allow_infinity=False)


@pytest.mark.parametrize(
    "given",
    ["0.02,0.4", " 0.02 , 0.4 ", "0.02..0.4", " 0.02 .. .4 ", (0.02, 0.4), [0.02, 0.4]],
)
def test_ranges_are_read_from_text_and_from_pairs(given: Any) -> None:
    assert parse_shares(given) == parse_quotients(given) == Range(0.02, 0.4)
    assert str(parse_shares(given)) == "0.02..0.4"


@given(finite, finite)
def test_the_text_of_a_range_reads_back_as_the_same_range(first: float, second: float) -> None:
    numbers = Range(min(first, second), max(first, second))
    assert parse_range(str(numbers), "must be …") == numbers
    assert parse_range(str(numbers).replace("..", ","), "must be …") == numbers


@pytest.mark.parametrize(
    "given",
    [
        *("0.4,0.02", "0.4", "0,1", "-1,1", "0.1,0.2,0.3", "a,b", "nan,1", "0.1,inf", 5, None),
        *("0.4..0.02", "..0.4", "0.4..", "0.1..0.2..0.3", "0.1..0.2,0.3", "0..1", ""),
        [1, 10**400],
    ],
)
def test_ranges_refuse_what_is_no_range(given: Any) -> None:
    for parse in (parse_shares, parse_quotients, parse_units):
        with pytest.raises(ValueError, match=r"^is .*, but must be "):
            parse(given)


def test_shares_end_at_the_whole_area() -> None:
    assert parse_shares("0.5,1") == (0.5, 1)
    with pytest.raises(ValueError, match=r"is 0.5,1.1, but must be two shares"):
        parse_shares("0.5,1.1")


@pytest.mark.parametrize("given", ["96..224", "2..2", "0.43..1", "0.2..0.2"])
def test_units_are_whole_pixels_or_shares(given: str) -> None:
    assert str(parse_units(given)) == given
    assert str(parse_units(given.replace("..", ","))) == given


@pytest.mark.parametrize("given", ["1,5", "96.5,224", "96,224.5", "0.5,20", "0.5..1.5"])
def test_units_refuse_a_mixture(given: str) -> None:
    with pytest.raises(ValueError, match="must be whole pixels of at least 2"):
        parse_units(given)


def test_each_draw_takes_one_word_of_the_stream() -> None:
    share = Stream("range").uniform()
    assert Range(2, 5).uniform(Stream("range")) == 2 + 3 * share
    assert math.isclose(Range(2, 5).log_uniform(Stream("range")), 2 * 2.5**share)
    assert Range(2, 5).integer(Stream("range")) == 2 + Stream("range").integer(4)


def test_draws_are_the_same_in_every_version() -> None:
    assert Range(0.1, 0.8).uniform(Stream("golden")) == 0.14967721667865624
    assert Range(0.3, 3.3).log_uniform(Stream("golden")) == 0.35565280683806877


def test_whole_numbers_are_drawn_alike_up_to_both_ends() -> None:
    stream = Stream("whole")
    counts = np.bincount([Range(3.0, 9.0).integer(stream) for _ in range(3500)], minlength=11)
    assert counts.sum() == counts[3:10].sum()
    assert ((counts[3:10] - 500) ** 2 / 500).sum() < 22.5  # chi², 1 in 1000


def test_a_range_of_one_number_always_gives_it() -> None:
    assert Range(0.5, 0.5).uniform(Stream()) == Range(0.5, 0.5).log_uniform(Stream()) == 0.5
    assert Range(4, 4).integer(Stream()) == 4


@pytest.mark.parametrize(
    ("method", "line"),
    [
        (ResizeMix(scope=(0.3, 1 / 3)), 'scope = "0.3..0.3333333333333333"'),
        (GridMask(unit=(96, 224)), 'unit = "96..224"'),
        (CutMix(top_n=Range(3, 9)), 'top_n = "3..9"'),
        (CutMix(top_n="beta:1,2.5"), 'top_n = "beta:1,2.5"'),
    ],
)
def test_a_recipe_writes_a_range_as_text_and_reads_it_back(
    method: Augmentation[Any], line: str
) -> None:
    recipe = Recipe.of(method)
    assert line in recipe.to_toml().splitlines()
    assert Recipe.parse(recipe.to_toml()).steps == recipe.steps
