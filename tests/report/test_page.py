"""What a page is as a file: whole, small, the same each time, and harmless whatever it shows."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import augcli
from augcli.data.labels import Label
from augcli.data.manifest import MANIFEST, Columns, read_rows, write_table
from augcli.report.page import LIMIT, MARK
from augcli.report.pictures import choice
from augcli.report.report import report
from augcli.report.words import shown
from tests.photos import class_folders
from tests.report.pages import Page
from tests.report.sets import HOSTILE, change_record

if TYPE_CHECKING:
    from pathlib import Path

    from augcli.data.manifest import Row
    from tests.report.conftest import Made

every_set = pytest.mark.parametrize("which", ["mixed", "dropped", "hostile"])


@pytest.fixture
def made(which: str, request: pytest.FixtureRequest) -> Made:
    found: Made = request.getfixturevalue(which)
    return found


@every_set
def test_nothing_is_fetched_and_nothing_but_its_own_script_can_run(made: Made) -> None:
    root = made.page.root
    for element in root.all():
        for name, value in element.attributes.items():
            assert not name.startswith("on"), element
            if name in ("src", "href", "action", "srcset", "data", "poster", "xlink:href"):
                assert value.startswith(("data:image/", "#")), value
            assert name != "style", "a policy without unsafe-inline forbids it"
    (script,) = root.all("script")
    (style,) = root.all("style")
    policy = root.one("meta", **{"http-equiv": "Content-Security-Policy"}).attributes["content"]
    for element, directive in ((script, "script-src"), (style, "style-src")):
        text = "".join(str(child) for child in element.children)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    assert not re.search(r"@import|url\(", made.path.read_text(encoding="utf-8"))


@every_set
def test_ids_are_unique_and_links_lead_to_them(made: Made) -> None:
    ids = [one.attributes["id"] for one in made.page.root.all() if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    links = [one.attributes["href"][1:] for one in made.page.root.all("a")]
    assert len(links) > 10
    assert set(links) <= set(ids)
    labelled = {
        one.attributes["aria-labelledby"]
        for one in made.page.root.all()
        if "aria-labelledby" in one.attributes
    }
    assert labelled <= set(ids)


@every_set
def test_every_picture_has_its_place_before_it_is_loaded(made: Made) -> None:
    pictures = made.page.root.all("img")
    assert len(pictures) >= len(made.page.entries)
    for picture in pictures:
        assert int(picture.attributes["width"]) > 0
        assert int(picture.attributes["height"]) > 0
        assert picture.attributes["loading"] == "lazy"
        assert picture.attributes["alt"]


@every_set
def test_every_chart_has_words_and_a_table(made: Made) -> None:
    charts = [one for one in made.page.root.all("svg") if one.attributes.get("role") == "img"]
    assert len(charts) >= 2
    for chart in charts:
        assert chart.attributes["aria-label"]
        assert chart.parent
        assert chart.parent.all("table")


@every_set
def test_without_javascript_all_pictures_are_there_and_no_dead_form(made: Made) -> None:
    assert "hidden" in made.page.root.one("form").attributes
    assert all("hidden" not in entry.attributes for entry in made.page.entries)
    assert made.page.entries


@every_set
def test_a_second_report_has_the_same_bytes(made: Made, tmp_path: Path) -> None:
    report([made.out], tmp_path / "again.html", against=made.source)
    assert (tmp_path / "again.html").read_bytes() == made.path.read_bytes()
    assert made.path.read_bytes().startswith(MARK)


def test_hostile_labels_are_shown_as_text(hostile: Made) -> None:
    texts = {one.text for one in hostile.page.root.of_class("name")}
    for label in HOSTILE:
        # As tables are read: without blanks around, in composed characters.
        name = unicodedata.normalize("NFC", label.strip())
        assert " ".join(shown(name, 80).split()) in texts, label
    content = hostile.path.read_text(encoding="utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufeff]", content)
    assert hostile.page.root.one("head").one("title").text == "out: augcli report"


def rewrite(out: Path, rows: list[Row], classes: list[str]) -> None:
    """Replace the manifest of an output folder."""
    with (out / MANIFEST).open("wb") as file:
        columns = Columns()
        write_table(file, columns.names, (columns.cells(row) for row in rows))
    (out / "classes.txt").write_text("".join(f"{name}\n" for name in classes), encoding="utf-8")
    change_record(out, tables={})


def test_a_page_stays_small_with_ten_thousand_classes_and_endless_names(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "photos", {"cat": 2, "dog": 2}, side=300)
    out = tmp_path / "out"
    augcli.augment(source, augcli.MixUp(), out=out, workers=0)
    with (out / MANIFEST).open("rb") as table:
        one = next(iter(read_rows(table)))
    # Those that are shown have long names; writing as many of all would take ten seconds.
    longest = [5_000 if at < 500 else 5 for at in range(10_000)]
    classes = [f"{at:05d}{'&' * length}" for at, length in enumerate(longest)]
    rows = [
        one._replace(
            file_name=f"{at:05d}{'<' * length}",
            label=Label(((classes[at], 0.5), (classes[at - 1], 0.5))),
            source_a="'" * length + str(at),
            source_b='"' * length + str(at),
            sha256=f"{at:064x}",
            width=8,
            height=8,
        )
        for at, length in enumerate(longest)
    ]
    rewrite(out, rows, classes)
    made = report([out], tmp_path / "page.html")
    assert made.bytes <= LIMIT
    page = Page.read(tmp_path / "page.html")
    assert len(page.entries) == made.pictures == choice.MOST
    _, *listed = page.table("class-table")
    assert len(listed) == 61
    assert ["(all others)", "9,940", "9,940", "9,940.0"] in [row[:4] for row in listed]
    figures = made.to_json()
    assert len(figures["classes"]) == 10_000


@pytest.mark.parametrize(
    "draw",
    [
        *("", "null", "[]", "{}", '{"lam": [1, 0]}', '{"lam": "x"}', '{"lam": [1e400, 1]}'),
        *('{"steps": 3}', '{"cells": [1], "grid": -1}', '{"boxes": [[1]]}', "NaN", "{" * 90_000),
    ],
)
def test_a_draw_that_was_changed_by_hand_is_named_and_breaks_nothing(
    tmp_path: Path, draw: str
) -> None:
    out = tmp_path / "out"
    source = class_folders(tmp_path / "photos", {"cat": 2, "dog": 2})
    augcli.augment(source, augcli.CutMix(region="box"), out=out, workers=0)
    with (out / MANIFEST).open("rb") as table:
        rows = list(read_rows(table))
    rows[0] = rows[0]._replace(draw=draw, width=10**9, height=10**9)
    rewrite(out, rows, ["cat", "dog"])
    made = report([out], tmp_path / "page.html", against=source)
    (check,) = [one for one in made.to_json()["checks"] if one["name"] == "Rows"]
    assert check["state"] == "wrong"
    assert Page.read(tmp_path / "page.html").entries


def test_weights_that_are_no_shares_are_counted_and_weigh_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    source = class_folders(tmp_path / "photos", {"cat": 2, "dog": 2})
    augcli.augment(source, augcli.MixUp(), out=out, workers=0)
    with (out / MANIFEST).open("rb") as table:
        rows = list(read_rows(table))
    for at, weight in enumerate((float("nan"), float("inf"), -1.0, 3.0)):
        rows[at] = replace_label(rows[at], weight)
    rewrite(out, rows, ["cat", "dog"])
    figures = report([out], tmp_path / "page.html").to_json()
    assert figures["unsound"] == 4
    assert sum(one["weight"] for one in figures["classes"]) == pytest.approx(2.0)


def replace_label(row: Row, weight: float) -> Row:
    return row._replace(label=replace(row.label, weights=(("cat", 0.5), ("dog", weight))))
