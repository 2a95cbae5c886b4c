"""Recipes: read with care, run like commands, the same bytes however they are made."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import augcli
from augcli.augmentations import METHODS, REGISTRY
from augcli.errors import RecipeError
from augcli.params import declared
from augcli.recipes.recipe import CHOICE_KEYS, STEP_KEYS, Recipe, shipped_recipes
from augcli.recipes.schema import recipe_schema
from tests.command import start, wait_for
from tests.photos import class_folders, read, rows, tree

if TYPE_CHECKING:
    from tests.conftest import Cli

STEP = '[[step]]\nuse = "cutout"\n'


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """INPUT of several shards."""
    folder = tmp_path_factory.mktemp("input") / "photos"
    return class_folders(folder, {"cat": 30, "dog": 28, "emu": 22}, side=16)


@pytest.fixture(params=sorted(shipped_recipes()))
def shipped(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The file of a recipe that comes with augcli."""
    path = tmp_path / f"{request.param}.toml"
    path.write_text(shipped_recipes()[request.param], encoding="utf-8")
    return path


@pytest.mark.parametrize("name", [one.name for one in REGISTRY])
def test_command_recipe_and_python_make_the_same_bytes(
    cli: Cli, photos: Path, tmp_path: Path, scorer: Path, name: str
) -> None:
    model = ["--model", scorer] if METHODS[name].can_score else []
    written = cli(name, "--seed", 3, "--copies", 2, "--print-recipe")
    (tmp_path / "same.toml").write_text(written.out, encoding="utf-8")
    ends = [
        cli(name, photos, "-o", tmp_path / "command", "--seed", 3, "--copies", 2, *model),
        cli("run", tmp_path / "same.toml", photos, "-o", tmp_path / "recipe", *model),
    ]
    options: dict[str, Any] = {"model": scorer} if model else {}
    augcli.augment(
        photos, METHODS[name](), out=tmp_path / "api", seed=3, copies=2, workers=0, **options
    )
    assert [end.code for end in ends] == [0, 0]
    assert tree(tmp_path / "recipe") == tree(tmp_path / "command")
    assert tree(tmp_path / "api") == tree(tmp_path / "command")


def test_recipe_gives_the_same_bytes_for_other_workers_and_after_a_kill(
    cli: Cli, many: Path, shipped: Path, tmp_path: Path
) -> None:
    found = {}
    for workers in (0, 1, 2):
        out = tmp_path / str(workers)
        assert cli("run", shipped, many, "-o", out, "--workers", workers).code == 0
        found[workers] = tree(out)
    killed = tmp_path / "killed"
    process = start("run", shipped, many, "-o", killed, "--workers", 1, start_new_session=True)
    parts = killed / ".augcli/parts"
    wait_for(lambda: process.poll() is not None or (parts.is_dir() and any(parts.iterdir())))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert cli("run", shipped, many, "-o", killed).code == 0
    assert [found[1] == found[0], found[2] == found[0], tree(killed) == found[0]] == [True] * 3


def test_shipped_recipes_survive_a_trip_through_toml(shipped: Path) -> None:
    recipe = Recipe.load(shipped)
    again = Recipe.parse(recipe.to_toml())
    assert (again.name, again.run, again.survival) == (recipe.name, recipe.run, recipe.survival)
    assert again.steps == recipe.steps


TEXT = 'name = "mine"\n\n[[step]]\nuse = "cutmix"\ntop_n = 5\n'


def test_a_recipe_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(TEXT, encoding="utf-8-sig")
    assert Recipe.load(tmp_path / "r.toml") == Recipe.parse(TEXT) == Recipe.parse(f"\ufeff{TEXT}")


def test_a_recipe_of_another_encoding_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    for content, words in [
        (TEXT.encode("utf-16"), "is UTF-16 text; save it as UTF-8"),
        (
            TEXT.replace("mine", "b\xe4r").encode("cp1252"),
            "is not UTF-8 text (byte 0xe4 in line 1)",
        ),
    ]:
        path.write_bytes(content)
        with pytest.raises(RecipeError) as error:
            Recipe.load(path)
        assert str(error.value).startswith(f"recipe {path}: {words}")


def test_base_and_donor_go_through_the_steps_before_the_mixer(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "r.toml").write_text(
        '[[step]]\nuse = "flip"\n[[step]]\nuse = "cutmix"\nregion = "cells"\n', encoding="utf-8"
    )
    out = tmp_path / "out"
    cli("run", tmp_path / "r.toml", photos, "-o", out, "--format", "png", "--size", "28x28")
    for row in rows(out):
        record = json.loads(row["draw"])
        assert [step["step"] for step in record["steps"]] == ["flip", "cutmix"]
        assert [step["step"] for step in record["donor_steps"]] == ["flip"]
        cells = record["steps"][1]["draw"]["cells"]
        shown = read(out / row["file_name"])
        flipped = [_flipped(photos / row[key]) for key in ("source_a", "source_b")]
        for cell in range(49):
            top, left = cell // 7 * 4, cell % 7 * 4
            place = np.s_[top : top + 4, left : left + 4]
            assert np.array_equal(shown[place], flipped[cell in cells][place])


def _flipped(path: Path) -> np.ndarray[Any, Any]:
    from augcli.data.codecs.decoding import decode
    from augcli.pixels.frame import Frame
    from augcli.pixels.resize import resize

    return resize(decode(path.read_bytes()).image, Frame(28, 28))[:, ::-1]


