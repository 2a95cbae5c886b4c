"""Tables of splits: each split folder says what it holds, by itself."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.photos import class_folders, picture, rows, save, tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

PLAIN = ("cutout", "--patch", 9, "--fill", "black")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    class_folders(folder / "train", {"cat": 4, "dog": 3})
    class_folders(folder / "val", {"cat": 2, "dog": 1})
    return folder


def lines(table: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]


def test_each_split_has_its_own_table(cli: Cli, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert cli(*PLAIN, data, "--copies", 2, "--out", out).code == 0
    for split, count in (("train", 14), ("val", 3)):
        table = lines(out / split / "metadata.jsonl")
        assert len(table) == count
        whole = [row for row in rows(out) if row["split"] == split]
        for ours, theirs in zip(table, whole, strict=True):
            assert f"{split}/{ours.pop('file_name')}" == theirs.pop("file_name")
            assert {name: str(value) for name, value in ours.items()} == theirs
    card = (out / "README.md").read_text(encoding="utf-8")
    assert '- split: train\n        path: "train/**"\n' in card
    assert '- split: val\n        path: "val/**"\n' in card
    assert "training set only" not in card
    assert cli("verify", out, "--against", data).code == 0
    assert "nothing to do" in cli(*PLAIN, data, "--copies", 2, "--out", out).err


def test_tables_of_splits_that_are_gone_go_too(cli: Cli, data: Path, tmp_path: Path) -> None:
    save(data / "test/cat/000.png", picture(3, 24, 24))
    out, clean = tmp_path / "out", tmp_path / "clean"
    assert cli(*PLAIN, data, "--out", out).code == 0
    assert (out / "test/metadata.jsonl").exists()
    shutil.rmtree(data / "test")
    assert cli(*PLAIN, data, "--out", out, "--accept-missing").code == 0
    assert cli(*PLAIN, data, "--out", clean).code == 0
    assert tree(out) == tree(clean)
    assert not (out / "test").exists()
    # Another command leaves nothing of them.
    photos = class_folders(tmp_path / "photos", {"cat": 2})
    assert cli(*PLAIN, photos, "--out", out, "--overwrite").code == 0
    assert not (out / "train").exists()


def test_a_table_that_was_removed_or_changed_is_written_again(
    cli: Cli, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert cli(*PLAIN, data, "--out", out).code == 0
    before = tree(out)
    table = out / "val/metadata.jsonl"
    for damage in (table.unlink, lambda: table.write_text("{}\n")):
        damage()
        assert cli("verify", out).code == 1
        assert cli(*PLAIN, data, "--out", out).code == 0
        assert tree(out) == before
        assert cli("verify", out).code == 0


def test_an_output_with_splits_is_an_input_again(cli: Cli, data: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert cli("mixup", data, "--out", first).code == 0
    assert cli(*PLAIN, first, "--out", second).code == 0
    assert [row["split"] for row in rows(second)].count("train") == 7


def test_without_splits_there_is_one_table(cli: Cli, photos: Path, tmp_path: Path) -> None:
    assert cli(*PLAIN, photos, "--out", tmp_path / "out").code == 0
    assert list((tmp_path / "out").rglob("*.jsonl")) == []
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert '- split: train\n        path: "**"\n    features:\n' in card
    assert "              '1': \"dog\"\n" in card


def test_splits_of_a_table_have_folders_and_tables_too(cli: Cli, tmp_path: Path) -> None:
    photos = class_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    names = sorted(str(path.relative_to(photos)) for path in photos.rglob("*.*"))
    parts = ["train", "train", "val", "train", "hold/out", "train"]
    table = tmp_path / "labels.csv"
    table.write_text(
        "file_name,label,split\n"
        + "".join(f"{name},{name[:3]},{part}\n" for name, part in zip(names, parts, strict=True))
    )
    out, again = tmp_path / "out", tmp_path / "again"
    options = (photos, "--labels", table, "--split-column", "split")
    assert cli(*PLAIN, *options, "--out", out).code == 0
    for split, folder in (("train", "train"), ("val", "val"), ("hold/out", "hold_out")):
        found = lines(out / folder / "metadata.jsonl")
        assert [row["split"] for row in found] == [split] * parts.count(split)
        assert all((out / folder / row["file_name"]).is_file() for row in found)
    assert cli("verify", out, "--against", photos, "--labels", table).code == 0
    # As INPUT its files lie in the folders of their splits, and stay there.
    assert cli(*PLAIN, out, "--out", again).code == 0
    assert {row["file_name"].partition("/")[0] for row in rows(again)} == {
        "train",
        "val",
        "hold_out",
    }
    assert all(row["file_name"].count("/") == 2 for row in rows(again))


def test_a_changed_table_of_a_split_is_named_beside_another_problem(
    cli: Cli, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert cli(*PLAIN, data, "--out", out).code == 0
    (out / "val/metadata.jsonl").write_text("{}\n")
    (out / rows(out)[0]["file_name"]).unlink()
    end = cli("verify", out)
    assert end.code == 1
    assert "val/metadata.jsonl: was changed" in end.err
    assert "can't be read" in end.err
