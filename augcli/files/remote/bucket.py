"""A folder of a bucket that augcli writes into: the one class that changes anything in it.

An object is put by one request, so it is whole or not there: nothing is ever renamed, and no
unfinished object needs a name. There are no folders: they are there while something is in them.
"""

from __future__ import annotations

import contextlib
import errno
import io
import itertools
import os
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, BinaryIO, Final

from augcli.files.descriptors import is_inside
from augcli.files.draft import Draft
from augcli.files.publishing import WRITE_FLAGS, remove_file
from augcli.files.reading import open_table, read_file
from augcli.files.remote import objects
from augcli.files.remote.presence import Presence
from augcli.files.remote.putting import AT_ONCE, Putting
from augcli.files.spool import Spool, naming_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    from augcli.files.output_files import Answer
    from augcli.files.places import Kind

LONGEST_KEY: Final = 1024
"""Bytes of the longest name that services take."""
SINGLE_QUESTIONS: Final = 32
"""Sizes that are asked for one by one; then all objects are listed."""


class Bucket:
    """A folder of a bucket that augcli writes into.

    Args:
        url: The URL of the folder.
        whole: That of which this one is a part, see :meth:`apart`.

    Attributes:
        path: The URL of the folder.
    """

    def __init__(self, url: str, whole: Bucket | None = None) -> None:
        self.path = url
        self._whole = whole or self
        self._putting: Putting = whole._putting if whole else Putting()
        self._waiting: list[Future[None]] = []
        self._first: Future[None] | None = None
        self._spool: Spool | None = None
        self._numbers = itertools.count()
        self._sizes: dict[str, int] | None = None
        self._asked = 0

    def apart(self) -> Bucket:
        """Return the same folder, which waits only for what is published through it."""
        return Bucket(self.path, self._whole)

    def kind(self) -> Kind:
        """Return what OUT is: a folder where an object is below it."""
        if objects.entry(self.path):
            return "file"
        return "folder" if objects.holds_objects(self.path) else ""

    def identity(self) -> tuple[int, int]:
        """Return the same for all: a bucket of one name is one bucket."""
        return (0, 0)

    def begin(self, *folders: str) -> None:
        """Do nothing: folders come with what is in them."""

    def try_writing(self) -> None:
        """Put an object and remove it again."""
        url = self._url(f".augcli-trial-{os.getpid()}")
        objects.put(url, b"")
        objects.remove([url])

    def free_bytes(self) -> int | None:
        """Return None: a bucket has room for all."""
        return None

    def publish(self, name: str, content: bytes | Callable[[BinaryIO], object]) -> None:
        """Put an object, soon, while the next one is being made.

        Raises:
            OSError: This one or one before can't be written.
        """
        url = self._url(name)
        self._sizes = None
        if not isinstance(content, bytes):
            path = self._local_file()
            try:
                with self._naming_folder(), io.BufferedWriter(open_table(path)) as file:
                    content(file)
                self.sync()
                objects.put_file(url, path)
            finally:
                remove_file(path)
            return
        while self._waiting and self._waiting[0].done():
            self._waiting.pop(0).result()
        self._waiting.append(self._putting.put(url, content, self._first))

    def publish_first(self, name: str, data: bytes) -> None:
        """Put an object before those that are published afterwards."""
        self.publish(name, data)
        self._first = self._waiting[-1]

    def create(self, name: str, data: bytes) -> bool:
        """Put an object that is not there yet; return whether this call made it."""
        self.sync()
        self._sizes = None
        return objects.put_new(self._url(name), data)

    def clock(self) -> float:
        """Return the time by the clock of the service, in seconds."""
        url = self._url(f".augcli-clock-{os.getpid()}")
        objects.put(url, b".")
        now = objects.modified(url)
        objects.remove([url])
        return time.time() if now is None else now

    def modified(self, name: str) -> float | None:
        """Return when an object was written, by that clock; None where it is missing."""
        self.sync()
        return objects.modified(self._url(name))

    def remove_root(self) -> None:
        """Do nothing: a folder is gone when nothing is in it."""

    def draft(self) -> Draft:
        """Begin an object on the disk of this machine; it is put when it is whole."""
        path = self._local_file()
        with self._naming_folder():
            descriptor = os.open(path, WRITE_FLAGS, 0o600)

        def give_name(name: str) -> None:
            self.sync()
            self._sizes = None
            objects.put_file(self._url(name), path)
            remove_file(path)

        return Draft(
            descriptor,
            give_name,
            lambda: remove_file(path),
            syncs=False,
            writing=self._naming_folder,
        )

    def sync(self) -> None:
        """Wait until all that was published is there.

        Raises:
            OSError: Something can't be written.
        """
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            future.result()

    def read(self, name: str, limit: int | None = None) -> bytes:
        """Return the bytes of an object."""
        self.sync()
        return read_file(self._url(name), limit).data

    def in_turn(self, names: Iterable[str], read: Callable[[str], Answer]) -> Iterator[Answer]:
        """Yield what reading gives for each name, in order; several are read at a time."""
        self.sync()
        coming: deque[Future[Answer]] = deque()
        pool = ThreadPoolExecutor(AT_ONCE, "augcli-parts")
        try:
            for name in names:
                coming.append(pool.submit(read, name))
                if len(coming) > AT_ONCE:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def open(self, name: str) -> io.BufferedReader:
        """Open an object for reading in pieces."""
        self.sync()
        return objects.open_object(self._url(name))

    def size(self, name: str) -> int | None:
        """Return how many bytes an object has; None where it is missing.

        Where many are asked for, all objects are listed once. What a listing doesn't show yet is
        asked for.
        """
        if not is_inside(name):
            return None
        self.sync()
        self._asked += 1
        if self._sizes is None and self._asked > SINGLE_QUESTIONS:
            self._sizes = {entry.key: entry.size for entry in objects.entries(self.path)}
        if self._sizes and name in self._sizes:
            return self._sizes[name]
        found = objects.entry(self._url(name))
        return found.size if found else None

    def has_folder(self, name: str) -> bool:
        """Return whether an object lies in a folder."""
        self.sync()
        return objects.holds_objects(self._url(name))

    def names(self, name: str) -> list[str]:
        """Return what lies in a folder, sorted."""
        self.sync()
        return sorted(objects.names(self._url(name) if name else self.path))

    def walk(self, besides: str) -> Iterator[str]:
        """Yield the names of all objects but those in one folder, in no order."""
        self.sync()
        for entry in objects.entries(self.path):
            if not entry.key.startswith(f"{besides}/"):
                yield entry.key

    def remove(self, *names: str) -> None:
        """Remove objects, those that are there, and that can be."""
        self.sync()
        self._sizes = None
        with contextlib.suppress(OSError):
            objects.remove(self._url(name) for name in names)

    def remove_files(self, name: str) -> None:
        """Remove the objects of a folder."""
        self.remove(*(f"{name}/{leaf}" for leaf in self.names(name)))

    def remove_folder(self, name: str) -> bool:
        """Return whether nothing is in a folder, for all that is known: then it is gone."""
        with contextlib.suppress(OSError):
            return not self.has_folder(name)
        return False

    def remove_empty(self, names: Iterable[str]) -> None:
        """Do nothing: a folder is gone when nothing is in it."""

    def remove_unfinished(self) -> None:
        """Do nothing: an object that is not whole has no name."""

    @contextlib.contextmanager
    def scratch(self) -> Iterator[BinaryIO]:
        """Open a file on this machine for reading and writing that is gone afterwards."""
        path = self._local_file()
        with self._naming_folder(), open_table(path) as file:
            try:
                yield file
            finally:
                remove_file(path)

    def local(self, name: str) -> str:
        """Return the path of a temporary folder on this machine."""
        return f"{self._local}/{name}"

    def lock(self, name: str) -> Presence | None:
        """Take a lock; None where another run has it."""
        return Presence.take(self._url(name))

    def is_locked(self, name: str) -> bool:
        """Return whether a run has a lock now."""
        return Presence.is_taken(self._url(name))

    def close(self) -> None:
        """Let go of the threads and of files on this machine."""
        with contextlib.suppress(OSError):
            self.sync()
        self._putting.close()

    def _naming_folder(self) -> contextlib.AbstractContextManager[None]:
        return naming_folder(os.path.dirname(self._local))

    @property
    def _local(self) -> str:
        whole = self._whole
        whole._spool = whole._spool or Spool()
        return whole._spool.path

    def _local_file(self) -> str:
        return f"{self._local}/{next(self._whole._numbers)}-{threading.get_native_id()}"

    def _url(self, name: str) -> str:
        """Return the URL of a name.

        Raises:
            OSError: It is none inside the folder, or too long.
        """
        if not is_inside(name):
            raise OSError(errno.EINVAL, f"{name!r} is no name inside the folder")
        url = f"{self.path}/{name}"
        if len(url.encode("utf-8", "surrogateescape")) > LONGEST_KEY:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        return url
