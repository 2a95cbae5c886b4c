"""Notices of what loaders read otherwise than it is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from augcli.data.stores.sources import Sources
from augcli.recipes.options import RunOptions
from augcli.run.loader_notices import loader_notices
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


def test_notices_come_once(cli: Cli, tmp_path: Path) -> None:
    photos, out = class_folders(tmp_path / "photos", {"None": 2, "cat": 2}), tmp_path / "out"
    options = ("cutout", photos, "--fill", "black", "--out", out)
    assert "'None': read as a missing value" in cli(*options).err
    assert "'None'" not in cli(*options, "--copies", 2).err
