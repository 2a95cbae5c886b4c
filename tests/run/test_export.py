"""``augcli export``: the same images, labels and splits in another kind of output."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

import augcli
from augcli.errors import ParameterError
from tests.photos import class_folders, picture, read, rows, tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli


def labels_by_content(out: Path) -> dict[str, str]:
    return {row["sha256"]: row.get("label_a", row.get("label", "")) for row in rows(out)}


def test_images_come_back_through_all_kinds(cli: Cli, photos: Path, tmp_path: Path) -> None:
    before = sorted(path.read_bytes() for path in photos.rglob("*.*"))
    previous, seen = photos, []
    for number, to in enumerate(("webdataset", "parquet", "folder")):
        out = tmp_path / f"{number}-{to}"
        assert cli("export", previous, "--to", to, "--out", out).code == 0
        end = cli("verify", out, "--against", previous)
        assert end.code == 0, end.err
        assert "9 made again, 9 of them identical" in end.out + end.err
        seen.append(labels_by_content(out))
        previous = out
    assert seen[0] == seen[1] == seen[2]
    pictures = [path for path in previous.rglob("*.*") if path.suffix in (".jpg", ".png")]
    assert sorted(path.read_bytes() for path in pictures) == before
    assert {row["method"] for row in rows(previous)} == {"original"}
    assert "9 outputs" in cli("export", photos, "--out", tmp_path / "again").err


def test_splits_come_along(cli: Cli, tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    class_folders(data / "train", {"cat": 3, "dog": 2})
    class_folders(data / "val", {"cat": 1, "dog": 1})
    assert cli("export", data, "--to", "parquet", "--out", out).code == 0
    assert sorted(row["split"] for row in rows(out)) == ["train"] * 5 + ["val"] * 2
    assert sorted(path.name for path in out.glob("*.parquet")) == [
        "train-00000-of-00001.parquet",
        "val-00000-of-00001.parquet",
    ]
    assert cli("verify", out, "--against", data).code == 0


def test_soft_labels_of_mixed_tar_files_come_along(cli: Cli, photos: Path, tmp_path: Path) -> None:
    mixed, out = tmp_path / "mixed", tmp_path / "out"
    assert cli("mixup", photos, "--to", "webdataset", "--out", mixed).code == 0
    assert cli("export", mixed, "--out", out).code == 0
    expected = {}
    for row in rows(mixed):
        pairs = [(row[f"label_{role}"], float(row[f"weight_{role}"])) for role in "ab"]
        expected[row["sha256"]] = {name: weight for name, weight in pairs if name}
    assert {row["sha256"]: json.loads(row["label"]) for row in rows(out)} == expected


def test_arrays_become_pictures(cli: Cli, tmp_path: Path) -> None:
    images = np.stack([picture(number, 16, 16) for number in range(5)])
    np.savez(tmp_path / "set.npz", x_train=images, y_train=np.array([0, 1, 0, 1, 0]))
    out = tmp_path / "out"
    assert cli("export", tmp_path / "set.npz", "--out", out).code == 0
    pictures = [read(path) for path in sorted(out.rglob("*.png"))]
    assert len(pictures) == 5
    assert all(any(np.array_equal(one, other) for other in images) for one in pictures)
    assert cli("verify", out, "--against", tmp_path / "set.npz").code == 0


def test_a_size_encodes_anew(cli: Cli, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ("--size", 16, "--format", "png")
    assert cli("export", photos, "--out", out, *options).code == 0
    assert {read(path).shape for path in out.rglob("*.png")} == {(16, 16, 3)}
    assert cli("verify", out, "--against", photos).code == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_exports_are_the_same_for_any_number_of_workers(
    cli: Cli, photos: Path, tmp_path: Path, workers: int
) -> None:
    for number in (0, workers):
        out = tmp_path / str(number)
        assert cli("export", photos, "--to", "parquet", "--out", out, "--workers", number).code == 0
    assert tree(tmp_path / "0") == tree(tmp_path / str(workers))


def test_a_dry_run_shows_what_would_be_written(cli: Cli, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    end = cli("export", photos, "--to", "webdataset", "--out", out, "--dry-run")
    assert end.code == 0, end.err
    assert not out.exists()


def test_an_option_of_augmenting_is_refused(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="export"):
        augcli.export(photos, out=tmp_path / "out", copies=2)
