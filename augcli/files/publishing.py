"""Publishing files: written whole under a temporary name, then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from augcli.files.reading import Path

WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)


def create_file(path: Path, data: bytes) -> None:
    """Write a new file, whole before it gets its name.

    Raises:
        FileExistsError: There is a file of that name.
        OSError: It can't be written; nothing is left of it.
    """
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(path))
    unfinished = unfinished_name(path)
    try:
        write_file(unfinished, data)
        try:
            # Unlike a rename, a second name never replaces a file that was made meanwhile.
            os.link(unfinished, path)
        except FileExistsError:
            raise
        except OSError:  # some file systems have no second names
            os.rename(unfinished, path)
    finally:
        remove_file(unfinished)


def publish_file(path: Path, content: bytes | Callable[[BinaryIO], object]) -> None:
    """Write a file whole under a temporary name beside it, then rename it.

    Args:
        path: The final name; what is there is replaced.
        content: The bytes, or what writes them into a file.
    """
    with replacing(path) as unfinished:
        write_file(unfinished, content)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[str]:
    """Yield a temporary name beside a file; what is written there gets the file's name at the end.

    Where an error ends it, the temporary file is removed and nothing else changes.
    """
    unfinished = unfinished_name(path)
    try:
        yield unfinished
        os.replace(unfinished, path)
    except BaseException:
        remove_file(unfinished)
        raise


def unfinished_name(path: Path) -> str:
    """Return the name that a file has until it is written whole by this process."""
    folder, name = os.path.split(os.fspath(path))
    return os.path.join(folder, f".{name}.tmp-{os.getpid()}")


def write_file(path: Path, content: bytes | Callable[[BinaryIO], object]) -> None:
    """Write a file under its final name at once; for names that :func:`replacing` gave."""
    descriptor = os.open(path, WRITE_FLAGS, 0o666)
    try:
        write_all(descriptor, content)
    finally:
        os.close(descriptor)


def remove_file(path: Path) -> None:
    """Remove a file, if that can be done."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def write_all(descriptor: int, content: bytes | Callable[[BinaryIO], object]) -> None:
    """Write all of it; bytes without a file object, in a third of the time for a small image."""
    if not isinstance(content, bytes):
        with open(descriptor, "wb", closefd=False) as file:
            content(file)
        return
    written = os.write(descriptor, content)
    while written < len(content):
        written += os.write(descriptor, memoryview(content)[written:])


def sync_descriptor(descriptor: int, *, is_folder: bool = False) -> None:
    """Force an open file, or the names in an open folder, to the disk."""
    try:
        _sync(descriptor)
    except OSError as error:
        # Some network file systems can't sync a folder, and say so.
        if not is_folder or error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


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
