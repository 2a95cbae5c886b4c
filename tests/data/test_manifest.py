"""The manifest: what is written is what every CSV reader reads back."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from augcli.data.card import card
from augcli.data.labels import Label
from augcli.data.manifest import Failure, Row, write_table
from augcli.data.manifest_formats.columns import COLUMNS, Columns
from tests import strategies  # noqa: F401 - the profile

cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
nasty = st.sampled_from(
    [
        "a,b.jpg",
        'q"uo"te',
        '"',
        '""',
        "two\nlines",
        "cr\rlf\r\n",
        "\r",
        " space ",
        "#",
        "=1+1",
        "猫é",
        "",
    ]
)
names = cells | nasty


def written(rows: list[list[object]], header: list[str]) -> bytes:
    """Return the bytes of a table."""
    file = io.BytesIO()
    write_table(file, header, rows)
    return file.getvalue()


def parse(text: str) -> list[list[str]]:
    """Read RFC 4180 letter by letter: a CR, LF, comma or quote means itself in quotes only."""
    rows: list[list[str]] = []
    row: list[str] = []
    cell, at, quoted = "", 0, False
    while at < len(text):
        letter = text[at]
        if quoted and text[at : at + 2] == '""':
            cell, at = cell + '"', at + 1
        elif letter == '"':
            quoted = not quoted
        elif quoted or letter not in ",\r\n":
            cell += letter
        else:
            row, cell = [*row, cell], ""
            if letter != ",":
                rows, row = [*rows, row], []
        at += 1
    return rows


@given(rows=st.lists(st.lists(names, min_size=3, max_size=3), max_size=5))
@example(rows=[["carriage\rreturn", "", "x"]])
def test_any_names_read_back_as_they_were(rows: list[list[str]]) -> None:
    """With Python's reader and with one that knows nothing but the standard."""
    text = written([list(row) for row in rows], ["a", "b", "c"]).decode()
    assert list(csv.reader(io.StringIO(text, newline=""), strict=True)) == [["a", "b", "c"], *rows]
    assert parse(text) == [["a", "b", "c"], *rows]


@given(numbers=st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_floats_read_back_exactly(numbers: list[float]) -> None:
    text = written([list(numbers)], ["w"] * len(numbers)).decode()
    assert [float(cell) for cell in text.splitlines()[1].split(",")] == numbers


@given(shown=st.integers(0, 10**9), more=st.integers(1, 10**9))
def test_weights_of_pixel_counts_still_sum_to_one_when_read_back(shown: int, more: int) -> None:
    every = shown + more
    text = written([[1 - shown / every, shown / every]], ["a", "b"]).decode()
    weight_a, weight_b = (float(cell) for cell in text.splitlines()[1].split(","))
    assert weight_b == shown / every
    assert abs(weight_a + weight_b - 1) < 1e-9


def test_a_table_is_utf8_with_line_feeds_and_a_header() -> None:
    assert written([["猫", 1, 0.5], ["b,c", 2, 1.0]], ["x", "y", "z"]) == (
        'x,y,z\n猫,1,0.5\n"b,c",2,1.0\n'.encode()
    )


def test_write_table_leaves_the_file_open_for_its_owner() -> None:
    file = io.BytesIO()
    write_table(file, ["a"], [["b"]])
    assert not file.closed
    assert file.tell() == 4


def test_the_columns_are_these() -> None:
    """Readers of published data sets know them by name."""
    assert COLUMNS == (
        "file_name",
        "label_a",
        "weight_a",
        "label_b",
        "weight_b",
        "source_a",
        "source_b",
        "method",
        "draw",
        "width",
        "height",
        "copy",
        "sha256",
    )
    assert Failure._fields == ("source", "stage", "reason")


@pytest.mark.parametrize(
    "label",
    [
        Label(),
        Label.of("cat"),
        Label((("cat", 0.8775), ("dog", 0.1225))),
        Label((("cat", 1.0), ("dog", 0.0))),
    ],
)
def test_a_row_reads_back_from_its_cells(label: Label) -> None:
    row = Row("cat/a.jpg", label, "a", "b", "mixup", "{}", 8, 9, 2, "00")
    cells = [str(cell) for cell in Columns().cells(row)]
    assert len(cells) == len(COLUMNS)
    assert float(cells[2]) + float(cells[4]) == 1
    assert list(Columns().rows([cells])) == [row]


@pytest.mark.parametrize("command", ["augcli cutmix", "augcli run"])
def test_the_card_begins_with_front_matter_and_tells_the_command(command: str) -> None:
    text = card(command, 12, 3, "metadata.csv", "0123abcd")
    assert text.startswith("---\nconfigs:\n")
    assert text.count("\n---\n") == 1
    assert "    description: metadata.csv has the SHA-256 0123abcd\n" in text
    assert f"12 images of 3 classes, made by `{command}`." in text
