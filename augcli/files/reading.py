"""Reading files: regular ones, bounded in size, never waited for."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import stat
import sys
from typing import IO, TYPE_CHECKING, Any, BinaryIO, NamedTuple

from augcli.files.descriptors import NO_FOLLOW
from augcli.files.remote import objects
from augcli.files.remote.url import is_url

if TYPE_CHECKING:
    from collections.abc import Callable

Path = str | os.PathLike[str]

JSON_LIMIT = 64 << 20
"""Bytes of the largest JSON file that is read."""

TABLE_LIMIT = 1 << 30
"""Bytes of the largest table of labels, or file of metadata, that is read whole."""
MODEL_LIMIT = 2 << 30
"""Bytes of the largest ONNX file that is read: the format can't hold more."""
SMALL = 1 << 20
"""Bytes of a file that is read at once, without a look at its beginning first."""
HEAD_BYTES = 512
"""Bytes of a file that say what it is."""

NO_WAIT = getattr(os, "O_NONBLOCK", 0)
"""Opening a pipe doesn't wait for its other end."""
_BINARY = getattr(os, "O_BINARY", 0)
READ_FLAGS = os.O_RDONLY | NO_WAIT | _BINARY
READ_AND_WRITE = os.O_RDWR | os.O_CREAT | NO_WAIT | _BINARY
_PIECE = 1 << 20


class Content(NamedTuple):
    """A file that was read.

    Attributes:
        data: All of its bytes.
        size: Bytes that it had when it was opened.
        modified: Time of its last change before it was opened, in nanoseconds.
        is_steady: Whether it is still of that size and time, after all of it was read.
    """

    data: bytes
    size: int
    modified: int
    is_steady: bool = True


def read_file(path: Path, limit: int | None = None) -> Content:
    """Return the content of a regular file.

    Args:
        path: The file.
        limit: The most bytes that it may have.

    Raises:
        OSError: It can't be read, is no regular file, or is larger than the limit.
    """
    if is_url(path):
        return _read_object(os.fspath(path), limit)
    # Without a file object: half the time of a small image's read.
    descriptor, status = open_regular(path)
    try:
        return read_descriptor(descriptor, status, limit)
    finally:
        os.close(descriptor)


def read_checked(path: Path, limit: int, check: Callable[[bytes, int, int], object]) -> Content:
    """Return the content of a regular file, unless its beginning says that it is of no use.

    Args:
        path: The file.
        limit: The most bytes that it may have.
        check: Called with the first 512 bytes, the size and the limit of a file that is larger
            than :data:`SMALL` or than the limit, before the rest is read. What it raises ends the
            reading.

    Raises:
        OSError: It can't be read, is no regular file, or is larger than the limit.
    """
    if is_url(path):
        return _read_object(os.fspath(path), limit, check)
    # Each call counts: this is done for every image.
    descriptor = os.open(path, READ_FLAGS)
    try:
        before = os.fstat(descriptor)
        size = before.st_size
        if size > SMALL or size > limit or not stat.S_ISREG(before.st_mode):
            regular(descriptor)
            check(os.read(descriptor, HEAD_BYTES), size, limit)
            os.lseek(descriptor, 0, os.SEEK_SET)
            data = read_descriptor(descriptor, before, limit).data
        else:
            data = os.read(descriptor, size + 1)
            if len(data) != size:
                data = _rest(descriptor, data, limit)
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    is_steady = after.st_mtime_ns == before.st_mtime_ns and after.st_size == size == len(data)
    return Content(data, size, modified_at(before), is_steady)


def read_descriptor(descriptor: int, status: os.stat_result, limit: int | None) -> Content:
    """Return the content of an open file; see :func:`read_file`."""
    if limit is not None and status.st_size > limit:
        raise OSError(errno.EFBIG, f"has {status.st_size:,} bytes, more than {limit:,}")
    # A byte more than it should have says whether that is all.
    data = os.read(descriptor, status.st_size + 1)
    if len(data) != status.st_size:
        data = _rest(descriptor, data, limit)
    return Content(data, status.st_size, modified_at(status))


def regular(descriptor: int) -> os.stat_result:
    """Return the status of an open file.

    Raises:
        OSError: It is no regular file.
    """
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "is not a regular file")
    return status


