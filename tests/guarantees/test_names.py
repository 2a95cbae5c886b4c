"""Hostile names and trees: every path stays as it is, and nothing is opened that is no picture."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from augcli.data.stores.folder import FolderStore
from augcli.run.verifying.verify import verify
from tests.photos import picture, rows, save

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.data.stores.sources import Sources
    from tests.conftest import Cli

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")

NAMES = (
    *("new\nline", 'quo"te', "com,ma", "=1+1", "+1", "-1", "@SUM(A1)", "\ttab", "cr\rcr", "semi;"),
    *("=cmd|' C calc'!A0", "[red]", "${HOME}", "%s", "a.b.c", " space ", "dot.", "con", "nul"),
    *(
        "é",
        unicodedata.normalize("NFD", "é"),
        "Case",
        "case",
        "ß",
        "İ",
        "\u2028",
        "\x1b[31m",
        "\x7f",
    ),
    *(
        "test",
        "None",
        "NA",
        "007",
        "train",
        "x" * 251,
        "é" * 125,
        "metadata",
        "\U0001f600",
        "\u202e",
    ),
)
FOLDERS = (
    *("test", "None", "=1+1", "-x", "new\nline", 'q"', "back\\slash", "Case", "case", "con"),
    *("é", unicodedata.normalize("NFD", "é"), "y" * 255, "x..", "run.json", "\x85", "a\u2028b"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """INPUT with every hostile name, as a file and as a class."""
    data = save(tmp_path / "one.png", picture(1, 9, 9)).read_bytes()
    source = tmp_path / "photos"
    for name in NAMES:
        (source / "cat").mkdir(parents=True, exist_ok=True)
        (source / "cat" / f"{name}.png").write_bytes(data)
    for name in FOLDERS:
        (source / name).mkdir()
        (source / name / "a.png").write_bytes(data)
    return source


def listed(source: Path) -> set[str]:
    return {path.relative_to(source).as_posix() for path in source.rglob("*.png")}


def test_every_path_and_class_stays_as_it_is(cli: Cli, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    before = set(os.listdir(tmp_path))
    end = cli("cutout", folder, "--out", out, "--fill", "black")
    assert end.code == 0
    assert set(os.listdir(tmp_path)) - before == {"out"}
    found = rows(out)
    assert {row["source_a"] for row in found} == listed(folder)
    classes = {unicodedata.normalize("NFC", name) for name in FOLDERS}
    assert {row["label_a"] for row in found} == {"cat", *classes}
    assert len({row["file_name"].casefold() for row in found}) == len(NAMES) + len(FOLDERS)
    assert all((out / row["file_name"]).is_file() for row in found)


def test_hostile_names_verify_against_their_sources(cli: Cli, folder: Path, tmp_path: Path) -> None:
    assert cli("cutout", folder, "--out", tmp_path / "out", "--fill", "black").code == 0
    found = verify(tmp_path / "out", against=folder)
    assert (found.problems, found.identical) == ([], len(NAMES) + len(FOLDERS))


def test_no_cell_of_ours_starts_as_a_formula(cli: Cli, folder: Path, tmp_path: Path) -> None:
    """Names that augcli chooses are harmless; those of sources and classes stay exact."""
    assert cli("cutout", folder, "--out", tmp_path / "out", "--fill", "black").code == 0
    for row in rows(tmp_path / "out"):
        stem = row["file_name"].rpartition("/")[2]
        assert (stem[0] in "=+-@\t\r") == stem.startswith("-"), stem
        others = [row[name] for name in ("weight_a", "weight_b", "method", "draw", "sha256")]
        assert not [cell for cell in others if cell[0] in "=+-@\t\r"]


def test_no_control_character_reaches_the_terminal(cli: Cli, tmp_path: Path) -> None:
    source = tmp_path / "photos"
    save(source / "cat" / "good.png", picture(1, 9, 9))
    for name in ("\x1b[31mred", "new\nline", "\x85", "\u202e"):
        (source / "cat" / f"{name}.png").write_bytes(b"no picture")
    end = cli("cutout", source, "--out", tmp_path / "out")
    assert end.code == 1
    assert [char for char in end.err if not char.isprintable() and char != "\n"] == []


def test_special_files_are_never_opened(cli: Cli, photos: Path, tmp_path: Path) -> None:
    os.mkfifo(photos / "cat" / "pipe.png")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(photos / "cat")  # the path of a socket must be short
        server.bind("socket.png")
        os.chdir(here)
    with contextlib.suppress(PermissionError):
        os.mknod(photos / "cat" / "null.png", 0o20666, os.makedev(1, 3))
    count = len(list(photos.glob("cat/*.png"))) - 2
    end = cli("cutout", photos, "--out", tmp_path / "out")
    assert (end.code, len(rows(tmp_path / "out"))) == (0, 9)
    assert f"skipped {count} special files (a pipe, socket or device)\n" in end.err


def test_what_became_a_pipe_since_it_was_listed_is_refused(
    cli: Cli, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_sources = FolderStore.list

    def then_swap(store: FolderStore) -> Sources:
        found = list_sources(store)
        (photos / "cat/000.jpg").unlink()
        os.mkfifo(photos / "cat/000.jpg")
        return found

    monkeypatch.setattr("augcli.data.stores.folder.FolderStore.list", then_swap)
    assert cli("cutout", photos, "--out", tmp_path / "out", "--fill", "black").code == 1
    (row,) = rows(tmp_path / "out", "errors.csv")
    assert (row["source"], row["stage"]) == ("cat/000.jpg", "read")


def test_links_out_of_input_are_followed_only_when_asked_for(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    save(tmp_path / "elsewhere" / "x.png", picture(5, 20, 20))
    (photos / "cat/link.png").symlink_to(tmp_path / "elsewhere/x.png")
    (photos / "fox").symlink_to(tmp_path / "elsewhere")
    (photos / "cat/dangling.png").symlink_to(tmp_path / "nothing")
    plain = cli("cutout", photos, "--out", tmp_path / "plain")
    assert (plain.code, len(rows(tmp_path / "plain"))) == (0, 9)
    assert "skipped 2 symbolic links (--follow-links reads them)\n" in plain.err
    assert "skipped 1 symbolic link (they lead nowhere)\n" in plain.err
    cli("cutout", photos, "--out", tmp_path / "all", "--follow-links")
    found = {row["source_a"] for row in rows(tmp_path / "all")}
    assert {"cat/link.png", "fox/x.png"} <= found
    assert len(found) == 11


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[tuple[Path, list[str]]]:
    """INPUT with 5,000 folders in one another; pictures at several depths."""
    source = tmp_path / "photos"
    data = save(source / "d" / "000.png", picture(1, 9, 9)).read_bytes()
    paths = ["d/000.png"]
    here = os.open(source / "d", os.O_RDONLY)
    for depth in range(1, 5000):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
        if depth in (500, 1200):
            file = os.open("a.png", os.O_CREAT | os.O_WRONLY, dir_fd=here)
            os.write(file, data)
            os.close(file)
            paths.append("d/" * (depth + 1) + "a.png")
    os.close(here)
    yield source, paths
    for top in (source, tmp_path / "out"):
        flatten(top)


def flatten(top: Path) -> None:
    """Remove a tree that is too deep for a path, from its top: move what is below up."""
    while (top / "d/d").is_dir():
        os.rename(top / "d/d", top / "below")
        shutil.rmtree(top / "d")
        os.rename(top / "below", top / "d")
    shutil.rmtree(top, ignore_errors=True)


def test_5000_folders_deep_are_read_as_far_as_a_path_reaches(
    cli: Cli, deep: tuple[Path, list[str]], tmp_path: Path
) -> None:
    source, paths = deep
    end = cli("cutout", source, "--out", tmp_path / "out", "--fill", "black")
    assert end.code == 1
    assert sorted(row["source_a"] for row in rows(tmp_path / "out")) == sorted(paths)
    (row,) = rows(tmp_path / "out", "errors.csv")
    assert (row["stage"], row["reason"]) == (
        "list",
        "the folder can't be listed: File name too long",
    )
    assert verify(tmp_path / "out").problems == []


def test_5000_folders_wide_are_read(cli: Cli, photos: Path, tmp_path: Path) -> None:
    for number in range(5000):
        (photos / f"{number:04d}").mkdir()
    shutil.copy(photos / "cat/000.jpg", photos / "4321")
    assert cli("cutout", photos, "--out", tmp_path / "out").code == 0
    assert len(rows(tmp_path / "out")) == 10


def test_an_output_whose_path_would_be_too_long_is_a_failed_image(cli: Cli, tmp_path: Path) -> None:
    source = tmp_path / "p"
    save(source / "cat/good.png", picture(1, 9, 9))
    # Longer than a whole path may be, once OUT stands before it.
    long = "/".join(["f" * 99] * 38)
    save(source / long / "b.png", picture(2, 9, 9))
    out = tmp_path / ("o" * 240)
    end = cli("cutout", source, "--out", out, "--fill", "black")
    assert (end.code, len(rows(out))) == (1, 1)
    (row,) = rows(out, "errors.csv")
    assert (row["stage"], "too long" in row["reason"]) == ("encode", True)
