"""Output folders that several tests look at."""

from __future__ import annotations

from pathlib import Path

import pytest

import augcli
from augcli.report.report import report
from tests.photos import class_folders
from tests.report.pages import Page
from tests.report.sets import HOSTILE, hostile_table, unequal_splits

pytest.importorskip("jinja2")


class Made:
    """An output folder, or two, and the page on them."""

    def __init__(self, place: Path, source: Path, *outs: Path) -> None:
        self.source = source
        self.out = outs[0]
        self.path = place / "page.html"
        self.bytes = report(outs, self.path, against=source).bytes
        self.page = Page.read(self.path)


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """CutMix over two splits, with originals of the one that is not augmented."""
    place = tmp_path_factory.mktemp("mixed")
    source = unequal_splits(place / "photos")
    method = augcli.CutMix(region="box")
    augcli.augment(source, method, out=place / "out", workers=0, copies=3)
    return Made(place, source, place / "out")


@pytest.fixture(scope="session")
def dropped(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Cutout over one split, as PNG, so that each pixel can be counted."""
    place = tmp_path_factory.mktemp("dropped")
    source = class_folders(place / "photos", {"cat": 4, "dog": 2})
    method = augcli.Cutout(patch=9, holes=2, fill="#ff00fe")
    augcli.augment(source, method, out=place / "out", workers=0, copies=2, format="png")
    return Made(place, source, place / "out")


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Labels and names that try to break the page."""
    place = tmp_path_factory.mktemp("hostile")
    source = hostile_table(place / "photos", HOSTILE)
    augcli.augment(source, augcli.CutMix(region="box"), out=place / "out", workers=0)
    return Made(place, source, place / "out")


@pytest.fixture(scope="session")
def compared(mixed: Made, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The same photos mixed in another way, beside the first."""
    place = tmp_path_factory.mktemp("compared")
    augcli.augment(mixed.source, augcli.MixUp(), out=place / "out", workers=0)
    return Made(place, mixed.source, mixed.out, place / "out")
