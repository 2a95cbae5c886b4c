"""Publishing: a final name means a whole file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import pytest

from augcli.files import Publisher


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An output folder with a folder for files that are not yet whole."""
    (tmp_path / "out/.tmp").mkdir(parents=True)
    return tmp_path / "out"


@pytest.fixture
def publisher(out: Path) -> Publisher:
    """What writes into it."""
    return Publisher(str(out), str(out / ".tmp"))


def files(folder: Path) -> dict[str, bytes]:
    """Return the content of every file, temporary ones too."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_publish_makes_the_file_and_its_folders(publisher: Publisher, out: Path) -> None:
    publisher.publish("a/b/c.jpg", b"whole")
    publisher.publish("a/b/d.jpg", b"")
    publisher.publish("e.csv", b"top")
    assert files(out) == {"a/b/c.jpg": b"whole", "a/b/d.jpg": b"", "e.csv": b"top"}


def test_publish_replaces_what_is_there(publisher: Publisher, out: Path) -> None:
    publisher.publish("a.jpg", b"a long first version")
    publisher.publish("a.jpg", b"second")
    assert files(out) == {"a.jpg": b"second"}


def test_the_final_name_appears_only_when_all_bytes_are_there(
    publisher: Publisher, out: Path
) -> None:
    seen = []

    def write(file: BinaryIO) -> None:
        file.write(b"first half, ")
        file.flush()
        seen.append((out / "cat/a.jpg").exists())
        file.write(b"second half")

    publisher.publish_with("cat/a.jpg", write)
    assert seen == [False]
    assert files(out) == {"cat/a.jpg": b"first half, second half"}


@pytest.mark.parametrize("error", [OSError(28, "No space left"), ValueError(), KeyboardInterrupt()])
@pytest.mark.parametrize("before", [None, b"what was there"])
def test_nothing_changes_when_writing_fails(
    publisher: Publisher, out: Path, error: BaseException, before: bytes | None
) -> None:
    """Neither a partial file under the final name nor a temporary one is left."""
    if before is not None:
        publisher.publish("cat/a.jpg", before)

    def write(file: BinaryIO) -> None:
        file.write(b"partial")
        file.flush()
        raise error

    with pytest.raises(type(error)):
        publisher.publish_with("cat/a.jpg", write)
    assert files(out) == ({} if before is None else {"cat/a.jpg": before})


def test_nothing_changes_when_renaming_fails(
    publisher: Publisher, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str, target: str) -> None:
        raise PermissionError(13, "Permission denied")

    publisher.publish("a.jpg", b"before")
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError):
        publisher.publish("a.jpg", b"after")
    assert files(out) == {"a.jpg": b"before"}


def test_remove_removes_a_file_and_is_quiet_where_there_is_none(
    publisher: Publisher, out: Path
) -> None:
    publisher.publish("cat/a.jpg", b"a")
    publisher.remove("cat/a.jpg")
    publisher.remove("cat/a.jpg")
    assert files(out) == {}