def test_weights_follow_a_crop_after_the_mix(cli: Cli, photos: Path, tmp_path: Path) -> None:
    """A crop changes what is to be seen of the donor; verify recounts it from the draws."""
    (tmp_path / "r.toml").write_text(
        '[[step]]\nuse = "cutmix"\nregion = "cells"\ntop_n = 12\n'
        '[[step]]\nuse = "random-resized-crop"\nsize = "20x20"\nscale = "0.2,0.4"\n',
        encoding="utf-8",
    )
    out = tmp_path / "out"
    cli("run", tmp_path / "r.toml", photos, "-o", out, "--pair", "different", "--copies", 4)
    weights = {float(row["weight_b"]) for row in rows(out)}
    assert all(abs(weight * 400 - round(weight * 400)) < 1e-9 for weight in weights)
    assert len(weights) > 10
    assert augcli.verify(out, against=photos).problems == []


def test_stochastic_depth_skips_later_steps_more_often(
    cli: Cli, many: Path, tmp_path: Path
) -> None:
    steps = '[[step]]\nuse = "flip"\n' * 4
    (tmp_path / "r.toml").write_text(f"[stochastic_depth]\nsurvival = 0.2\n{steps}")
    cli("run", tmp_path / "r.toml", many, "-o", tmp_path / "out", "--copies", 5)
    records = [json.loads(row["draw"])["steps"] for row in rows(tmp_path / "out")]
    kept = [sum("skipped" not in one[step] for one in records) / 400 for step in range(4)]
    # p_l = 1 - l / 4 * 0.8; four standard errors of 400 draws are at most 0.1.
    assert np.abs(np.array(kept) - [0.8, 0.6, 0.4, 0.2]).max() < 0.1


def test_one_of_draws_by_weight(cli: Cli, many: Path, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(
        "[[step]]\nprob = 0.5\n"
        'one_of = [{ use = "flip", weight = 3 }, { use = "cutout", fill = "black" }]\n'
    )
    cli("run", tmp_path / "r.toml", many, "-o", tmp_path / "out", "--copies", 5)
    records = [json.loads(row["draw"])["steps"][0] for row in rows(tmp_path / "out")]
    used = [one.get("method", "spared") for one in records]
    shares = [used.count(name) / 400 for name in ("spared", "flip", "cutout")]
    assert np.abs(np.array(shares) - [0.5, 0.375, 0.125]).max() < 0.1


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("", 1, "has no [[step]]"),
        ("name = 'A b'\n" + STEP, 1, "name is 'A b'"),
        (STEP + "ptach = 3\n", 3, "did you mean 'patch'?"),
        (STEP + "patch = 0\n", 3, "patch is 0"),
        (STEP + STEP + "prob = 2\n", 5, "prob is 2, but must be a number from 0 to 1"),
        ('[[step]]\nuse = "cutot"\n', 2, "did you mean 'cutout'?"),
        ('[[step]]\nuse = "mixup"\n[[step]]\nuse = "cutmix"\n', 3, "the second step that mixes"),
        ("[run]\nsede = 1\n" + STEP, 2, "did you mean 'seed'?"),
        ("[run]\nseed = -1\n" + STEP, 2, "seed is -1"),
        ("[stochastic_depth]\nsurvival = 7\n" + STEP, 2, "survival is 7"),
        ("[stpe]\n" + STEP, 1, "did you mean 'step'?"),
        ('[[step]]\none_of = [{ use = "flip" }, { use = "mixup" }]\n', 2, "but not both"),
        ('[[step]]\none_of = "flip"\n', 2, "one_of must be a list of tables"),
    ],
)
def test_wrong_recipe_is_refused_with_line_and_key(text: str, line: int, found: str) -> None:
    with pytest.raises(RecipeError) as error:
        Recipe.parse(text)
    assert f"recipe, line {line}: " in str(error.value)
    assert found in str(error.value)


def test_command_line_wins_over_the_recipe(cli: Cli, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text("[run]\ncopies = 3\nseed = 5\n" + STEP)
    cli("run", tmp_path / "r.toml", photos, "-o", tmp_path / "out", "--copies", 1)
    record = json.loads((tmp_path / "out/run.json").read_text())
    assert (record["amounts"]["copies"], record["identity"]["seed"]) == (1, 5)


def test_init_writes_a_recipe_that_check_finds_right(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in shipped_recipes():
        assert cli("recipe", "init", name).out == f"{name}.toml\n"
        checked = cli("recipe", "check", f"{name}.toml")
        assert (checked.code, checked.out.startswith(f"recipe {name}: ")) == (0, True)
    again = cli("recipe", "init", "erase")
    assert (again.code, "exists already" in again.err) == (2, True)
    assert "did you mean 'erase'?" in cli("recipe", "init", "erse").err


def test_schema_knows_every_method_and_option() -> None:
    steps = recipe_schema()["properties"]["step"]["items"]["oneOf"]
    found = {
        one["properties"]["use"]["const"]: set(one["properties"])
        for one in steps
        if "use" in one["properties"]
    }
    expected = {
        name: {field.name for field in declared(method)} | {"use", "prob", "name"}
        for name, method in METHODS.items()
    }
    assert found == expected


def test_options_do_not_clash_with_the_keys_of_a_step() -> None:
    names = {field.name for method in METHODS.values() for field in declared(method)}
    assert names & {*STEP_KEYS, *CHOICE_KEYS} == set()
