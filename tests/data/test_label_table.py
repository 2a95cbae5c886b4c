"""Label tables that don't fit: the message names the cause and what to do; none is guessed at."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from augcli.data.label_table import apply_labels, read_labels
from augcli.data.stores.sources import Sources
from augcli.errors import InputError
from tests.photos import picture, rows, save

if TYPE_CHECKING:
    from tests.conftest import Cli

TABLE = Path("labels.csv")
HEADER = "file_name,label\n"
ROWS = "a.jpg,cat\nb/c.png,dog\n"
NAMES = "the first line is {!r}, but must name the columns file_name and label{}"
SEPARATED = "; its columns are separated by {}: save the table with commas between them"


def refusal(content: str | bytes, sources: Sources | None = None) -> str:
    """Return the message for a table that must be refused, without the table's name."""
    data = content if isinstance(content, bytes) else content.encode()
    with pytest.raises(InputError) as error:
        apply_labels(sources or Sources("/home/me/photos", ["a.jpg", "b/c.png"]), TABLE, data)
    text = str(error.value)
    assert text.startswith("`labels` labels.csv: ")
    assert "\n" not in text
    return text.removeprefix("`labels` labels.csv: ")


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("file_name;label", SEPARATED.format("semicolons")),
        ("\ufefffile_name;label", SEPARATED.format("semicolons")),
        ("filename;class", SEPARATED.format("semicolons")),
        ("file_name\tlabel", SEPARATED.format("tabs")),
        ("file_name|label", SEPARATED.format("vertical bars")),
        ("sep=,", "; remove this line, which only Excel reads"),
        ("sep=;", "; remove this line, which only Excel reads"),
        ("File_Name,Label", ", in lower case and without spaces"),
        ("file_name, label", ", in lower case and without spaces"),
        ("a.jpg,cat", "; it seems to be a row: add the line file_name,label before it"),
        ("file_name,label,label", ", and label only once"),
        ("filename,class", ""),
    ],
)
def test_a_first_line_without_the_columns_is_refused_with_its_cause(line: str, fix: str) -> None:
    assert refusal(f"{line}\n{ROWS}") == NAMES.format(line.removeprefix("\ufeff"), fix)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ((HEADER + ROWS).encode("utf-16"), "it is UTF-16 text; save it as UTF-8"),
        ((HEADER + ROWS).encode("utf-16-le"), "it is UTF-16 text; save it as UTF-8"),
        ((HEADER + ROWS).encode("utf-32"), "it is UTF-32 text; save it as UTF-8"),
        (b"file_name,label\na.jpg,b\xe4r\n", "it is not UTF-8 text (byte 0xe4 in line 2); save it"),
    ],
)
def test_a_table_of_another_encoding_is_named_as_such(content: bytes, words: str) -> None:
    assert refusal(content).startswith(f"is not a CSV table in UTF-8: {words}")


@pytest.mark.parametrize(
    ("first_bytes", "kind"),
    [
        (b"PK\x03\x04", "an Excel workbook or another ZIP file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"),
        (b"PAR1", "a Parquet file"),
        (b"\x1f\x8b\x08", "a gzip file"),
    ],
)
def test_a_file_that_is_no_text_is_named_as_what_it_is(first_bytes: bytes, kind: str) -> None:
    assert refusal(first_bytes + bytes(range(200))) == (
        f"is {kind}, not a CSV table in UTF-8; save it as one, with the columns file_name,label"
    )


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (
            "/home/me/photos/b/c.png",
            ", which is an absolute path, but must be relative to INPUT; write 'b/c.png'",
        ),
        (
            r"C:\photos\b\c.png",
            ", which is an absolute path, but must be relative to INPUT; write 'b/c.png'",
        ),
        ("/elsewhere/x.jpg", ", which is an absolute path, but must be relative to INPUT"),
        (r"b\c.png", ", which has backslashes, but must have /; write 'b/c.png'"),
        (r".\a.jpg", ", which has backslashes, but must have /; write 'a.jpg'"),
        ("./a.jpg", ", which begins with './'; write 'a.jpg'"),
        ("a.jpg ", ", which has spaces around it; write 'a.jpg'"),
        (
            "photos/b/c.png",
            ", which begins with 'photos/', but must be relative to INPUT; write 'b/c.png'",
        ),
        ("A.JPG", ", which differs in upper and lower case; write 'a.jpg'"),
        ("a", ", which has no ending; write 'a.jpg'"),
        ("b/c", ", which has no ending; write 'b/c.png'"),
        (
            "d.xyz",
            ": augcli does not read files that end in .xyz; convert them, or remove their rows",
        ),
        ("b/.d.jpg", ": hidden files are skipped"),
        ("a.jpeg", "; did you mean 'a.jpg'?"),
        ("another/photo.webp", ""),
    ],
)
def test_a_name_that_is_no_source_is_refused_with_its_cause(name: str, why: str) -> None:
    expected = f"1 of its files are not images in INPUT, first {name!r}{why}"
    assert refusal(f"{HEADER}{ROWS}{name},cat\n") == expected


