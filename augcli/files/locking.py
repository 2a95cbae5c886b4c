"""Locks on files, which the system lets go of when a process ends, however it ends."""

from __future__ import annotations

import sys
from typing import IO

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
