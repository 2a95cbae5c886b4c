"""What docs/loading.md says about loaders and its snippets don't show."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from tests.photos import class_folders

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli


@pytest.fixture
def load_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The function of datasets, with a cache of its own."""
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    return datasets.load_dataset


@pytest.mark.loaders
@pytest.mark.filterwarnings("default")
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


@pytest.mark.loaders
@pytest.mark.filterwarnings("default")
def test_datasets_reads_every_row_with_class_names_that_look_like_splits(
    tmp_path: Path, cli: Cli, load_dataset: Any
) -> None:
    photos = class_folders(tmp_path / "photos", {"bullet_train": 2, "test": 2, "dog": 2})
    cli("cutmix", photos)
    out = str(tmp_path / "photos-cutmix")
    for options in ({}, {"data_files": {"train": "**"}}):
        assert len(load_dataset(out, split="train", **options)) == 6


@pytest.fixture
def image_folder(monkeypatch: pytest.MonkeyPatch) -> Any:
    """torchvision's ImageFolder, without its compiled part, which needs a certain torch."""
    pytest.importorskip("torch")
    spec = importlib.util.find_spec("torchvision")
    if not spec or not spec.submodule_search_locations:
        pytest.skip("torchvision is not installed")
    root = spec.submodule_search_locations[0]
    for name, path in (("torchvision", root), ("torchvision.datasets", f"{root}/datasets")):
        package = ModuleType(name)
        package.__path__ = [path]
        monkeypatch.setitem(sys.modules, name, package)
    for name in [name for name in sys.modules if name.startswith("torchvision.")]:
        if name != "torchvision.datasets":
            monkeypatch.delitem(sys.modules, name)
    folders: Any = importlib.import_module("torchvision.datasets.folder")
    vars(sys.modules["torchvision.datasets"])["ImageFolder"] = folders.ImageFolder
    return folders.ImageFolder


def test_a_finished_folder_has_exactly_the_class_folders(tmp_path: Path, cli: Cli) -> None:
    photos = class_folders(tmp_path / "photos", {"cat": 2, "dog": 2})
    assert cli("cutout", photos).code == 0
    # Loaders take every folder for a class, hidden ones too.
    with os.scandir(tmp_path / "photos-cutout") as entries:
        assert sorted(entry.name for entry in entries if entry.is_dir()) == ["cat", "dog"]


@pytest.mark.loaders
@pytest.mark.filterwarnings("default")
def test_torchvision_reads_the_folder_as_it_is(tmp_path: Path, cli: Cli, image_folder: Any) -> None:
    photos = class_folders(tmp_path / "photos", {"cat": 2, "dog": 2})
    cli("cutout", photos)
    data = image_folder(str(tmp_path / "photos-cutout"))
    assert data.classes == ["cat", "dog"]
    assert [number for _, number in data.samples] == [0, 0, 1, 1]
