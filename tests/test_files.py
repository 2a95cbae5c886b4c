"""Files: a final name means a whole file, and only regular files are read."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest

from augcli.files import (
    Folder,
    create_file,
    decode_text,
    file_sha256,
    publish_file,
    read_file,
    read_given,
    read_json,
)
from tests.command import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An output folder with a folder for files that are not yet whole."""
    (tmp_path / "out/.tmp").mkdir(parents=True)
    return tmp_path / "out"


@pytest.fixture
def files(out: Path) -> Folder:
    """What writes into it."""
    return Folder(str(out), ".tmp")


def tree(folder: Path) -> dict[str, bytes]:
    """Return the content of every file, temporary ones too."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_publish_makes_the_file_and_its_folders(files: Folder, out: Path) -> None:
    files.publish("a/b/c.jpg", b"whole")
    files.publish("a/b/d.jpg", b"")
    files.publish("e.csv", b"top")
    assert tree(out) == {"a/b/c.jpg": b"whole", "a/b/d.jpg": b"", "e.csv": b"top"}


def test_publish_replaces_what_is_there(files: Folder, out: Path) -> None:
    files.publish("a.jpg", b"a long first version")
    files.publish("a.jpg", b"second")
    assert tree(out) == {"a.jpg": b"second"}


def test_the_final_name_appears_only_when_all_bytes_are_there(files: Folder, out: Path) -> None:
    seen = []

    def write(file: BinaryIO) -> None:
        file.write(b"first half, ")
        file.flush()
        seen.append((out / "cat/a.jpg").exists())
        file.write(b"second half")

    files.publish("cat/a.jpg", write)
    assert seen == [False]
    assert tree(out) == {"cat/a.jpg": b"first half, second half"}


@pytest.mark.parametrize("error", [OSError(28, "No space left"), ValueError(), KeyboardInterrupt()])
@pytest.mark.parametrize("before", [None, b"what was there"])
def test_nothing_changes_when_writing_fails(
    files: Folder, out: Path, error: BaseException, before: bytes | None
) -> None:
    """Neither a partial file under the final name nor a temporary one is left."""
    if before is not None:
        files.publish("cat/a.jpg", before)

    def write(file: BinaryIO) -> None:
        file.write(b"partial")
        file.flush()
        raise error

    with pytest.raises(type(error)):
        files.publish("cat/a.jpg", write)
    assert tree(out) == ({} if before is None else {"cat/a.jpg": before})


def test_nothing_changes_when_renaming_fails(
    files: Folder, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str, target: str, **_: object) -> None:
        raise PermissionError(13, "Permission denied")

    files.publish("a.jpg", b"before")
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError):
        files.publish("a.jpg", b"after")
    assert tree(out) == {"a.jpg": b"before"}


def test_remove_removes_a_file_and_is_quiet_where_there_is_none(files: Folder, out: Path) -> None:
    files.publish("cat/a.jpg", b"a")
    files.remove("cat/a.jpg")
    files.remove("cat/a.jpg")
    assert tree(out) == {}


def dead_process() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says so in a file")
def test_temporary_files_of_dead_processes_that_nobody_waited_for_are_removed(out: Path) -> None:
    files = Folder(str(out), ".tmp")
    host = files._unfinished_leaf().split("~")[0]
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read()
    wait_for(lambda: b") Z" in Path(f"/proc/{process.pid}/stat").read_bytes())
    (out / ".tmp" / f"{host}~{process.pid}~00000000~0").write_bytes(b"")
    files.remove_unfinished()
    process.communicate()
    assert tree(out) == {}


@pytest.mark.skipif(sys.platform == "win32", reason="processes are not looked up there")
def test_only_temporary_files_of_dead_runs_are_removed(out: Path) -> None:
    files = Folder(str(out), ".tmp")
    own = files._unfinished_leaf()
    host, _, token, _ = own.split("~")
    names = {
        "own": own,
        "alive": f"{host}~{os.getppid()}~{token}~0",
        "dead": f"{host}~{dead_process()}~{token}~0",
        "earlier run of this process": f"{host}~{os.getpid()}~00000000~0",
        "elsewhere": f"elsewhere~1~{token}~0",
        "elsewhere, a day old": f"elsewhere~1~{token}~1",
    }
    for name in names.values():
        (out / ".tmp" / name).write_bytes(b"")
    long_ago = time.time() - 25 * 3600
    os.utime(out / ".tmp" / names["elsewhere, a day old"], (long_ago, long_ago))
    files.remove_unfinished()
    left = {name for name, path in names.items() if (out / ".tmp" / path).exists()}
    assert left == {"own", "alive", "elsewhere"}


def test_a_scratch_file_is_gone_afterwards(out: Path) -> None:
    with Folder(str(out), ".tmp").scratch() as file:
        file.write(b"rows")
        file.seek(0)
        assert file.read() == b"rows"
    assert tree(out) == {}


def test_what_is_read_comes_with_its_size_and_time(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    os.utime(path, ns=(1, 1_234_567_890_000_000_100))
    content = read_file(path)
    assert (content.data, content.size, content.modified) == (b"12345", 5, path.stat().st_mtime_ns)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_a_device_or_a_folder_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match="is not a regular file"):
            read_file(path)
    with pytest.raises(OSError, match="is not a regular file"):
        read_given("/dev/zero")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_that_a_person_named_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(b"label",)).start()
    assert read_given(tmp_path / "pipe") == b"label"


@pytest.mark.parametrize("read", [read_file, read_given])
def test_a_file_above_the_limit_is_refused(tmp_path: Path, read: Callable[..., object]) -> None:
    (tmp_path / "a").write_bytes(bytes(11))
    read(tmp_path / "a", 11)
    with pytest.raises(OSError, match="has 11 bytes, more than 10"):
        read(tmp_path / "a", 10)


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000, b""])
def test_what_is_no_json_is_a_value_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ValueError, match=r".+"):
        read_json(tmp_path / "a.json")


def test_create_file_replaces_nothing(tmp_path: Path) -> None:
    create_file(tmp_path / "a", b"first")
    with pytest.raises(FileExistsError):
        create_file(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"


def test_publish_file_leaves_what_was_there_when_writing_fails(tmp_path: Path) -> None:
    def write(file: BinaryIO) -> None:
        file.write(b"partial")
        raise KeyboardInterrupt

    publish_file(tmp_path / "a", b"first")
    with pytest.raises(KeyboardInterrupt):
        publish_file(tmp_path / "a", write)
    assert tree(tmp_path) == {"a": b"first"}
    assert file_sha256(tmp_path / "a") == hashlib.sha256(b"first").hexdigest()


WIDE = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
"""Encodings with and without a byte order mark."""


@pytest.mark.parametrize("encoding", WIDE)
def test_text_with_wide_letters_is_named_as_such(encoding: str) -> None:
    name = encoding[:6].upper()
    with pytest.raises(ValueError, match=f"^is {name} text; save it as UTF-8$"):
        decode_text("seed = 1\n".encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf_8_is_decoded_with_and_without_a_byte_order_mark(encoding: str) -> None:
    assert decode_text("猫 = 1\r\n".encode(encoding)) == "猫 = 1\r\n"
    assert decode_text("".encode(encoding)) == ""


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_text_of_another_code_page_is_refused_with_its_line(mark: bytes) -> None:
    with pytest.raises(ValueError, match=r"^is not UTF-8 text \(byte 0xe4 in line 2\)"):
        decode_text(mark + "a = 1\nb = 'bär'\n".encode("cp1252"))


def test_lines_of_a_scratch_file_are_read_in_pieces(tmp_path: Path) -> None:
    """A file that is not buffered would be read byte by byte."""
    (tmp_path / ".tmp").mkdir()
    with Folder(str(tmp_path), ".tmp").scratch() as file:
        assert isinstance(file, io.BufferedIOBase)
        file.write(b"one\ntwo\n")
        file.seek(0)
        assert list(file) == [b"one\n", b"two\n"]