def open_regular(path: Path) -> tuple[int, os.stat_result]:
    """Open a regular file, and return its descriptor and its status.

    Raises:
        OSError: It can't be read, or is no regular file.
    """
    descriptor = os.open(path, READ_FLAGS)
    try:
        return descriptor, regular(descriptor)
    except BaseException:
        os.close(descriptor)
        raise


def read_given(path: Path, limit: int | None = None) -> bytes:
    """Return the bytes of a file that a person named, which may also be a pipe.

    Raises:
        OSError: It can't be read, is a folder or a device, or is larger than the limit.
    """
    if is_url(path) or not stat.S_ISFIFO(os.stat(path).st_mode):
        return read_file(path, limit).data
    with open(path, "rb") as pipe:
        data = pipe.read(-1 if limit is None else limit + 1)
    if limit is not None and len(data) > limit:
        raise OSError(errno.EFBIG, f"has more than {limit:,} bytes")
    return data


def read_standard_input(limit: int) -> bytes:
    """Return all bytes of standard input.

    Raises:
        OSError: It is a terminal, is closed, or has more bytes than the limit.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise OSError(errno.EINVAL, "is a terminal here")
    data = sys.stdin.buffer.read(limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"has more than {limit:,} bytes")
    return data


def read_json(path: Path, limit: int = JSON_LIMIT) -> Any:
    """Return what a JSON file holds.

    Raises:
        OSError: It can't be read.
        ValueError: It is not JSON in UTF-8, or is nested too deeply.
    """
    return parse_json(read_file(path, limit).data)


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


_DECODE = json.JSONDecoder(parse_constant=_refuse_constant).decode


def parse_json(data: bytes) -> Any:
    """Return what JSON in UTF-8 holds.

    Raises:
        ValueError: It is something else, is nested too deeply, or holds NaN, Infinity or a whole
            number of thousands of digits.
    """
    try:
        return _DECODE(data.decode("utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def open_file(path: Path) -> io.BufferedReader:
    """Open a regular file for reading in pieces.

    Raises:
        OSError: It can't be read, or is no regular file.
    """
    if is_url(path):
        return objects.open_object(os.fspath(path))
    return open(open_regular(path)[0], "rb")


def open_status(file: io.BufferedReader) -> tuple[int, int]:
    """Return the bytes of an open file and the time of its last change, as they are now.

    Of an object, those of its last reading.
    """
    if isinstance(file.raw, objects.ObjectFile):
        return file.raw.status()
    status = os.fstat(file.fileno())
    return status.st_size, modified_at(status)


def open_table(path: Path) -> BinaryIO:
    """Open a file, made if it is missing, for reading and writing at any place.

    Raises:
        OSError: It can't be made, or a symbolic link, a pipe or a device has its name.
    """
    descriptor = os.open(path, READ_AND_WRITE | NO_FOLLOW, 0o666)
    try:
        regular(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return open(descriptor, "r+b", buffering=0)


def open_null() -> IO[bytes]:
    """Open the system's null device, which takes everything and holds nothing."""
    return open(os.devnull, "w+b")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a regular file, in hexadecimal digits."""
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def modified_at(status: os.stat_result) -> int:
    """Return the time of a file's last change, cut to 64 bits: some file systems hold any."""
    return max(-(2**63), min(2**63 - 1, status.st_mtime_ns))


def _read_object(
    url: str, limit: int | None, check: Callable[[bytes, int, int], object] | None = None
) -> Content:
    """Return the content of an object; see :func:`read_checked`."""
    found = objects.read(url, 0, SMALL)
    data, size = found.data, found.size
    if limit is not None and (size > SMALL or size > limit):
        if check:
            check(data[:HEAD_BYTES], size, limit)
        if size > limit:
            raise OSError(errno.EFBIG, f"has {size:,} bytes, more than {limit:,}")
    is_steady = True
    if size > len(data):
        rest = objects.read(url, len(data), size - len(data))
        is_steady = rest.version == found.version
        data += rest.data
    return Content(data, size, found.version, is_steady and len(data) == size)


def _rest(descriptor: int, data: bytes, limit: int | None) -> bytes:
    """Return a file's bytes to its end: it changes, or one call does not give all.

    Raises:
        OSError: It has grown beyond the limit.
    """
    pieces = [data]
    total = len(data)
    while pieces[-1]:
        if limit is not None and total > limit:
            raise OSError(errno.EFBIG, f"grows beyond {limit:,} bytes")
        pieces.append(os.read(descriptor, _PIECE))
        total += len(pieces[-1])
    return b"".join(pieces)
