"""Splits of a data set: they stay apart, and those that are not augmented come along."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.photos import class_folders, picture, rows, save, times, tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

NAMES = [
    (["train", "val"], ["train"]),
    (["train", "val", "test"], ["train"]),
    (["Training", "Validation", "eval"], ["Training"]),
    (["TRAIN", "dev"], ["TRAIN"]),
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """INPUT: train of 4 and 3, val of 2 and 1, and test without labels."""
    folder = tmp_path / "data"
    class_folders(folder / "train", {"cat": 4, "dog": 3})
    class_folders(folder / "val", {"cat": 2, "dog": 1})
    save(folder / "test/a.jpg", picture(7, 20, 20))
    return folder


@pytest.fixture
def command(data: Path, scorer: Path) -> list[object]:
    return ["cutmix", data, "--model", scorer, "--top-n", 9, "--workers", 0]


@pytest.mark.parametrize(("names", "augmented"), NAMES)
def test_splits_are_found_by_the_names_of_folders(
    cli: Cli, tmp_path: Path, names: list[str], augmented: list[str]
) -> None:
    folder, out = tmp_path / "data", tmp_path / "out"
    for name in names:
        class_folders(folder / name, {"cat": 1, "dog": 1})
    end = cli("cutout", folder, "--out", out, "--fill", "black")
    assert end.code == 0
    assert "splits: " + ", ".join(f"{name} (2)" for name in sorted(names)) in end.err
    made = {row["split"] for row in rows(out) if row["method"] == "cutout"}
    assert made == set(augmented)
    assert {row["split"] for row in rows(out)} == set(names)
    assert {row["label_a"] for row in rows(out)} == {"cat", "dog"}


def test_the_rest_comes_along_byte_for_byte(
    cli: Cli, command: list[object], data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert cli(*command, "--out", out).code == 0
    table = rows(out)
    kinds = {
        split: {row["method"] for row in table if row["split"] == split}
        for split in ("train", "val", "test")
    }
    assert kinds == {"train": {"cutmix"}, "val": {"original"}, "test": {"original"}}
    for row in table:
        assert row["file_name"].startswith(f"{row['split']}/")
        if row["split"] != "train":
            assert (out / row["file_name"]).read_bytes() == (data / row["source_a"]).read_bytes()
        else:
            assert row["source_b"].startswith("train/")
    assert [row["label_a"] for row in table if row["split"] == "test"] == [""]
    assert cli("verify", out, "--against", data).code == 0


@pytest.mark.parametrize("how", [["--rest", "encode"], ["--size", "16"], ["--format", "png"]])
def test_the_rest_is_encoded_as_outputs_are_where_that_is_asked_for(
    cli: Cli, command: list[object], data: Path, tmp_path: Path, how: list[object]
) -> None:
    out = tmp_path / "out"
    assert cli(*command, "--out", out, *how).code == 0
    rest = [row for row in rows(out) if row["split"] == "val"]
    assert len(rest) == 3
    if "--format" in how:
        assert all(row["file_name"].endswith(".png") for row in rest)
    if "--size" in how:
        assert all((row["width"], row["height"]) == ("16", "16") for row in rest)
    assert cli("verify", out, "--against", data).code == 0


def test_the_rest_can_be_skipped(cli: Cli, command: list[object], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert cli(*command, "--out", out, "--rest", "skip").code == 0
    assert {row["split"] for row in rows(out)} == {"train"}
    assert not (out / "val").exists()


def test_pairs_never_cross_a_split(
    cli: Cli, command: list[object], data: Path, tmp_path: Path
) -> None:
    shutil.rmtree(data / "test")
    out = tmp_path / "out"
    assert cli(*command, "--out", out, "--splits", "all", "--copies", 4).code == 0
    table = rows(out)
    assert {row["split"] for row in table} == {"train", "val"}
    for row in table:
        assert row["source_a"].split("/")[0] == row["source_b"].split("/")[0] == row["split"]


def test_a_split_that_is_not_there_is_named(cli: Cli, command: list[object]) -> None:
    end = cli(*command, "--splits", "fold3")
    assert end.code == 2
    assert "INPUT has no split 'fold3'; give --splits of: test, train, val" in end.err


def test_folds_are_chosen_by_number(cli: Cli, tmp_path: Path) -> None:
    folder, out = tmp_path / "data", tmp_path / "out"
    for name in ("fold_1", "fold_2", "fold_3"):
        class_folders(folder / name, {"cat": 2})
    command = ["cutout", folder, "--fill", "black", "--out", out]
    assert cli(*command).code == 2
    assert cli(*command, "--splits", "fold1,fold3").code == 0
    made = {row["split"] for row in rows(out) if row["method"] == "cutout"}
    assert made == {"fold_1", "fold_3"}


def test_splits_are_the_same_for_any_number_of_workers_and_extend(
    cli: Cli, command: list[object], data: Path, tmp_path: Path
) -> None:
    trees = []
    for workers in (0, 1, 2):
        out = tmp_path / str(workers)
        assert cli(*command, "--out", out, "--workers", workers, "--originals", "copy").code == 0
        trees.append(tree(out))
    assert trees[0] == trees[1] == trees[2]
    before = times(out)
    assert "nothing to do" in cli(*command, "--out", out, "--originals", "copy").err
    save(data / "val/cat/new.png", picture(5, 20, 20))
    assert cli(*command, "--out", out, "--originals", "copy").code == 0
    after = times(out)
    changed = {name for name in after if after[name] != before.get(name)}
    pictures = {name for name in changed if name.endswith((".jpg", ".png"))}
    assert len(pictures) == 1
    assert cli("verify", out, "--against", data).code == 0


def test_the_mean_colour_is_that_of_the_split_that_is_augmented(
    cli: Cli, data: Path, tmp_path: Path
) -> None:
    """A split for testing must leave no trace in what a network is trained on."""
    together, alone = tmp_path / "together", tmp_path / "alone"
    assert cli("cutout", data, "--out", together, "--format", "png").code == 0
    assert cli("cutout", data / "train", "--out", alone, "--format", "png").code == 0
    records = [json.loads((out / "run.json").read_text()) for out in (together, alone)]
    assert records[0]["mean_colour"] == records[1]["mean_colour"]
