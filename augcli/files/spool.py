"""A spool: temporary files that are gone when the process has ended, or when the next one begins.

It lies in the folder that ``TMPDIR`` names, else in ``/var/tmp``: ``/tmp`` is often in memory.
"""

from __future__ import annotations

import errno
import functools
import os
import shutil
import tempfile
import weakref
from typing import TYPE_CHECKING, BinaryIO

from augcli.files.locking import try_lock
from augcli.files.pieces import open_pieces
from augcli.files.publishing import WRITE_FLAGS, remove_file, write_all
from augcli.files.reading import open_table, read_file
from augcli.files.remote.url import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX = "augcli-spool-"
_LOCK = "lock"
_LARGE_TEMPORARY = "/var/tmp"
RESERVE = 1 << 30
"""Bytes of the disk that a spool leaves free."""


class SpoolFull(Exception):
    """The disk has no room for what is to be written."""


class Spool:
    """A new folder for temporary files.

    It is removed when this object is, or the process ends. What a killed process left is removed
    when the next spool is made. Another process may read the files by their paths.

    Attributes:
        path: The folder, absolute.

    Raises:
        OSError: It can't be made.
    """

    def __init__(self) -> None:
        place = _place()
        _clear(place)
        self.path = tempfile.mkdtemp(prefix=PREFIX, dir=place)
        lock = open_table(f"{self.path}/{_LOCK}")
        try_lock(lock)
        self.remove = weakref.finalize(self, _remove, self.path, lock)

    def write(self, name: str, pieces: Iterable[bytes], most: int) -> None:
        """Write a file; nothing is left of it where that fails.

        Args:
            name: Of the file.
            pieces: Its bytes.
            most: How many they may be.

        Raises:
            SpoolFull: The disk would be nearly full.
            OSError: They are more, or can't be written. What ``pieces`` raises comes out as it is.
        """
        path = f"{self.path}/{name}"

        def write(file: BinaryIO) -> None:
            written = 0
            for piece in pieces:
                written += len(piece)
                if written > most:
                    raise OSError(errno.EFBIG, f"unpacks to more than {most:,} bytes")
                if shutil.disk_usage(self.path).free < RESERVE + len(piece):
                    raise SpoolFull(self.path)
                file.write(piece)

        descriptor = os.open(path, WRITE_FLAGS | os.O_EXCL, 0o600)
        try:
            write_all(descriptor, write)
        except BaseException:
            remove_file(path)
            raise
        finally:
            os.close(descriptor)


def local_copy(url: str, limit: int) -> str:
    """Return the path of a copy of an object, which is gone when the process ends.

    Args:
        url: Of the object.
        limit: The most bytes that it may have.

    Raises:
        OSError: It can't be read, or is larger than the limit.
    """
    return _copied(url, open_pieces(url).status(), limit)[1]


@functools.lru_cache(maxsize=4)
def _copied(url: str, _status: tuple[int, int], limit: int) -> tuple[Spool, str]:
    spool = Spool()
    name = os.path.basename(shown(url))
    spool.write(name, [read_file(url, limit).data], limit)
    return spool, f"{spool.path}/{name}"


def _place() -> str:
    """Return the folder that spools lie in."""
    wanted = [os.environ.get("TMPDIR", ""), _LARGE_TEMPORARY]
    usable = (path for path in wanted if path and os.access(path, os.W_OK | os.X_OK))
    return next(usable, tempfile.gettempdir())


def _clear(place: str) -> None:
    """Remove the spools of processes that ended without doing so."""
    with os.scandir(place) as scan:
        left = [entry.path for entry in scan if entry.name.startswith(PREFIX)]
    for path in left:
        try:
            is_ours = os.name == "nt" or os.lstat(path).st_uid == os.getuid()
            if not is_ours or os.path.islink(path) or not os.path.lexists(f"{path}/{_LOCK}"):
                continue
            lock = open_table(f"{path}/{_LOCK}")
        except OSError:
            continue
        if try_lock(lock):
            _remove(path, lock)
        else:
            lock.close()


def _remove(path: str, lock: BinaryIO) -> None:
    """Remove a spool whose lock this process has."""
    if os.name == "nt":
        lock.close()
    shutil.rmtree(path, ignore_errors=True)
    lock.close()
