"""augcli.read: rows, classes, vectors, splits and paths of an output folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

import augcli
from augcli.data.packed import PackedNames
from augcli.errors import InputError, ParameterError
from tests.photos import class_folders

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def out(photos: Path, tmp_path: Path) -> Path:
    """An output folder of mixed pictures."""
    augcli.augment(photos, augcli.MixUp(alpha=1), out=tmp_path / "out", workers=0)
    return tmp_path / "out"


def test_vectors_are_the_weights_of_the_rows(out: Path) -> None:
    data = augcli.read(out)
    assert len(data) == len(data.rows) == 9
    assert data.classes == ("cat", "dog", "emu")
    assert data.targets.dtype == np.float32
    assert data.hard.dtype == np.int64
    for row, target, hard in zip(data.rows, data.targets, data.hard, strict=True):
        weights = dict(row.label.weights)
        assert [weights.get(name, 0.0) for name in data.classes] == pytest.approx(target.tolist())
        assert data.classes[hard] == row.label.heaviest
    assert np.abs(data.targets.sum(axis=1) - 1).max() < 1e-6


def test_paths_are_those_of_the_files(out: Path) -> None:
    data = augcli.read(str(out))
    assert [path.removeprefix(f"{data.folder}/") for path in data.paths] == [
        row.file_name for row in data.rows
    ]
    assert all((out / row.file_name).samefile(path) for row, path in zip(data.rows, data.paths))  # noqa: B905


def test_soft_labels_are_read(out: Path, tmp_path: Path) -> None:
    augcli.augment(out, augcli.MixUp(alpha=1), out=tmp_path / "twice", workers=0)
    data = augcli.read(tmp_path / "twice")
    assert (data.targets > 0).sum(axis=1).max() == 3
    assert np.abs(data.targets.sum(axis=1) - 1).max() < 1e-6


def test_pictures_without_labels_have_only_zeros(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "photos", {"cat": 3})
    augcli.augment(folder / "cat", augcli.Cutout(), out=tmp_path / "out", workers=0)
    data = augcli.read(tmp_path / "out")
    assert data.targets.shape == (3, 0)
    assert data.hard.tolist() == [-1, -1, -1]


def test_splits_are_read_one_by_one(tmp_path: Path) -> None:
    for split, count in (("train", 4), ("val", 2)):
        class_folders(tmp_path / "photos" / split, {"cat": count, "dog": count})
    augcli.augment(tmp_path / "photos", augcli.MixUp(), out=tmp_path / "out", workers=0)
    data = augcli.read(tmp_path / "out")
    assert sorted(data.splits) == ["train", "val"]
    assert len(data) == 12
    assert len(augcli.read(tmp_path / "out", split="val")) == len(data.split("val")) == 4
    with pytest.raises(ParameterError, match=r"split is 'test', but .* has"):
        data.split("test")


def test_odd_class_names_are_read_exactly(tmp_path: Path) -> None:
    names = ["007", "None", "a,b", "back\\slash", "two\nlines"]
    folder = class_folders(tmp_path / "photos", {"x": 5})
    files = sorted(path.name for path in (folder / "x").iterdir())
    table = tmp_path / "labels.csv"
    cells = [f'{file},"{name}"' for file, name in zip(files, names, strict=True)]
    table.write_text("file_name,label\n" + "\n".join(cells) + "\n", encoding="utf-8")
    augcli.augment(folder / "x", augcli.Cutout(), labels=table, out=tmp_path / "o", workers=0)
    data = augcli.read(tmp_path / "o")
    assert data.classes == tuple(sorted(names))
    assert (data.targets.sum(axis=1) == 1).all()


def test_what_is_no_output_folder_is_refused(tmp_path: Path, photos: Path) -> None:
    for folder in (tmp_path / "nowhere", photos):
        with pytest.raises(InputError, match=r"metadata\.csv can't be read .*; give an output"):
            augcli.read(folder)


def test_a_run_that_is_not_complete_is_refused(out: Path) -> None:
    record = json.loads((out / "run.json").read_text())
    record["state"] = "running"
    (out / "run.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match="is not complete; run the same command again"):
        augcli.read(out)


def test_a_damaged_table_is_refused(out: Path) -> None:
    (out / "metadata.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="not what augcli writes"):
        augcli.read(out)


def test_a_class_that_classes_txt_misses_is_named(out: Path) -> None:
    (out / "classes.txt").write_text("cat\ndog\n")
    with pytest.raises(InputError, match=r"classes\.txt has no class 'emu'"):
        augcli.read(out).targets  # noqa: B018


def test_packed_names_may_be_empty() -> None:
    names = PackedNames.of(["", "é", "a"])
    assert [names.name(index) for index in range(3)] == ["", "é", "a"]
    assert len(PackedNames.of([]).ends) == 0