def test_a_missing_row_is_refused_with_what_to_do() -> None:
    assert refusal(f"{HEADER}a.jpg,cat\n") == (
        "has no row for 1 images of INPUT, first 'b/c.png'; add rows for them, or take them out of "
        "INPUT"
    )


def test_rows_of_empty_cells_are_skipped() -> None:
    content = f"{HEADER}{ROWS},\n  \n , \n"
    assert read_labels(TABLE, content.encode()) == {"a.jpg": "cat", "b/c.png": "dog"}


def test_a_row_may_name_a_file_that_can_not_be_used() -> None:
    sources = Sources("", ["a.jpg"], refused=[("b.jpg", "a link that leads nowhere")])
    apply_labels(sources, TABLE, f"{HEADER}a.jpg,cat\nb.jpg,dog\n".encode())
    assert sources.classes == ["cat"]


Form = Literal["NFC", "NFD"]


def in_form(form: Form, text: str) -> str:
    return unicodedata.normalize(form, text)


NFC, NFD = in_form("NFC", "über/café.jpg"), in_form("NFD", "über/café.jpg")


@pytest.mark.parametrize(("path", "row"), [(NFC, NFD), (NFD, NFC), (NFC, NFC), (NFD, NFD)])
def test_names_match_in_either_unicode_form(path: str, row: str) -> None:
    sources = Sources("", [path])
    apply_labels(sources, TABLE, f"{HEADER}{row},cat\n".encode())
    assert str(sources.label(0)) == "cat"
    assert sources.paths == [path]


def test_an_exact_name_counts_for_its_own_file_and_the_other_form_for_the_other() -> None:
    assert NFC != NFD
    sources = Sources("", sorted([NFC, NFD]))
    apply_labels(sources, TABLE, f"{HEADER}{NFC},cat\n{NFD},dog\n".encode())
    labels = {path: str(sources.label(at)) for at, path in enumerate(sources.paths)}
    assert labels == {NFC: "cat", NFD: "dog"}


@pytest.mark.parametrize("path", [NFC, NFD])
def test_two_labels_of_a_file_in_two_forms_are_refused(path: str) -> None:
    message = refusal(f"{HEADER}{NFC},cat\n{NFD},dog\n", Sources("", [path]))
    assert message.endswith(" has two different labels")
    sources = Sources("", [path])
    apply_labels(sources, TABLE, f"{HEADER}{NFC},cat\n{NFD},cat\n".encode())
    assert sources.classes == ["cat"]


def test_a_class_in_two_forms_is_one_class() -> None:
    classes = [in_form("NFC", "café"), in_form("NFD", "café")]
    sources = Sources("", ["a.jpg", "b.jpg"])
    content = f"{HEADER}a.jpg,{classes[0]}\nb.jpg,{classes[1]}\n"
    apply_labels(sources, TABLE, content.encode())
    assert sources.classes == [classes[0]]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_run_takes_a_table_in_either_form(cli: Cli, tmp_path: Path, form: Form) -> None:
    folder = tmp_path / "flat"
    names = [in_form(form, f"café_{number}.png") for number in range(4)]
    for number, name in enumerate(names):
        save(folder / in_form("NFD" if form == "NFC" else "NFC", name), picture(number, 9, 9))
    (tmp_path / "labels.csv").write_text(
        HEADER + "".join(f"{name},{'cat' if name < names[2] else 'dog'}\n" for name in names),
        encoding="utf-8",
    )
    command = ["cutmix", folder, "--labels", tmp_path / "labels.csv", "--region", "box"]
    end = cli(*command, "--out", tmp_path / "out")
    assert (end.code, len(rows(tmp_path / "out"))) == (0, 4)
