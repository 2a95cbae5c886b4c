"""Tables that were changed differ from the records of what was made."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import augcli
from augcli.data.manifest_formats.columns import COLUMNS
from augcli.data.output import FOLDED_PARTS
from tests.photos import rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.run.messages import Message
    from tests.conftest import Cli

Rows = list[dict[str, str]]


@pytest.fixture
def out(photos: Path, scorer: Path, tmp_path: Path) -> Path:
    """An output with mixed images, unmixed ones and one that failed."""
    (photos / "broken").mkdir()
    (photos / "broken/b.jpg").write_bytes(b"no picture")
    folder = tmp_path / "out"
    method = augcli.AttentiveCutMix(top_n=9)
    augcli.augment(photos, method, out=folder, model=scorer, originals="encode", workers=0)
    return folder


def change(out: Path, edit: Callable[[Rows], object]) -> None:
    """Edit the rows of the manifest."""
    table = rows(out)
    edit(table)
    with (out / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


def swap_labels(table: Rows) -> None:
    row = next(row for row in table if row["label_b"])
    row["label_a"], row["label_b"] = row["label_b"], row["label_a"]


def swap_everywhere(table: Rows) -> None:
    for row in table:
        if row["label_b"]:
            row["label_a"], row["label_b"] = row["label_b"], row["label_a"]


EDITS: list[Callable[[Rows], object]] = [
    swap_labels,
    swap_everywhere,
    lambda table: table[0].update(width="7"),
    lambda table: table[0].update(height="7"),
    lambda table: table[0].update(copy="3"),
    lambda table: table[0].update(method="mixup"),
    lambda table: table[0].update(source_a=table[-1]["source_a"]),
    lambda table: table[0].update(draw="{}"),
    lambda table: table.pop(3),
    lambda table: table.clear(),
]


def test_an_output_that_nobody_changed_has_no_problem(out: Path, photos: Path) -> None:
    verified = augcli.verify(out, against=photos)
    assert (verified.problems, verified.unchecked) == ([], [])


@pytest.mark.parametrize("edit", EDITS)
def test_changed_rows_are_found(out: Path, edit: Callable[[Rows], object]) -> None:
    change(out, edit)
    assert augcli.verify(out).problems


def test_a_row_that_was_removed_with_its_file_is_found(out: Path) -> None:
    change(out, lambda table: (out / table.pop(3)["file_name"]).unlink())
    (problem,) = augcli.verify(out).problems
    assert problem.what == "was made, but has no row in metadata.csv"


def test_an_added_row_with_its_file_is_found(out: Path) -> None:
    def add(table: Rows) -> None:
        name = table[0]["file_name"].replace("-0.", "-7.")
        (out / name).write_bytes((out / table[0]["file_name"]).read_bytes())
        table.append({**table[0], "file_name": name})

    change(out, add)
    (problem,) = augcli.verify(out).problems
    assert problem.what == "has a row in metadata.csv, but no run made it"


def test_all_rows_that_were_removed_with_their_files_are_found(out: Path, photos: Path) -> None:
    count = len(rows(out))
    for row in rows(out):
        (out / row["file_name"]).unlink()
    change(out, Rows.clear)
    assert len(augcli.verify(out, against=photos).problems) >= count


@pytest.mark.parametrize("kept", ["b.jpg,decode,other\n", "", "c.jpg,decode,why\n"])
def test_another_table_of_errors_is_found(out: Path, kept: str) -> None:
    (out / "errors.csv").write_text("source,stage,reason\n" + kept)
    assert "errors.csv" in {problem.file_name for problem in augcli.verify(out).problems}


def test_an_invented_table_of_errors_is_found(photos: Path, tmp_path: Path) -> None:
    augcli.augment(photos, augcli.Cutout(patch=4, fill="black"), out=tmp_path / "out", workers=0)
    (tmp_path / "out/errors.csv").write_text("source,stage,reason\ncat/x.jpg,decode,damaged\n")
    (problem,) = augcli.verify(tmp_path / "out").problems
    assert problem == ("errors.csv", "does not say of 'cat/x.jpg' what happened to it")


def test_another_list_of_classes_is_found(out: Path) -> None:
    with (out / "classes.txt").open("a") as file:
        file.write("zebra\n")
    (problem,) = augcli.verify(out).problems
    assert problem == ("classes.txt", "does not hold the classes of the outputs")


def test_damaged_parts_are_found(out: Path) -> None:
    parts = out / FOLDED_PARTS
    parts.write_bytes(parts.read_bytes()[:-40])
    assert FOLDED_PARTS in {problem.file_name for problem in augcli.verify(out).problems}


def test_without_parts_what_is_not_checked_is_said(out: Path, cli: Cli) -> None:
    (out / FOLDED_PARTS).unlink()
    end = cli("verify", out)
    assert (end.code, end.err.startswith("not checked: without parts.jsonl.gz, rows ")) == (0, True)
    change(out, lambda table: (out / table.pop()["file_name"]).unlink())
    (problem,) = augcli.verify(out).problems
    assert problem.file_name == "metadata.csv"
    assert "rows, but run.json counts" in problem.what


def test_a_record_of_another_command_is_found(out: Path) -> None:
    text = (out / "run.json").read_text(encoding="utf-8")
    (out / "run.json").write_text(text.replace('"seed": 0', '"seed": 1'), encoding="utf-8")
    (problem,) = augcli.verify(out).problems
    assert problem == ("run.json", "does not record the command that made the outputs")


@pytest.mark.parametrize("name", ["metadata.csv", "classes.txt", "errors.csv"])
def test_a_table_in_other_bytes_is_found_and_written_again(
    out: Path, photos: Path, scorer: Path, name: str
) -> None:
    whole = (out / name).read_bytes()
    (out / name).write_bytes(whole.replace(b"\n", b"\r\n") if name != "classes.txt" else b"")
    assert augcli.verify(out).problems
    notices: list[Message] = []

    def take(message: Message) -> None:
        notices.append(message)

    method = augcli.AttentiveCutMix(top_n=9)
    augcli.augment(
        *(photos, method),
        out=out,
        model=scorer,
        originals="encode",
        workers=0,
        listener=take,
    )
    assert (out / name).read_bytes() == whole
    assert f"written again, missing or changed: {name}" in str(notices)
    assert augcli.verify(out).problems == []
