"""Variations: what ``vary`` takes, and what it refuses in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

import augcli
from augcli.errors import ParameterError
from augcli.recipes.options import RunOptions
from augcli.recipes.recipe import Recipe
from augcli.report.previews.variation import Variation


def words(given: Any, method: Any) -> list[str]:
    recipe = method if isinstance(method, Recipe) else Recipe.of(method)
    return [words for words, *_ in Variation.of(given).applied(recipe, RunOptions())]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("top_n=3, 6", ["top_n=3", "top_n=6"]),
        ("--top-n=3", ["top_n=3"]),
        # A range is one value where the option takes ranges, and counts where it does not.
        ("top_n=3..9,12", ["top_n=3..9", "top_n=12"]),
        ("seed=2..4", ["seed=2", "seed=3", "seed=4"]),
        ({"grid": (5, 7)}, ["grid=5", "grid=7"]),
        ({"seed": range(2)}, ["seed=0", "seed=1"]),
    ],
)
def test_takes_values_as_they_are_written(given: Any, expected: list[str]) -> None:
    assert words(given, augcli.CutMix()) == expected


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("top_n", "must be an option and its values"),
        ("top_n=", "must be an option and its values"),
        ("=3", "must be an option and its values"),
        ({"top_n": "3,6"}, "must be an option and its values"),
        ({}, "must be an option and its values"),
        (3, "must be an option and its values"),
        ("topn=3", "did you mean 'top_n'"),
        ("workers=1,2", "names 'workers', which is no option of cutmix that can be varied"),
        ("patch=3", "names 'patch', which is no option of cutmix"),
        ("seed=0..12", "has more than 12 values"),
        ("seed=0..999999999", "has more than 12 values"),
        ("grid=0,7", "grid is 0, but must be 1 to 64"),
        ("region=box,bax", "region is 'bax', but must be one of"),
    ],
)
def test_refuses_in_a_sentence(given: Any, problem: str) -> None:
    with pytest.raises(ParameterError, match=problem):
        words(given, augcli.CutMix())


def test_an_option_of_one_step_of_a_recipe_is_found() -> None:
    recipe = Recipe.parse(
        '[[step]]\nuse = "cutout"\n[[step]]\nuse = "cutmix"\n[[step]]\nuse = "erasing"'
    )
    first, second = Variation.of("patch=3,5").applied(recipe, RunOptions())
    patches = [getattr(one[1].steps[0].augmentations[0], "patch", None) for one in (first, second)]
    assert patches == [3, 5]
    assert first[1].steps[1:] == recipe.steps[1:]
    with pytest.raises(ParameterError, match="'fill', which more than one step"):
        Variation.of("fill=black").applied(recipe, RunOptions())
