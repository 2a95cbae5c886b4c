"""An output of any kind is an INPUT again, with the same labels, splits and groups."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

import augcli
from tests.photos import class_folders

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

Facts = dict[str, tuple[dict[str, float], str, str]]
SINKS = ["folder", "webdataset", "parquet"]


def facts(out: Path) -> Facts:
    """Return label, split and group of each picture, by the hash of its bytes."""
    return {
        row.sha256: (row.label.to_json(), row.split, row.group) for row in augcli.read(out).rows
    }


@pytest.fixture
def labelled(tmp_path: Path) -> tuple[object, ...]:
    """Pictures with splits and groups from a table, as arguments."""
    photos = class_folders(tmp_path / "photos", {"cat": 6, "dog": 6})
    lines = ["file_name,label,part,patient"]
    for number, path in enumerate(sorted(photos.rglob("*.*"))):
        part = ("train", "val")[number % 3 == 0]
        lines.append(f"{path.relative_to(photos)},{path.parent.name},{part},{part}{number % 2}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    table = ("--labels", tmp_path / "labels.csv", "--split-column", "part")
    return (photos, *table, "--group-column", "patient")


@pytest.mark.parametrize("to", SINKS)
@pytest.mark.parametrize("manifest", ["csv", "parquet"])
def test_labels_splits_and_groups_come_along(
    cli: Cli, tmp_path: Path, labelled: tuple[object, ...], to: str, manifest: str
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    options = ("--to", to, "--manifest", manifest, "--format", "png", "--out", first)
    assert cli("mixup", *labelled, "--alpha", 1, *options).code == 0
    assert {split for _, split, _ in facts(first).values()} == {"train", "val"}
    assert {group for _, _, group in facts(first).values()} == {"train0", "train1", "val0", "val1"}
    end = cli("export", first, "--out", second)
    assert end.code == 0, end.err
    assert facts(second) == facts(first)
    assert cli("verify", second, "--against", first).code == 0


@pytest.mark.parametrize("to", SINKS)
def test_several_classes_at_once_come_along(cli: Cli, tmp_path: Path, to: str) -> None:
    photos = class_folders(tmp_path / "photos", {"x": 4})
    table = tmp_path / "labels.csv"
    names = sorted(path.name for path in (photos / "x").iterdir())
    labels = ["cat|dog", "cat", "dog|emu|cat", "emu"]
    lines = [f"x/{name},{label}" for name, label in zip(names, labels, strict=True)]
    table.write_text("\n".join(["file_name,label", *lines]))
    first, second = tmp_path / "first", tmp_path / "second"
    options = ("--labels", table, "--multi-label", "--to", to, "--format", "png", "--out", first)
    assert cli("cutout", photos, *options).code == 0
    assert cli("export", first, "--out", second).code == 0
    assert facts(second) == facts(first)
    assert max(sum(label.values()) for label, _, _ in facts(second).values()) == 3


@pytest.mark.parametrize("to", ["webdataset", "parquet"])
def test_containers_alone_have_their_labels(
    cli: Cli, photos: Path, tmp_path: Path, to: str
) -> None:
    """They were copied away from the manifest."""
    first, moved, second = (tmp_path / name for name in ("first", "moved", "second"))
    assert (
        cli("mixup", photos, "--alpha", 1, "--to", to, "--format", "png", "--out", first).code == 0
    )
    moved.mkdir()
    for file in first.glob("data-*"):
        shutil.copy(file, moved)
    assert cli("export", moved, "--out", second).code == 0
    for sha256, (label, _, _) in facts(second).items():
        expected = facts(first)[sha256][0]
        assert label == {name: weight for name, weight in expected.items() if weight}


def test_tables_with_wrong_weights_are_refused(cli: Cli, photos: Path, tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    first, moved = tmp_path / "first", tmp_path / "moved"
    assert cli("mixup", photos, "--to", "parquet", "--out", first).code == 0
    moved.mkdir()
    table = parquet.read_table(next(first.glob("data-*")))
    at = table.column_names.index("soft_label")
    for weights, words in (
        ([0.5, 0.1, 0.1], "no shares that sum to 1"),
        ([1.0], "has 1 weights in a row, but the names of 3 classes are known"),
    ):
        column = pa.array([weights] * len(table), pa.list_(pa.float64()))
        parquet.write_table(table.set_column(at, "soft_label", column), moved / "a.parquet")
        end = cli("export", moved, "--out", tmp_path / "out")
        assert (end.code, words in end.err) == (2, True), end.err


def test_arrays_come_back_as_they_were(
    cli: Cli, tmp_path: Path, labelled: tuple[object, ...]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    options = ("--to", "npz", "--size", 20, "--out", first)
    assert cli("mixup", *labelled, "--alpha", 1, *options).code == 0
    end = cli("export", first, "--to", "npz", "--size", 20, "--out", second)
    assert end.code == 0, end.err
    assert facts(second) == facts(first)
    assert {split for _, split, _ in facts(first).values()} == {"train", "val"}
    assert cli("verify", second, "--against", first).code == 0
    # Away from the manifest, the arrays have the labels.
    moved, third = tmp_path / "moved", tmp_path / "third"
    moved.mkdir()
    for file in first.glob("*.npz"):
        shutil.copy(file, moved)
    assert cli("export", moved, "--to", "npz", "--size", 20, "--out", third).code == 0
    for sha256, (label, split, _) in facts(third).items():
        expected, there, _ = facts(first)[sha256]
        assert split == there
        assert label.keys() == {name for name, weight in expected.items() if weight}
        assert label == pytest.approx({name: expected[name] for name in label}, abs=1e-6)


@pytest.mark.parametrize("to", ["webdataset", "parquet"])
def test_an_unfinished_output_is_no_input(cli: Cli, photos: Path, tmp_path: Path, to: str) -> None:
    out = tmp_path / "out"
    assert cli("mixup", photos, "--to", to, "--format", "png", "--out", out).code == 0
    record = (out / "run.json").read_text()
    (out / "run.json").write_text(record.replace('"complete"', '"running"'))
    end = cli("export", out, "--out", tmp_path / "more")
    assert end.code == 2
    assert "its run is not complete" in end.err
