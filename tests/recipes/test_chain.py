"""Chains: one walk over the steps, whether chance or a record decides what each of them does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pytest

import augcli
from augcli.augmentations import METHODS
from augcli.augmentations.base import Augmentation, Draw
from augcli.errors import OutputError
from augcli.params import Param
from augcli.pixels.heat_maps import pool_map
from augcli.recipes.chain import Chain
from augcli.recipes.decisions import MixMaps, Subject
from augcli.recipes.recipe import Recipe, shipped_recipes
from tests.photos import picture, rows

if TYPE_CHECKING:
    from pathlib import Path

    from augcli.pixels.frame import Frame, HeatMap, Image
    from augcli.recipes.chain import Result
    from augcli.rng import Stream

RECIPES = {
    **shipped_recipes(),
    **{name: f'[[step]]\nuse = "{name}"' for name in METHODS},
    "half": '[[step]]\nuse = "cutmix"\nprob = 0.5',
    "by attention": '[[step]]\nuse = "cutmix"\nlabel_mode = "attention"',
    "two of one method": """
[[step]]
one_of = [{ use = "cutmix", region = "box" }, { use = "cutmix", top_n = 3 }]
""",
    "all around": """
[stochastic_depth]
survival = 0.6
[[step]]
use = "random-resized-crop"
size = "40x30"
[[step]]
use = "flip"
prob = 0.5
[[step]]
one_of = [{ use = "cutmix", region = "box" }, { use = "mixup" }, { use = "cutmix" }]
name = "mix"
[[step]]
use = "rotate"
[[step]]
one_of = [{ use = "cutout", patch = 4 }, { use = "cutout", patch = 9 }]
""",
}
IMAGES = {"base": picture(1, 60, 50), "donor": picture(2, 44, 70)}


def score(image: Image, grid: int) -> HeatMap:
    """Return a heat map that differs from picture to picture."""
    return pool_map(image[..., 0].astype(np.float32), grid)


def chain_of(text: str, seed: int) -> Chain:
    recipe = Recipe.parse(text)
    chain = Chain(recipe.name, recipe.steps, seed, survival=recipe.survival)
    return chain.with_mean_colour((12, 34, 56))


def made(chain: Chain) -> tuple[Result, bool]:
    """Run a chain by chance; return the result, and whether a donor gave."""
    led = {
        name: chain.lead(image, chain.chance(Subject(name, 0), score))
        for name, image in IMAGES.items()
    }
    grid = 7

    def map_of(name: str) -> HeatMap:
        return score(led[name].image, grid)

    maps = MixMaps(lambda: map_of("base"), lambda: map_of("donor"))
    chance = chain.chance(Subject("base", 0), score, maps)
    gives = chain.mixer(chance) is not None
    return chain.run(led["base"], led["donor"] if gives else None, chance), gives


@pytest.mark.parametrize("name", RECIPES)
def test_a_record_makes_the_same_picture_again(name: str) -> None:
    records = set()
    for seed in range(12):
        chain = chain_of(RECIPES[name], seed)
        result, gives = made(chain)
        record = json.dumps(chain.record(result))
        records.add(record)
        again = chain.replay(json.loads(record), IMAGES["base"], IMAGES["donor"] if gives else None)
        assert np.array_equal(again.image, result.image)
        assert json.dumps(chain.record(again)) == record
        if result.donated:
            given, total = result.donated
            assert again.donated
            assert again.donated[0] / again.donated[1] == pytest.approx(given / total, abs=1e-12)
    assert records


def test_a_record_names_the_choice_where_two_are_of_one_method() -> None:
    text = RECIPES["two of one method"]
    steps = [
        chain.record(made(chain)[0])["steps"][0]
        for chain in (chain_of(text, seed) for seed in range(20))
    ]
    assert {(step["choice"], "box" in step["draw"]) for step in steps} == {(0, True), (1, False)}


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record["steps"].pop(),
        lambda record: record["steps"][0].update(step="another"),
        lambda record: record["steps"][0].update(method="mixup"),
        lambda record: record["steps"][0].update(choice=7),
        lambda record: record["steps"][0].pop("choice"),
    ],
    ids=["a step less", "another step", "another method", "another choice", "no choice"],
)
def test_a_record_of_another_chain_is_refused(change: Any) -> None:
    chain = chain_of(RECIPES["two of one method"], 0)
    record = json.loads(json.dumps(chain.record(made(chain)[0])))
    change(record)
    with pytest.raises(ValueError, match=r"step|method"):
        chain.replay(record, IMAGES["base"], IMAGES["donor"])


def test_two_choices_of_one_method_verify(photos: Path, scorer: Path, tmp_path: Path) -> None:
    recipe = Recipe.parse(RECIPES["two of one method"], "two")
    out = tmp_path / "out"
    augcli.augment(photos, recipe, out=out, model=scorer, copies=4, workers=0)
    draws = [json.loads(row["draw"])["steps"][0]["draw"] for row in rows(out)]
    assert {"box" in draw for draw in draws} == {True, False}
    verified = augcli.verify(out, against=photos)
    assert (verified.problems, verified.identical) == ([], 36)


@dataclass(frozen=True)
class DarkenDraw(Draw):
    """By how many levels."""

    levels: int


@dataclass(frozen=True, kw_only=True)
class Darken(Augmentation[DarkenDraw]):
    """Darken each picture; a method that is in no registry."""

    name = "darken"
    paper = "none"
    draw_type = DarkenDraw

    most: Annotated[int, Param("Most levels.", 1, 100)] = 40

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> DarkenDraw:
        """Decide the levels."""
        return DarkenDraw(stream.integer(self.most))

    def apply(self, images: tuple[Image, ...], draw: DarkenDraw) -> Image:
        """Darken."""
        return np.where(images[0] > draw.levels, images[0] - draw.levels, 0).astype(np.uint8)


def test_a_method_that_is_not_registered_verifies(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    augcli.augment(photos, Darken(), out=out, format="png", workers=0)
    verified = augcli.verify(out, against=photos, recipe=Darken())
    assert (verified.problems, verified.identical) == ([], 9)
    with pytest.raises(OutputError, match="give the recipe where a method is not registered"):
        augcli.verify(out, against=photos)
    with pytest.raises(OutputError, match="was made by another recipe"):
        augcli.verify(out, against=photos, recipe=Darken(most=3))
