"""A row means a file when exactly one fits its name."""

from __future__ import annotations

import unicodedata

import pytest

from augcli.data.stores.sources import Sources
from augcli.data.tables.choice import TableChoice
from augcli.data.tables.labelling import Labelling
from tests.data.tables.labelled import ROOT, SUBJECT, classes, labelled, refusal

HEADER = "file_name,label\n"
NFC = unicodedata.normalize("NFC", "über/café.jpg")
NFD = unicodedata.normalize("NFD", "über/café.jpg")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        *(("./a.jpg", "a.jpg"), (r".\b\c.png", "b/c.png"), ("b//c.png", "b/c.png")),
        *((f"{ROOT}/b/c.png", "b/c.png"), ("photos/b/c.png", "b/c.png"), (" a.jpg ", "a.jpg")),
        *(("PHOTOS/a.jpg", "a.jpg"), ("A.JPG", "a.jpg"), ("a.jpeg", "a.jpg"), ("a", "a.jpg")),
        *(("b/c", "b/c.png"), ("B/C", "b/c.png"), ("c.png", "b/c.png"), ("c", "b/c.png")),
        *(("x.v2", "x.v2.jpg"), (NFC, NFD), (NFD, NFC), ("photos/d.jpg", "photos/d.jpg")),
    ],
)
def test_a_name_matches_the_one_file_that_fits(name: str, path: str) -> None:
    assert classes(f"{HEADER}{name},cat\n", path) == {path: "cat"}


def test_names_that_are_not_written_as_paths_are_reported() -> None:
    (line,) = labelled(f"{HEADER}./a.jpg,cat\n", "a.jpg").found
    assert line == (
        f"{SUBJECT}: names of files are not written as their paths are, such as './a.jpg' for "
        "'a.jpg'"
    )


def test_a_name_as_it_is_written_counts_before_others() -> None:
    content = f"{HEADER}a.jpg,cat\nA.jpg,dog\nb/A,emu\n"
    assert classes(content, "a.jpg", "A.jpg", "b/a.png") == {
        "A.jpg": "dog",
        "a.jpg": "cat",
        "b/a.png": "emu",
    }
    assert classes(f"{HEADER}{NFC},cat\n{NFD},dog\n", NFC, NFD) == {NFC: "cat", NFD: "dog"}


@pytest.mark.parametrize(
    ("name", "paths", "files"),
    [
        ("A.JPG", ("a.jpg", "a.JPG"), "'a.JPG' or 'a.jpg'"),
        ("a", ("a.jpg", "a.png"), "'a.jpg' or 'a.png'"),
        ("a.jpg", ("x/a.jpg", "y/a.jpg"), "'x/a.jpg' or 'y/a.jpg'"),
    ],
)
def test_a_name_that_may_be_two_files_is_refused(
    name: str, paths: tuple[str, ...], files: str
) -> None:
    message = refusal(f"{HEADER}{name},cat\n", *paths)
    assert message == f"names {name!r}, which may be {files}; write the whole path"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("/elsewhere/x.jpg", f", which is an absolute path outside of {ROOT}"),
        (r"C:\photos\b\c.png", f", which is an absolute path outside of {ROOT}"),
        ("../x.jpg", f", which leads out of {ROOT}"),
        (
            "old/b/c.png",
            ", which begins with 'old/', but must be relative to INPUT; write 'b/c.png'",
        ),
        (
            "d.xyz",
            ": augcli does not read files that end in .xyz; convert them, or remove their rows",
        ),
        ("b/.d.jpg", ": hidden files are skipped"),
        ("ab.jpg", "; did you mean 'a.jpg'?"),
        ("another/photo.webp", ""),
    ],
)
def test_a_name_that_is_no_source_is_refused_with_its_cause(name: str, why: str) -> None:
    assert refusal(f"{HEADER}a.jpg,cat\nb/c.png,dog\n{name},cat\n") == (
        "1 of its files are not images in INPUT (`missing` skip leaves out their rows), first "
        f"{name!r}{why}"
    )


@pytest.mark.parametrize("path", [NFC, NFD])
def test_two_labels_of_a_file_in_two_forms_are_refused(path: str) -> None:
    assert refusal(f"{HEADER}{NFC},cat\n{NFD},dog\n", path).endswith(" has two different labels")
    assert classes(f"{HEADER}{NFC},cat\n{NFD},cat\n", path) == {path: "cat"}


def test_a_missing_row_is_refused_with_what_to_do() -> None:
    assert refusal(f"{HEADER}a.jpg,cat\n") == (
        "has no row for 1 images of INPUT, first 'b/c.png'; add rows for them, take them out of "
        "INPUT, or give `missing` skip"
    )


def test_rows_and_files_without_each_other_are_left_out_where_that_is_allowed() -> None:
    content = f"{HEADER}a.jpg,cat\nx.jpg,dog\nb/c.png,\n"
    found = labelled(content, missing="skip")
    assert (found.paths, found.classes) == (["a.jpg"], ["cat"])
    assert found.skipped_in_words() == ["skipped 1 image (the table has no row for it)"]
    assert "1 of its files are not images in INPUT, first 'x.jpg'" in found.found[0]
    assert refusal(f"{HEADER}x.jpg,dog\n", missing="skip") == (
        "names no image of INPUT that can be used"
    )


def test_a_row_may_name_a_file_that_can_not_be_used() -> None:
    sources = Sources("", ["a.jpg"], refused=[("b.jpg", "a link that leads nowhere")])
    labelling = Labelling(sources, ("",), TableChoice())
    labelling.add("x", f"{HEADER}a.jpg,cat\nb.jpg,dog\n".encode())
    assert labelling.finish().classes == ["cat"]
