"""Hugging Face datasets: each kind of output, whole and streamed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import augcli
from tests.loaders.outputs import Loaded, check, mixed, vector_of
from tests.photos import class_folders
from tests.torch.sets import Batch

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

pytestmark = [pytest.mark.loaders, pytest.mark.filterwarnings("default")]


@pytest.fixture
def load_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The function of datasets, with a cache of its own."""
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    return datasets.load_dataset


def loaded(row: Any, classes: Any, files: Path) -> Loaded:
    """Return a row of any kind of output in one form."""
    if "json" in row:  # of a tar file
        label = row["json"]
        return Loaded(row["png"], row["cls"], vector_of(label["classes"], label["weights"], files))
    if "soft_label" in row:  # of Parquet
        return Loaded(row["image"], row["label"], row["soft_label"])
    values = [value for value in (row["label_a"], row["label_b"]) if value not in (None, "")]
    # The second class is text where a row may have none.
    names = [value if isinstance(value, str) else classes.int2str(value) for value in values]
    weights = [row["weight_a"], row["weight_b"]][: len(names)]
    return Loaded(row["image"], None, vector_of(names, weights, files))


@pytest.mark.parametrize("streaming", [False, True])
def test_each_kind_of_output_has_the_same_rows(
    out: Path, files: Path, load_dataset: Any, streaming: bool
) -> None:
    rows = load_dataset(str(out), split="train", streaming=streaming)
    classes = rows.features and rows.features.get("label_a")
    check((loaded(row, classes, files) for row in rows), files)


def test_class_names_that_look_like_something_else_stay(
    to: str, tmp_path: Path, load_dataset: Any
) -> None:
    photos = class_folders(tmp_path / "photos", {"None": 3, "test": 3, "007": 3})
    files = mixed(photos, tmp_path / "files", "folder")
    rows = load_dataset(str(mixed(photos, tmp_path / "out", to)), split="train")
    if to != "folder":
        check((loaded(row, None, files) for row in rows), files)
        return
    classes = rows.features["label_a"]
    assert classes.names == ["007", "None", "test"]
    assert len(rows) == 9
    # The docs say so, and a notice of the run: CSV has no word for this class.
    assert [row["source_a"] for row in rows if row["label_a"] is None] == [
        f"None/00{number}.{ending}" for number, ending in enumerate(("jpg", "png", "jpg"))
    ]


def test_each_split_has_its_rows_and_its_class_names(
    to: str, tmp_path: Path, load_dataset: Any
) -> None:
    for split, count in (("train", 5), ("val", 2)):
        class_folders(tmp_path / "photos" / split, {"None": count, "test": count, "007": count})
    files, out = tmp_path / "files", tmp_path / "out"
    mixed(tmp_path / "photos", files, "folder")
    mixed(tmp_path / "photos", out, to)
    rows = load_dataset(str(out))
    assert set(rows) == {"train", "val"}
    for split, part in rows.items():
        classes = part.features.get("label_a")
        check((loaded(row, classes, files) for row in part), files, split)


def test_pictures_and_vectors_of_augcli_make_a_data_set(batch: Batch, files: Path) -> None:
    datasets = pytest.importorskip("datasets")
    data = augcli.read(files)
    table = {"image": list(data.paths), "target": data.targets.tolist()}
    rows = datasets.Dataset.from_dict(table).cast_column("image", datasets.Image())
    check((Loaded(row["image"], None, row["target"]) for row in rows), files)


def test_datasets_notices_that_a_folder_was_replaced(
    tmp_path: Path, cli: Cli, load_dataset: Any
) -> None:
    photos = class_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    for patch in (8, 9):
        cli("cutout", photos, "--patch", patch, "--inside", "--overwrite")
        out = str(tmp_path / "photos-cutout")
        rows = load_dataset(out, data_files={"train": "**"}, split="train")
        boxes = [json.loads(row["draw"])["boxes"][0] for row in rows]
        assert [right - left for left, _, right, _ in boxes] == [patch] * 6


def test_every_row_is_read_with_class_names_that_look_like_splits(
    tmp_path: Path, cli: Cli, load_dataset: Any
) -> None:
    photos = class_folders(tmp_path / "photos", {"bullet_train": 2, "test": 2, "dog": 2})
    cli("cutmix", photos)
    out = str(tmp_path / "photos-cutmix")
    for options in ({}, {"data_files": {"train": "**"}}):
        assert len(load_dataset(out, split="train", **options)) == 6
