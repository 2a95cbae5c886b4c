"""Locks on files, which the system lets go of when a process ends, however it ends."""

from __future__ import annotations

import os
import sys
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

if sys.platform == "win32":
    import msvcrt

    def try_lock(file: IO[bytes]) -> bool:
        """Lock a file for this process; the system lets go of it when the process ends."""
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import errno
    import fcntl

    NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)
    """What file systems say that have no locks, as some that many computers share."""

    def try_lock(file: IO[bytes]) -> bool:
        """Lock a file for this process; the system lets go of it when the process ends."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            # Without locks nobody can be kept out; a folder that nobody can use is worse.
            return error.errno in NO_LOCKS
        return True


def is_named(file: IO[bytes], path: str) -> bool:
    """Return whether an open file is the one that has a name now."""
    try:
        named = os.stat(path)
    except OSError:
        return False
    return os.path.samestat(named, os.fstat(file.fileno()))


class FileLock:
    """A lock on a file, which lives as long as the file is open.

    Args:
        file: The file, locked.
        remove: Removes it.
    """

    def __init__(self, file: IO[bytes], remove: Callable[[], None]) -> None:
        self._file = file
        self._remove = remove

    def remove(self) -> None:
        """Remove the file while it is locked: who waits for it sees that it lost its name."""
        if sys.platform == "win32":
            self._file.close()
        self._remove()

    def close(self) -> None:
        """Let go of the lock."""
        self._file.close()
