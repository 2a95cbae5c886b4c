"""Amounts in the dry run and in the summary: how much of each class there is and will be."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

import augcli
from tests.photos import class_folders, rows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

OPTIONS = [
    ["--per-class", "6"],
    ["--per-class", "max", "--originals", "copy"],
    ["--total", "30"],
    ["--copies-of", "cat=0,dog=4"],
    ["--only-classes", "emu", "--copies", "3"],
    ["--skip-classes", "emu"],
]


def by_base(out: Path, folder: str = "") -> dict[str, int]:
    """Return the outputs of each class of bases, by the folders of the sources."""
    counts: dict[str, int] = {}
    for row in rows(out):
        name = row["source_a"].removeprefix(folder).split("/")[0]
        counts[name] = counts.get(name, 0) + 1
    return counts


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
@pytest.mark.parametrize("method", ["cutout", "mixup"])
def test_the_dry_run_and_the_summary_say_what_is_made(
    cli: Cli, photos: Path, tmp_path: Path, options: list[str], method: str
) -> None:
    command = [method, photos, "--out", tmp_path / "out", *options]
    dry = cli(*command, "--dry-run")
    plan = json.loads(cli(*command, "--dry-run", "--json").out)
    end = cli(*command, "--json")
    assert end.code == 0
    summary = json.loads(end.out.splitlines()[-1])
    made = by_base(tmp_path / "out")
    assert {one["name"]: one["has"] for one in plan["classes"]} == {"cat": 4, "dog": 3, "emu": 2}
    promised = {one["name"]: one["will_have"] for one in plan["classes"]}
    assert {name: count for name, count in promised.items() if count} == made
    assert summary["per_class"] == made
    for name, count in promised.items():
        assert any(line.split()[::2] == [name, str(count)] for line in dry.out.splitlines())
    words = ", ".join(
        f"{name} {count}" for name, count in sorted(made.items(), key=lambda one: -one[1])
    )
    assert f"by class: {words}\n" in cli(*command).err


def test_the_summary_says_nothing_of_classes_where_nothing_was_asked(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    end = cli("cutout", photos, "--out", tmp_path / "out", "--copies", 2)
    assert "by class" not in end.err
    assert "class  has  will have\n  cat      4          8\n" in (
        cli("cutout", photos, "--out", tmp_path / "out", "--copies", 2, "--dry-run").out
    )


def test_failed_images_do_not_count(cli: Cli, photos: Path, tmp_path: Path) -> None:
    (photos / "emu/000.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
    end = cli("cutout", photos, "--out", tmp_path / "out", "--per-class", 4, "--fill", "black")
    assert end.code == 1
    assert "by class: cat 4, dog 4, emu 2\n" in end.err


def test_splits_have_amounts_of_their_own(cli: Cli, tmp_path: Path) -> None:
    folder, out = tmp_path / "data", tmp_path / "out"
    class_folders(folder / "train", {"cat": 4, "dog": 2})
    class_folders(folder / "val", {"cat": 1, "dog": 1})

    command = ["cutout", folder, "--out", out, "--per-class", 5, "--fill", "black"]
    lines = [line.split() for line in cli(*command, "--dry-run").out.splitlines()]
    assert ["train/cat", "4", "5"] in lines
    assert ["train/dog", "2", "5"] in lines
    assert ["val/cat", "1", "1"] in lines
    # What comes along was not asked for.
    assert "by class: cat 5, dog 5\n" in cli(*command).err


def test_soft_labels_show_their_weight(cli: Cli, photos: Path, tmp_path: Path) -> None:
    soft, out = tmp_path / "soft", tmp_path / "out"
    augcli.augment(photos, augcli.MixUp(), out=soft, workers=0)
    command = ["mixup", soft, "--out", out, "--per-class", 5]
    plan = json.loads(cli(*command, "--dry-run", "--json").out)
    assert sum(one["mass"] for one in plan["classes"]) == pytest.approx(9)
    will_mass = sum(one["will_mass"] for one in plan["classes"])
    assert will_mass == pytest.approx(sum(one["will_have"] for one in plan["classes"]))
    assert "will weigh" in cli(*command, "--dry-run").out
    end = cli(*command, "--json")
    counts = json.loads(end.out.splitlines()[-1])["per_class"]
    assert counts == {one["name"]: one["will_have"] for one in plan["classes"] if one["will_have"]}
    assert set(counts.values()) == {5}


def test_many_classes_are_shortened(cli: Cli, tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "data", {f"class {n:03}": 1 for n in range(50)}, side=4)
    command = ["cutout", folder, "--out", tmp_path / "out", "--total", 50, "--fill", "black"]
    assert "… 30 more\n" in cli(*command, "--dry-run").out
    assert "… 30 more …" in cli(*command).err


def test_a_class_of_which_nothing_was_wanted_did_not_fail(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    end = cli("cutout", photos, "--out", tmp_path / "out", "--skip-classes", "emu")
    assert "has no output" not in end.err
    shutil.rmtree(photos / "dog")
    (photos / "dog").mkdir()
    (photos / "dog/broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
    end = cli("cutout", photos, "--out", tmp_path / "again", "--skip-classes", "emu")
    assert end.err.count("has no output") == 1
    assert "class 'dog' has no output: all its images failed\n" in end.err
