"""``augcli report`` as a person types it."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

import augcli
from augcli.report.page import MARK
from tests.command import ROOT
from tests.photos import class_folders
from tests.report.sets import change_record

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli


@pytest.fixture
def out(tmp_path: Path) -> Path:
    source = class_folders(tmp_path / "photos", {"cat": 2, "dog": 2})
    augcli.augment(source, augcli.MixUp(), out=tmp_path / "out", workers=0)
    return tmp_path / "out"


def test_the_page_lies_beside_the_folder(cli: Cli, out: Path) -> None:
    outcome = cli("report", out)
    page = out.parent / "out-report.html"
    assert (outcome.code, outcome.out) == (0, f"{page}\n")
    assert outcome.err.startswith("4 pictures, ")
    assert page.read_bytes().startswith(MARK)


def test_a_report_is_replaced_and_nothing_else_is(cli: Cli, out: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert cli("report", out, "-o", page).code == 0
    page.write_bytes(page.read_bytes() + b"old")
    assert cli("report", out, "-o", page).code == 0
    assert not page.read_bytes().endswith(b"old")
    page.write_text("mine", encoding="utf-8")
    outcome = cli("report", out, "-o", page)
    assert outcome.code == 2
    assert "is no report of augcli; give another file with --out" in outcome.err
    assert page.read_text(encoding="utf-8") == "mine"


def test_another_input_is_named(cli: Cli, out: Path, tmp_path: Path) -> None:
    other = class_folders(tmp_path / "other", {"emu": 2})
    outcome = cli("report", out, "--against", other)
    assert outcome.code == 0
    assert outcome.err.startswith(
        f"INPUT {other} has no source of these outputs; they were made of {tmp_path / 'photos'}\n"
    )


def test_two_folders_are_compared(cli: Cli, out: Path, tmp_path: Path) -> None:
    shutil.copytree(out, tmp_path / "other")
    outcome = cli("report", out, tmp_path / "other", "--against", tmp_path / "photos")
    assert (outcome.code, outcome.out) == (0, f"{tmp_path / 'out-and-other-report.html'}\n")


def test_json_is_one_object_and_no_page_unless_one_is_named(
    cli: Cli, out: Path, tmp_path: Path
) -> None:
    outcome = cli("report", out, "--json")
    found = json.loads(outcome.out)
    assert (found["message_type"], found["page"], found["images"]) == ("report", None, 4)
    assert not (tmp_path / "out-report.html").exists()
    page = tmp_path / "page.html"
    assert json.loads(cli("report", out, "--json", "-o", page).out)["page"] == str(page)
    assert page.exists()


def test_the_docs_name_every_key(cli: Cli, out: Path) -> None:
    text = (ROOT / "docs" / "looking.md").read_text(encoding="utf-8")
    _, _, table = text.partition("| key | what it is |\n|---|---|\n")
    rows = itertools.takewhile(lambda line: line.startswith("|"), table.splitlines())
    named = [key for row in rows for key in re.findall(r"`(\w+)`", row.split("|")[1])]
    found = json.loads(cli("report", out, "--json").out)
    assert sorted(named) == sorted(found.keys() - {"message_type"})


def test_a_page_in_an_output_folder_is_refused(cli: Cli, out: Path) -> None:
    for place in (out / "report.html", out / "cat" / "report.html"):
        outcome = cli("report", out, "-o", place)
        assert outcome.code == 2
        assert "give a file outside with --out" in outcome.err
    assert cli("verify", out).code == 0


@pytest.mark.parametrize("name", ["metadata.csv", "classes.txt"])
@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"file_name\nx\n"])
def test_a_damaged_table_is_one_sentence(
    cli: Cli, out: Path, name: str, content: bytes | None
) -> None:
    (out / name).unlink()
    if content is not None:
        (out / name).write_bytes(content)
    if name == "classes.txt" and content == b"file_name\nx\n":
        return  # another list of classes: what is in no output has no weight
    outcome = cli("report", out)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert name in outcome.err


def test_a_run_that_is_not_complete_is_refused(cli: Cli, out: Path) -> None:
    change_record(out, state="running")
    outcome = cli("report", out)
    assert outcome.code == 2
    assert "is not complete; run the same command again first" in outcome.err


@pytest.mark.parametrize("arguments", [(), ("nowhere",), ("photos",)])
def test_what_is_no_output_folder_is_refused(
    cli: Cli, out: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(out.parent)
    outcome = cli("report", *arguments)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1


def test_a_place_that_can_not_be_written_is_refused(cli: Cli, out: Path) -> None:
    outcome = cli("report", out, "-o", out.parent / "none" / "page.html")
    assert outcome.code == 2
    assert "can't be written" in outcome.err


def test_without_the_extra_one_sentence_says_what_to_install(
    cli: Cli, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    outcome = cli("report", out)
    assert outcome.code == 2
    assert outcome.err == (
        "augcli: a report needs the package jinja2: pip install 'augcli[report]'\n"
    )
    assert cli("report", out, "--json").code == 0


def test_a_recipe_of_a_method_that_is_not_known_is_reported_without_its_draws(
    cli: Cli, out: Path, tmp_path: Path
) -> None:
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    record["identity"]["steps"][0]["choices"][0]["method"] = "unheard-of"
    change_record(out, identity=record["identity"])
    assert cli("report", out, "--against", tmp_path / "photos").code == 0
