"""A folder that augcli writes into."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import sys
import time
from typing import TYPE_CHECKING, BinaryIO, Literal

from augcli.files.publishing import (
    WRITE_FLAGS,
    remove_file,
    sync_descriptor,
    sync_path,
    write_all,
)
from augcli.files.reading import open_table, read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Fsync = Literal["none", "shard", "file"]

OTHER_HOST_SECONDS = 24 * 3600
"""Age at which a temporary file of another computer counts as left by a killed run."""


class Folder:
    """A folder that augcli writes into.

    Args:
        path: The folder, absolute.
        temporary: Name of a folder in it for files that are not yet whole.
        fsync: When files are forced to the disk: never, when :meth:`sync` is called, or each
            before it gets its name.
    """

    def __init__(self, path: str, temporary: str, fsync: Fsync = "none") -> None:
        self.path = path
        self._temporary = f"{path}/{temporary}"
        self._fsync = fsync
        self._unsynced: list[str] = []
        self._token = f"{_HOST}~{os.getpid()}~{os.urandom(4).hex()}"
        self._numbers = itertools.count()
        self._made: set[str] = set()
        self._new_folders: list[str] = []

    def publish(self, name: str, content: bytes | Callable[[BinaryIO], object]) -> None:
        """Write a file whole and give it its final name, replacing what is there.

        Args:
            name: Path relative to the folder, with ``/``.
            content: The bytes, or what writes them into a file.
        """
        unfinished = self.temporary_name()
        descriptor = os.open(unfinished, WRITE_FLAGS, 0o666)
        try:
            try:
                write_all(descriptor, content)
                if self._fsync == "file":
                    sync_descriptor(descriptor)
            finally:
                os.close(descriptor)
            self.make_folder(name.rpartition("/")[0])
            os.replace(unfinished, f"{self.path}/{name}")
            if self._fsync == "file":
                self._new_folders.append(f"{self.path}/{name}")
                self.sync()
            elif self._fsync == "shard":
                self._unsynced.append(f"{self.path}/{name}")
        except BaseException:
            remove_file(unfinished)
            raise

    def sync(self) -> None:
        """Force to the disk what was published since the last call, and the names of it."""
        folders = {os.path.dirname(path) for path in (*self._unsynced, *self._new_folders)}
        for path in (*self._unsynced, *folders):
            sync_path(path)
        self._unsynced.clear()
        self._new_folders.clear()

    def read(self, name: str, limit: int | None = None) -> bytes:
        """Return the bytes of a file; see :func:`read_file`."""
        return read_file(f"{self.path}/{name}", limit).data

    def size(self, name: str) -> int | None:
        """Return how many bytes a file has; None where it is missing."""
        try:
            return os.stat(f"{self.path}/{name}").st_size
        except OSError:
            return None

    def holds(self, name: str) -> bool:
        """Return whether there is something of that name."""
        return os.path.lexists(f"{self.path}/{name}")

    def names(self, name: str) -> list[str]:
        """Return what lies in a folder, sorted; nothing where it is missing."""
        try:
            return sorted(os.listdir(f"{self.path}/{name}"))
        except FileNotFoundError:
            return []

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        remove_file(f"{self.path}/{name}")

    def remove_empty(self, names: Iterable[str]) -> None:
        """Remove folders that are empty, and those above them that are empty then."""
        for name in sorted(set(names) - {""}, key=len, reverse=True):
            above = name
            with contextlib.suppress(OSError):
                while above:
                    os.rmdir(f"{self.path}/{above}")
                    above = above.rpartition("/")[0]

    def make_folder(self, name: str) -> None:
        """Make a folder and those above it; a loop, since os.makedirs recurses."""
        if not name or name in self._made:
            return
        missing = []
        path = f"{self.path}/{name}"
        while not os.path.isdir(path):
            missing.append(path)
            path = os.path.dirname(path)
        for path in reversed(missing):
            # Another worker may have made it meanwhile; a file in its place is an error.
            try:
                os.mkdir(path)
            except FileExistsError:
                if not os.path.isdir(path):
                    raise
            if self._fsync != "none":
                self._new_folders.append(path)
        self._made.add(name)

    def temporary_name(self) -> str:
        """Return the whole path of a file that is not yet there."""
        return f"{self._temporary}/{self._token}~{next(self._numbers)}"

    @contextlib.contextmanager
    def scratch(self) -> Iterator[BinaryIO]:
        """Open a file for reading and writing that is gone afterwards."""
        path = self.temporary_name()
        with open_table(path) as file:
            try:
                yield file
            finally:
                remove_file(path)

    def remove_unfinished(self) -> None:
        """Remove temporary files that killed runs left; those of runs at work stay."""
        with contextlib.suppress(OSError):
            for name in os.listdir(self._temporary):
                path = f"{self._temporary}/{name}"
                if self._is_left_over(path):
                    remove_file(path)

    def _is_left_over(self, path: str) -> bool:
        name = os.path.basename(path)
        if name.startswith(f"{self._token}~"):
            return False
        host, process, *_ = [*name.split("~"), "", ""]
        if host == _HOST and process.isdigit() and sys.platform != "win32":
            return int(process) == os.getpid() or not _is_alive(int(process))
        try:
            return time.time() - os.lstat(path).st_mtime > OTHER_HOST_SECONDS
        except OSError:
            return False


_NODE = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
_HOST = re.sub(r"[^A-Za-z0-9.-]", "_", _NODE)[:60]


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True  # it belongs to another user
    return True
