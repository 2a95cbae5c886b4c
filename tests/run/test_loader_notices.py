"""Notices of what loaders read otherwise than it is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from augcli.data.stores.sources import Sources
from augcli.recipes.options import RunOptions
from augcli.run.making.loader_notices import loader_notices
from tests.photos import class_folders

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli


def notices(*classes: str, ending: str = "jpg", **options: object) -> str:
    sources = Sources("", sorted(f"{name}/a.{ending}" for name in classes))
    sources.set_classes(path.partition("/")[0] for path in sources.paths)
    return "\n".join(loader_notices(sources, RunOptions(**options)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (("None", "cat"), "class 'None': read as a missing value"),
        (("NA", "nan", "cat"), "classes 'NA', 'nan': read as a missing value"),
        (("007", "cat"), "class '007': read as another number"),
        (("1e5", "cat"), "class '1e5': read as another number"),
        (("bullet_train", "cat"), "class 'bullet_train': taken for a split"),
        (("cat10", "cat9"), "timm numbers the classes in another order"),
        (("7", "07"), "timm gives them numbers by chance"),
    ],
)
def test_class_names_are_noticed(classes: tuple[str, ...], words: str) -> None:
    assert words in notices(*classes)


def test_usual_names_give_no_notice() -> None:
    assert notices("cat", "dog", "contest", "0", "1", "2") == ""


def test_formats_and_sizes_are_noticed() -> None:
    assert "Keras reads no WebP" in notices("cat", ending="webp")
    assert "Keras reads no WebP" in notices("cat", format="webp")
    assert notices("cat", ending="webp", format="png") == ""
    assert "less than 10 pixels" in notices("cat", size="8")
    sources = Sources("", ["cat/a.jpg", "cat/b.png"])
    sources.set_classes(["cat", "cat"])
    (text,) = loader_notices(sources, RunOptions(to="webdataset"))
    assert "several formats (jpg, png)" in text
    assert list(loader_notices(sources, RunOptions(to="parquet"))) == []


def test_a_split_without_a_class_is_noticed() -> None:
    sources = Sources("", ["train/cat/a.jpg", "train/dog/a.jpg", "val/dog/b.jpg"])
    sources.set_classes(path.split("/")[1] for path in sources.paths)
    sources.set_splits([path.split("/")[0] for path in sources.paths], ["train", "val", "test"])
    (text,) = loader_notices(sources, RunOptions())
    assert text.startswith("split val has no image of class 'cat': loaders")
    assert list(loader_notices(sources, RunOptions(to="parquet"))) == []
    sources.set_classes(["dog"] * 3)
    assert list(loader_notices(sources, RunOptions())) == []


def test_originals_that_a_random_split_would_leak_are_noticed(cli: Cli, tmp_path: Path) -> None:
    photos = class_folders(tmp_path / "photos", {"cat": 2, "dog": 2})
    options = ("cutout", photos, "--fill", "black", "--overwrite")
    warning = "a random split of OUT puts them on both sides"
    assert warning in cli(*options, "--originals", "encode").err
    assert warning not in cli(*options).err
    for split in ("train", "val"):
        class_folders(tmp_path / "split" / split, {"cat": 2, "dog": 2})
    assert warning not in cli("cutout", tmp_path / "split", "--originals", "encode").err


def test_notices_come_once(cli: Cli, tmp_path: Path) -> None:
    photos, out = class_folders(tmp_path / "photos", {"None": 2, "cat": 2}), tmp_path / "out"
    options = ("cutout", photos, "--fill", "black", "--out", out)
    assert "'None': read as a missing value" in cli(*options).err
    assert "'None'" not in cli(*options, "--copies", 2).err
