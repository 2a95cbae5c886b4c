"""What docs/loading.md says of loaders and can't be read off a snippet that runs."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs.pages import ROOT, blocks
from tests.photos import class_folders

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


def test_datasets_notices_a_folder_that_was_made_anew(
    tmp_path: Path, cli: Cli, load_dataset: Any
) -> None:
    photos = class_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    for patch in (8, 9):
        cli("cutout", photos, "--patch", patch, "--inside", "--overwrite")
        out = str(tmp_path / "photos-cutout")
        rows = load_dataset(out, data_files={"train": "**"}, split="train")
        boxes = [json.loads(row["draw"])["boxes"][0] for row in rows]
        assert [right - left for left, _, right, _ in boxes] == [patch] * 6


def test_datasets_takes_every_row_whatever_the_classes_are_called(
    tmp_path: Path, cli: Cli, load_dataset: Any
) -> None:
    photos = class_folders(tmp_path / "photos", {"bullet_train": 2, "test": 2, "dog": 2})
    cli("cutmix", photos)
    out = str(tmp_path / "photos-cutmix")
    for options in ({}, {"data_files": {"train": "**"}}):
        assert len(load_dataset(out, split="train", **options)) == 6


@pytest.fixture
def image_folder(monkeypatch: pytest.MonkeyPatch) -> Any:
    """torchvision's ImageFolder; without its compiled part, which needs a certain torch."""
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


def test_torchvision_takes_hidden_folders_for_classes(
    tmp_path: Path, cli: Cli, image_folder: Any
) -> None:
    photos = class_folders(tmp_path / "photos", {"cat": 2, "dog": 2})
    cli("cutout", photos)
    out = str(tmp_path / "photos-cutout")
    with pytest.raises(FileNotFoundError, match=r"Found no valid file for the classes \.augcli"):
        image_folder(out)
    assert image_folder(out, allow_empty=True).class_to_idx["cat"] == 1

    page = blocks(ROOT / "docs" / "loading.md")
    (block,) = [one for one in page if "torchvision" in one.text and one.language == "python"]
    names: dict[str, Any] = {}
    exec(block.text, names)
    found = names["AugmentedFolder"](out)
    assert found.classes == ["cat", "dog"]
    assert [number for _, number in found.samples] == [0, 0, 1, 1]
