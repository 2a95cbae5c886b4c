"""Errors of the file system while OUT is written, each as a sentence with what to do."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

from augcli.errors import Stopped
from augcli.files import LinkInside, TemporaryFull

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Checkpoint = Callable[[], None]
    """Called between two images; raises what ends the run."""

FULL = (errno.ENOSPC, errno.EDQUOT)
TOO_MANY_OPEN = (errno.EMFILE, errno.ENFILE)
FEW_FILES = 64
"""Free inodes below which a full disk is full of files: those of workers were just removed."""


MEMORY = (
    *("not enough memory", "cannot allocate memory", "failed to map segment", "bad allocation"),
    *("failed to allocate memory", "insufficient memory", "std::bad_alloc", "cannot enable"),
)
"""What libraries say where the system gives no memory, in lower case."""


def carry_on() -> None:
    """Do nothing: the checkpoint of a run that only an error ends."""


def raise_interruption(error: BaseException) -> None:
    """Raise the KeyboardInterrupt that a library turned into another error, if there is one.

    Raises:
        KeyboardInterrupt: The error came from one: it says nothing about an image.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KeyboardInterrupt):
            raise cause
        cause = cause.__cause__ or cause.__context__


def refused_by_system(error: BaseException) -> Stopped | None:
    """Return what to say where the system gave no memory or no thread; None for other errors.

    Example:
        >>> str(refused_by_system(MemoryError()))
        'not enough memory; free some or raise its limit, then run the same command again'
        >>> refused_by_system(ValueError("a bug"))
    """
    cause: BaseException | None = error
    while cause is not None:
        text = str(cause).lower()
        if "can't start new thread" in text or "resource temporarily unavailable" in text:
            return Stopped(
                "no thread can be started; raise the limit of processes, or give fewer with "
                "`workers`, then run the same command again"
            )
        if isinstance(cause, MemoryError) or any(words in text for words in MEMORY):
            return Stopped(
                "not enough memory; free some or raise its limit, then run the same command again"
            )
        cause = cause.__cause__ or cause.__context__
    return None


class DiskFull(Stopped):
    """No room is left on the disk of OUT, or the quota is used up."""


@contextlib.contextmanager
def writing(out: str) -> Iterator[None]:
    """Turn what the system says while OUT is written into one sentence.

    Raises:
        Stopped: The disk is full, OUT is gone, …
    """
    try:
        yield
    except OSError as error:
        raise stopped(error, out) from error


def disk_full(out: str, needed: int = 0) -> DiskFull:
    """Say that the disk is full, and how many bytes more are needed, where that is known.

    Args:
        out: OUT, or a folder in it.
        needed: Bytes.

    Example:
        >>> print(str(disk_full("/", 2_500_000)).partition(";")[0])
        the disk of OUT is full and about 2.5 MB more are needed
    """
    if _files_are_used_up(out):
        return DiskFull(
            "the disk of OUT can hold no more files, whatever their size (it has no free inodes); "
            "remove some files, then run the same command again to continue"
        )
    more = f" and about {_bytes(needed)} more are needed" if needed else ""
    return DiskFull(
        f"the disk of OUT is full{more}; make room, then run the same command again to continue"
    )


def _files_are_used_up(out: str) -> bool:
    """Return whether a disk has no place for another file, but for those that were just removed."""
    while not os.path.exists(out) and os.path.dirname(out) != out:
        out = os.path.dirname(out)
    try:
        disk = os.statvfs(out)
    except (AttributeError, OSError):  # Windows has no such call, and no such limit
        return False
    # Some file systems have no fixed number and say 0 of 0.
    return disk.f_files > 0 and disk.f_favail <= FEW_FILES


def _bytes(count: float) -> str:
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 1000:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:.1f} TB"


def stopped(error: OSError, out: str) -> Stopped:
    """Say why nothing can be written any more, and what to do."""
    if isinstance(error, TemporaryFull):
        return Stopped(
            f"the temporary folder {error.filename} has no room for what is made there for OUT "
            f"{out}; make room, or let TMPDIR name another folder, then run the same command "
            "again to continue"
        )
    if error.errno in FULL:
        return disk_full(out)
    if isinstance(error, LinkInside):
        return Stopped(
            f"OUT {out} was changed: {error.strerror}; remove that, then run the same command "
            "again to continue"
        )
    if error.errno in TOO_MANY_OPEN:
        return Stopped(
            "no more files can be opened; raise the limit of open files (ulimit -n), then run the "
            "same command again to continue"
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        cause = f"OUT {out} can't be written ({error.strerror}); give write permission, then"
    elif error.errno == errno.ENOENT:
        cause = f"OUT {out} was removed while it was being written;"
    else:
        cause = f"writing to OUT {out} failed ({error.strerror or error}); fix that, then"
    return Stopped(f"{cause} run the same command again to continue")
