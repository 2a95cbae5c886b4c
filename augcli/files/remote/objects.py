"""Objects: what can be done with the object or the objects that a URL names.

Every request is tried again where the service is too busy or can't be reached for a while, and
what goes wrong in the end is the error that it would be for a file.
"""

from __future__ import annotations

import errno
import functools
import io
import os
import threading
import time
from typing import TYPE_CHECKING, Final, TypeVar

from augcli.errors import UsageError
from augcli.files.remote.failures import NO_OBJECT, failure, is_transient
from augcli.files.remote.services import Entry, Read, service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from augcli.files.remote.services import Page, Service

Answer = TypeVar("Answer")

TRIES: Final = 8
"""Of one request; with the waits between them, over about half a minute."""
UPLOAD_TRIES: Final = 2
"""Of a whole file."""
FIRST_WAIT: Final = 0.2
LONGEST_WAIT: Final = 10.0
MOST_REMOVED: Final = 1000
"""Objects that one request removes."""
STEP: Final = 1 << 20
"""Bytes that are read at a time at first, where an object is read front to back."""
LONGEST_STEP: Final = 8 << 20


def entries(url: str) -> Iterator[Entry]:
    """Yield the objects below a URL, in no particular order, with names relative to it.

    Raises:
        OSError: They can't be listed.
    """
    scheme, folder = _parts(url)
    following = None
    while True:
        page = _tried(scheme, functools.partial(_page, folder, following))
        for key, size, version in page.entries:
            name = key[len(folder) + 1 :]
            if name and not name.endswith("/"):  # what a console made to show a folder
                yield Entry(name, size, version)
        following = page.following
        if following is None:
            return


def names(url: str) -> list[str]:
    """Return the names of the objects in a folder, and of the folders in it.

    Raises:
        OSError: They can't be listed.
    """
    scheme, folder = _parts(url)
    found: list[str] = []
    following = None
    while True:
        page = _tried(scheme, functools.partial(_page, folder, following, deep=False))
        keys = [*(entry.key for entry in page.entries), *page.folders]
        found += [key[len(folder) + 1 :] for key in keys if len(key) > len(folder) + 1]
        following = page.following
        if following is None:
            return found


def entry(url: str) -> Entry | None:
    """Return what is known of the object of a URL; None where there is none.

    Raises:
        OSError: The service doesn't say.
    """
    scheme, key = _parts(url)
    return _tried(scheme, lambda one: one.entry(key)) if "/" in key else None


def modified(url: str) -> float | None:
    """Return when an object was written, in seconds by the service's clock; None without one.

    Raises:
        OSError: The service doesn't say.
    """
    scheme, key = _parts(url)
    return _tried(scheme, lambda one: one.modified(key))


def holds_objects(url: str) -> bool:
    """Return whether there is an object below a URL.

    Raises:
        OSError: They can't be listed.
    """
    return next(entries(url), None) is not None


def read(url: str, start: int = 0, count: int | None = None) -> Read:
    """Return bytes of an object, fewer where it ends before.

    Raises:
        OSError: They can't be read.
    """
    scheme, key = _parts(url)
    if count == 0:  # which no range can name
        found = entry(url)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, NO_OBJECT)
        return Read(b"", found.size, found.version)
    return _tried(scheme, lambda one: one.read(key, start, count))


def put(url: str, data: bytes) -> None:
    """Write an object, by one request; what has its name is replaced.

    Raises:
        OSError: It can't be written; nothing has changed.
    """
    scheme, key = _parts(url)
    _tried(scheme, lambda one: one.put(key, data))


def put_new(url: str, data: bytes) -> bool:
    """Write an object if there is none of its name; return whether it was written.

    Where the service takes no conditions, it is looked for first.

    Raises:
        OSError: It can't be written.
    """
    scheme, key = _parts(url)
    try:
        _tried(scheme, lambda one: one.put(key, data, is_new=True))
    except FileExistsError:
        # An earlier try may have come through although its answer did not.
        return read(url).data == data
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise
        if entry(url) is not None:
            return False
        put(url, data)
    return True


def put_file(url: str, path: str) -> None:
    """Write an object from a file.

    Raises:
        OSError: It can't be written; nothing has changed.
    """
    scheme, key = _parts(url)
    # Its parts are tried again by themselves.
    _tried(scheme, lambda one: one.put_file(key, path), UPLOAD_TRIES)


