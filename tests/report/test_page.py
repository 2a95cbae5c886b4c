"""What a page is as a file: whole, small, the same each time, and harmless whatever it shows."""

from __future__ import annotations

import base64
import csv
import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest

import augcli
from augcli.report.page import LIMIT, MARK
from augcli.report.pictures import choice
from augcli.report.report import report
from augcli.report.words import shown
from tests.command import call, environment
from tests.photos import class_folders, rows
from tests.report.pages import Page
from tests.report.sets import HOSTILE, change_record

if TYPE_CHECKING:
    from pathlib import Path

    from tests.report.conftest import Made

every_set = pytest.mark.parametrize("which", ["mixed", "dropped", "hostile"])
every_page = pytest.mark.parametrize("which", ["mixed", "dropped", "hostile", "compared"])


@pytest.fixture
def made(which: str, request: pytest.FixtureRequest) -> Made:
    found: Made = request.getfixturevalue(which)
    return found


@every_page
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


@every_page
def test_ids_are_unique_and_links_lead_to_them(made: Made) -> None:
    ids = [one.attributes["id"] for one in made.page.root.all() if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    links = [one.attributes["href"][1:] for one in made.page.root.all("a")]
    assert len(links) > 4
    assert set(links) <= set(ids)
    labelled = {
        one.attributes["aria-labelledby"]
        for one in made.page.root.all()
        if "aria-labelledby" in one.attributes
    }
    assert labelled <= set(ids)


@every_page
def test_every_picture_has_its_place_before_it_is_loaded(made: Made) -> None:
    pictures = made.page.root.all("img")
    assert len(pictures) >= len(made.page.entries)
    assert pictures
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


def test_a_report_does_not_depend_on_the_process(mixed: Made, tmp_path: Path) -> None:
    """Texts are told apart by hashes that each process computes in its own way."""
    pages = []
    for seed in ("1", "2"):
        page = tmp_path / f"{seed}.html"
        end = call("report", mixed.out, "-o", page, env=environment(PYTHONHASHSEED=seed))
        assert end.code == 0, end.err
        pages.append(page.read_bytes())
    assert pages[0] == pages[1]


def test_hostile_labels_are_shown_as_text(hostile: Made) -> None:
    texts = {one.text for one in hostile.page.root.of_class("name")}
    for label in HOSTILE:
        # As tables are read: without blanks around, in composed characters.
        name = unicodedata.normalize("NFC", label.strip())
        assert " ".join(shown(name, 80).split()) in texts, label
    content = hostile.path.read_text(encoding="utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufeff]", content)
    assert hostile.page.root.one("head").one("title").text == "out: augcli report"


def rewrite(out: Path, table: list[dict[str, Any]], classes: list[str]) -> None:
    """Replace the manifest of an output folder, as another program might."""
    with (out / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    (out / "classes.txt").write_text("".join(f"{name}\n" for name in classes), encoding="utf-8")
    change_record(out, tables={})


def test_a_page_stays_small_with_ten_thousand_classes_and_endless_names(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "photos", {"cat": 2, "dog": 2})
    out = tmp_path / "out"
    augcli.augment(source, augcli.MixUp(), out=out, workers=0)
    one = rows(out)[0]
    # Those that are shown have long names; writing as many of all would take ten seconds.
    longest = [5_000 if at < 500 else 5 for at in range(10_000)]
    classes = [f"{at:05d}{'&' * length}" for at, length in enumerate(longest)]
    table = [
        {
            **one,
            "file_name": f"{at:05d}{'<' * length}",
            "label_a": classes[at],
            "weight_a": 0.5,
            "label_b": classes[at - 1],
            "weight_b": 0.5,
            "source_a": "'" * length + str(at),
            "source_b": '"' * length + str(at),
            "width": 8,
            "height": 8,
            "sha256": f"{at:064x}",
        }
        for at, length in enumerate(longest)
    ]
    rewrite(out, table, classes)
    made = report([out], tmp_path / "page.html")
    assert made.bytes <= LIMIT
    page = Page.read(tmp_path / "page.html")
    assert len(page.entries) == made.pictures == choice.MOST
    _, *listed = page.table("class-table")
    assert len(listed) == 61
    assert ["(all others)", "9,940", "9,940", "9,940.0"] in [row[:4] for row in listed]
    figures = made.to_json()
    assert len(figures["classes"]) == 10_000


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """An output folder of four mixes."""
    source = class_folders(tmp_path / "photos", {"cat": 2, "dog": 2})
    augcli.augment(source, augcli.CutMix(region="box"), out=tmp_path / "out", workers=0)
    return tmp_path / "out"


@pytest.mark.parametrize(
    "draw",
    [
        *("", "null", "[]", "{}", '{"lam": [1, 0]}', '{"lam": "x"}', '{"lam": [1e400, 1]}'),
        *('{"steps": 3}', '{"cells": [1], "grid": -1}', '{"boxes": [[1]]}', "NaN", "{" * 90_000),
    ],
)
def test_a_draw_that_was_changed_by_hand_is_named_and_breaks_nothing(
    small: Path, draw: str
) -> None:
    table = rows(small)
    table[0] |= {"draw": draw, "width": "1000000000", "height": "1000000000"}
    rewrite(small, table, ["cat", "dog"])
    page = small.parent / "page.html"
    made = report([small], page, against=small.parent / "photos")
    (check,) = [one for one in made.to_json()["checks"] if one["name"] == "Rows"]
    assert check["state"] == "wrong"
    assert Page.read(page).entries


def test_weights_that_are_no_shares_are_counted_and_weigh_nothing(small: Path) -> None:
    table = rows(small)
    for row, weight in zip(table, ("nan", "inf", "-1.0", "3.0"), strict=True):
        row |= {"label_a": "cat", "weight_a": "0.5", "label_b": "dog", "weight_b": weight}
    rewrite(small, table, ["cat", "dog"])
    figures = report([small], small.parent / "page.html").to_json()
    assert figures["unsound"] == 4
    assert sum(one["weight"] for one in figures["classes"]) == pytest.approx(2.0)
