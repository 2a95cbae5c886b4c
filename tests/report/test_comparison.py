"""Two data sets side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import augcli
from augcli.errors import UsageError
from augcli.report.comparison import OfSources
from augcli.report.report import report
from tests.photos import class_folders, rows
from tests.report.pages import Page, number

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def outs(tmp_path: Path) -> list[Path]:
    """The same photos mixed in two ways, one of them with a class less."""
    source = class_folders(tmp_path / "photos", {"cat": 4, "dog": 3, "emu": 2})
    first, second = tmp_path / "first", tmp_path / "second"
    augcli.augment(source, augcli.CutMix(region="box", alpha=2.0), out=first, workers=0, seed=1)
    augcli.augment(
        source, augcli.CutMix(region="box"), out=second, workers=0, skip_classes="emu", copies=2
    )
    return [first, second]


def test_options_that_differ_are_listed_and_no_others(outs: list[Path], tmp_path: Path) -> None:
    report(outs, tmp_path / "page.html")
    _, *table = Page.read(tmp_path / "page.html").table("difference-table")
    assert {row[0]: row[1:] for row in table} == {
        "alpha": ["2.0", "1.0"],
        "seed": ["1", "0"],
        "copies": ["1", "2"],
        "skip_classes": ["–", "emu"],  # noqa: RUF001
    }


def test_a_data_set_compared_with_itself_has_no_difference(
    outs: list[Path], tmp_path: Path
) -> None:
    report([outs[0], outs[0]], tmp_path / "page.html")
    page = Page.read(tmp_path / "page.html")
    assert "are the same" in page.section("options").text
    for _, first, second in page.table("figure-table")[1:]:
        assert first == second


def test_class_weights_stand_side_by_side(outs: list[Path], tmp_path: Path) -> None:
    report(outs, tmp_path / "page.html")
    _, *table = Page.read(tmp_path / "page.html").table("class-table")
    for at, out in enumerate(outs, 1):
        for name in ("cat", "dog", "emu"):
            expected = sum(
                float(row[f"weight_{role}"])
                for row in rows(out)
                for role in "ab"
                if row[f"label_{role}"] == name
            )
            (row,) = [row for row in table if row[0] == name]
            assert number(row[at]) == pytest.approx(expected, abs=0.051)


def test_pictures_of_a_pair_have_the_same_base(outs: list[Path], tmp_path: Path) -> None:
    made = report(outs, tmp_path / "page.html", against=tmp_path / "photos")
    bases = [{row["file_name"]: row["source_a"] for row in rows(out)} for out in outs]
    pairs = made.to_json()["pairs"]
    assert len(pairs) == len(set(bases[0].values()) & set(bases[1].values())) > 5
    for one, other in pairs:
        assert bases[0][one] == bases[1][other]
    shown = Page.read(tmp_path / "page.html").root.one("ul", **{"class": "pairs"}).all("li")
    for item, (one, other) in zip(shown, pairs, strict=True):
        alts = [picture.attributes["alt"] for picture in item.all("img")]
        assert alts == [f"base {bases[0][one]}", one, other]


def test_common_sources_are_found_whatever_the_order(outs: list[Path]) -> None:
    listed = list(augcli.read(outs[0]).rows)
    found = []
    for order in (listed, listed[::-1]):
        kept, other = OfSources(), OfSources()
        for row in order:
            kept.add(row)
        for row in augcli.read(outs[1]).rows:
            other.add(row)
        found.append([one.row.source_a for one, _ in kept.common(other)])
    assert found[0] == found[1]


def test_three_folders_are_refused(outs: list[Path]) -> None:
    with pytest.raises(UsageError, match="compares two, but 3 are given"):
        report([*outs, outs[0]])