def remove(urls: Iterable[str]) -> None:
    """Remove objects of one bucket; some may be missing.

    Raises:
        OSError: They can't be removed.
    """
    keys: list[str] = []
    scheme = ""

    def clear() -> None:
        if keys:
            _tried(scheme, lambda one: one.remove(keys))
            keys.clear()

    for url in urls:
        scheme, key = _parts(url)
        keys.append(key)
        if len(keys) == MOST_REMOVED:
            clear()
    clear()


class ObjectPieces:
    """An object of which pieces are read at any place; several threads may use one.

    Where pieces follow one another, as when an archive is listed, more is read at a time.

    Args:
        url: Of the object.

    Raises:
        OSError: There is none, or it can't be read.
    """

    def __init__(self, url: str) -> None:
        self.path = url
        found = entry(url)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, NO_OBJECT)
        self._status = found.size, found.version
        self._block = 0, b""
        self._end = -1
        self._step = 0
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[ObjectPieces], tuple[str]]:
        """Pickle by the URL."""
        return type(self), (self.path,)

    def status(self) -> tuple[int, int]:
        """Return the bytes and the version of the object, as they were at the last reading."""
        return self._status

    def read(self, position: int, count: int) -> bytes:
        """Return bytes from a place on.

        Raises:
            EOFError: The object ends before the last of them.
            OSError: They can't be read.
        """
        with self._lock:
            start, block = self._block
            if start <= position and position + count <= start + len(block):
                self._end = position + count
                return block[position - start : position - start + count]
            goes_on = 0 <= position - self._end <= LONGEST_STEP
            self._step = min(LONGEST_STEP, max(STEP, 2 * self._step)) if goes_on else 0
            self._end = position + count
            wanted = min(max(count, self._step), max(0, self._status[0] - position))
        if wanted < count:
            raise EOFError(f"it ends {count - wanted:,} bytes too early")
        data, *status = read(self.path, position, wanted) if wanted else (b"", *self._status)
        with self._lock:
            self._status = status[0], status[1]
            if wanted > count:
                self._block = position, data
        if len(data) < count:
            raise EOFError(f"it ends {count - len(data):,} bytes too early")
        return data[:count]


class ObjectFile(io.RawIOBase):
    """An object as a file that is open for reading.

    Args:
        url: Of the object.

    Raises:
        OSError: There is none, or it can't be read.
    """

    def __init__(self, url: str) -> None:
        self._pieces = ObjectPieces(url)
        self._position = 0

    def status(self) -> tuple[int, int]:
        """Return the bytes and the version of the object, as they were at the last reading."""
        return self._pieces.status()

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return where the next bytes are read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to another place."""
        begin = (0, self._position, self._pieces.status()[0])[whence]
        self._position = max(0, begin + offset)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read bytes into a buffer; return how many."""
        left = max(0, self._pieces.status()[0] - self._position)
        count = min(len(buffer), left)
        buffer[:count] = self._pieces.read(self._position, count) if count else b""
        self._position += count
        return count


def open_object(url: str) -> io.BufferedReader:
    """Open an object for reading in pieces.

    Raises:
        OSError: There is none, or it can't be read.
    """
    return io.BufferedReader(ObjectFile(url), 1 << 16)


def _page(folder: str, following: object, one: Service, *, deep: bool = True) -> Page:
    return one.page(folder, following, deep=deep)


def _parts(url: str) -> tuple[str, str]:
    scheme, _, key = url.partition("://")
    return scheme, key


def _tried(scheme: str, request: Callable[[Service], Answer], tries: int = TRIES) -> Answer:
    """Return the answer to a request, which is made again while the service is too busy."""
    for attempt in range(tries):
        try:
            return request(service(scheme))
        except UsageError:
            raise
        except Exception as error:
            if attempt + 1 == tries or not is_transient(error):
                raise failure(error, scheme) from None
        # Not all at the same moment: a service is busy because many ask.
        share = (1 + os.urandom(1)[0] / 255) / 2
        time.sleep(min(LONGEST_WAIT, FIRST_WAIT * 2**attempt) * share)
    raise AssertionError
