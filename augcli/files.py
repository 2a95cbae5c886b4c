"""Publishing a file: written whole under a temporary name, then renamed.

No file ever has its final name before all of its bytes are there.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import sys
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO


Fsync = Literal["none", "shard", "file"]
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)


class Publisher:
    """Writes files into one output folder.

    Args:
        out: The output folder, absolute.
        temporary: A folder on the same file system for files that are not yet whole.
        fsync: When files are forced to the disk: never, when :meth:`sync` is called, or each
            before it gets its name.
    """

    def __init__(self, out: str, temporary: str, fsync: Fsync = "none") -> None:
        self.out = out
        self._fsync = fsync
        self._unsynced: list[str] = []
        self._unfinished = f"{temporary}/{os.getpid()}-"
        self._numbers = itertools.count()
        self._made: set[str] = set()
        self._new_folders: list[str] = []

    def publish(self, name: str, data: bytes) -> None:
        """Write ``data`` and give it its final name, replacing what is there.

        Args:
            name: Path relative to ``out``, with ``/``.
            data: The whole content.
        """
        self._publish(name, data)

    def publish_with(self, name: str, write: Callable[[BinaryIO], object]) -> None:
        """Like :meth:`publish`, for content that ``write`` puts out piece by piece."""
        self._publish(name, write)

    def sync(self) -> None:
        """Force to the disk what was published since the last call, and the names of it."""
        folders = {os.path.dirname(path) for path in (*self._unsynced, *self._new_folders)}
        for path in (*self._unsynced, *folders):
            _sync_path(path)
        self._unsynced.clear()
        self._new_folders.clear()

    def remove(self, name: str) -> None:
        """Remove a file of the output folder, if it is there."""
        self._discard(f"{self.out}/{name}")

    def _publish(self, name: str, content: bytes | Callable[[BinaryIO], object]) -> None:
        unfinished = f"{self._unfinished}{next(self._numbers)}"
        descriptor = os.open(unfinished, _FLAGS, 0o666)
        try:
            try:
                if isinstance(content, bytes):
                    _write(descriptor, content)
                else:
                    with open(descriptor, "wb", closefd=False) as file:
                        content(file)
                if self._fsync == "file":
                    _sync(descriptor)
            finally:
                os.close(descriptor)
            self._rename(unfinished, name)
            if self._fsync == "file":
                self._new_folders.append(f"{self.out}/{name}")
                self.sync()
            elif self._fsync == "shard":
                self._unsynced.append(f"{self.out}/{name}")
        except BaseException:
            self._discard(unfinished)
            raise

    def _rename(self, unfinished: str, name: str) -> None:
        folder = name.rpartition("/")[0]
        if folder and folder not in self._made:
            self._make_folder(f"{self.out}/{folder}")
            self._made.add(folder)
        os.replace(unfinished, f"{self.out}/{name}")

    def _make_folder(self, path: str) -> None:
        """Make a folder and those above it; a loop, since os.makedirs recurses."""
        missing = []
        while not os.path.isdir(path):
            missing.append(path)
            path = os.path.dirname(path)
        for one in reversed(missing):
            # Another worker may have made it meanwhile; a file in its place is an error.
            try:
                os.mkdir(one)
            except FileExistsError:
                if not os.path.isdir(one):
                    raise
            if self._fsync != "none":
                self._new_folders.append(one)

    @staticmethod
    def _discard(path: str) -> None:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _write(descriptor: int, data: bytes) -> None:
    """Write all of it; without a file object, in a third of the time for a small image."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


def _sync_path(path: str) -> None:
    """Force a file or the names in a folder to the disk."""
    is_folder = os.path.isdir(path)
    if is_folder and os.name == "nt":
        return  # Windows can't open folders, and keeps names without being asked
    # A file is opened for writing, because some systems refuse to sync one that is not.
    descriptor = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
    try:
        _sync(descriptor)
    except OSError as error:
        # Some network file systems can't sync a folder, and say so.
        if not is_folder or error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


if sys.platform == "darwin":
    import fcntl

    def _sync(descriptor: int) -> None:
        """Force a file to the disk; fsync alone would leave it in the drive's memory."""
        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        except OSError:
            os.fsync(descriptor)

else:

    def _sync(descriptor: int) -> None:
        """Force a file to the disk."""
        os.fsync(descriptor)
