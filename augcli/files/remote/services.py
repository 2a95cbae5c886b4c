"""Services: how objects are listed, read and written, by the scheme of a URL.

Here, and nowhere else, the package fsspec and its relatives are imported.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import sys
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from augcli.errors import UsageError
from augcli.files.remote.failures import (
    NO_BUCKET,
    NO_RANGE,
    Answered,
    NoCredentials,
    is_missing,
    status_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_PACKAGES: Final = {
    "s3": ("s3fs", "augcli[remote]"),
    "gs": ("gcsfs", "gcsfs"),
    "az": ("adlfs", "adlfs"),
    "memory": ("fsspec", "augcli[remote]"),
    "https": ("aiohttp", "augcli[remote]"),
}
"""The package of each scheme, and what installs it."""
SWITCH_SECONDS: Final = 0.0005
"""After which a thread that computes lets another one go on, which has an answer to take."""
PAGE = 1000
"""Objects that one request lists."""
_VERSIONS: Final = (
    *("ETag", "etag", "md5Hash", "generation", "content_settings", "mtime", "LastModified"),
    *("last_modified", "updated", "created", "Last-Modified"),
)
"""Where services say which version of an object it is, the surest first."""


_OPENING: Final = threading.Lock()


class Entry(NamedTuple):
    """An object.

    Attributes:
        key: Its name, with the bucket.
        size: Its bytes.
        version: 63 bits that are others when it has other bytes: of its checksum, where the
            service has one, else of the time of its last change.
    """

    key: str
    size: int
    version: int


class Read(NamedTuple):
    """What was read of an object.

    Attributes:
        data: The bytes.
        size: Those of the whole object.
        version: See :class:`Entry`.
    """

    data: bytes
    size: int
    version: int


class Page(NamedTuple):
    """Some of the objects of a folder.

    Attributes:
        entries: The objects.
        folders: Names of folders, where those below them were not asked for.
        following: What gives the next page; None where this is the last.
    """

    entries: list[Entry]
    folders: list[str]
    following: Any


class Service(Protocol):
    """A service that holds objects. All methods raise what its library raises."""

    def read(self, key: str, start: int = 0, count: int | None = None) -> Read:
        """Return bytes of an object."""
        ...

    def entry(self, key: str) -> Entry | None:
        """Return what is known of an object; None where there is none."""
        ...

    def modified(self, key: str) -> float | None:
        """Return when an object was written, in seconds; None where there is none."""
        ...

    def page(self, folder: str, following: Any = None, *, deep: bool = True) -> Page:
        """Return some of the objects below a folder.

        Args:
            folder: With the bucket.
            following: What the page before says; None for the first one.
            deep: Whether those of the folders in it come along.
        """
        ...

    def put(self, key: str, data: bytes, *, is_new: bool = False) -> None:
        """Write an object by one request; where it is to be new, there must be none."""
        ...

    def put_file(self, key: str, path: str) -> None:
        """Write an object from a file; it has its name when it is whole."""
        ...

    def remove(self, keys: Sequence[str]) -> None:
        """Remove objects, at most 1,000, of which some may be missing."""
        ...


def version_of(text: object) -> int:
    """Return 63 bits of what tells an object from a changed one."""
    digest = hashlib.blake2b(str(text).strip('"').encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def at_the_end(service: Service, key: str, start: int, error: Exception) -> Read:
    """Return no bytes where a request failed because an object ends before those asked for.

    Args:
        service: Has the object.
        key: Of the object, with its bucket.
        start: Of the bytes that were asked for.
        error: With which the request failed; raised where that was not the reason.
    """
    entry = service.entry(key) if status_of(error) == NO_RANGE else None
    if entry is None or start < entry.size:
        raise error
    return Read(b"", entry.size, entry.version)


def service(scheme: str) -> Service:
    """Return the service of a scheme; one for each process.

    Raises:
        UsageError: Its package is not installed.
    """
    # The first requests come from many threads at once, and opening a service takes a while.
    with _OPENING:
        return opened(scheme)


@functools.cache
def opened(scheme: str) -> Service:
    """Open the service of a scheme; see :func:`service`."""
    package, install = _PACKAGES[scheme]
    try:
        importlib.import_module(package)
        import fsspec  # noqa: PLC0415 - an extra, which only URLs need
    except ImportError:
        raise UsageError(
            f"{scheme}:// needs the package {package}: pip install '{install}'"
        ) from None
    # For all threads of the process; by default one waits as long as a picture takes.
    sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_SECONDS))
    if scheme == "s3":
        from augcli.files.remote.amazon import amazon_service  # noqa: PLC0415 - the same

        return amazon_service()
    if scheme == "gs":
        # Not the class that the scheme stands for, which asks more of the service for each bucket.
        from gcsfs.core import GCSFileSystem  # noqa: PLC0415

        return AnyService(GCSFileSystem(use_listings_cache=False), scheme)
    more = {"client_kwargs": {"trust_env": True}} if scheme == "https" else {}
    try:
        return AnyService(fsspec.filesystem(scheme, use_listings_cache=False, **more), scheme)
    except ValueError:
        raise NoCredentials from None  # of Azure


class AnyService:
    """Any other service, by what all file systems of fsspec can do.

    Args:
        system: The file system.
        scheme: Of its URLs.
    """

    def __init__(self, system: Any, scheme: str) -> None:
        self._system = system
        # A web server needs the whole URL, a bucket its name only.
        self._begin = f"{scheme}://" if scheme == "https" else ""
        self._has_buckets = scheme in ("gs", "az")

    def read(self, key: str, start: int = 0, count: int | None = None) -> Read:
        """Return bytes of an object."""
        end = None if count is None else start + count
        try:
            data = self._system.cat_file(f"{self._begin}{key}", start if end else None, end)
        except FileNotFoundError:
            self._check_bucket(key)
            raise
        except Exception as error:
            return at_the_end(self, key, start, error)
        # Afterwards: an object that was another one before has another version now.
        entry = self.entry(key)
        if entry is None:
            raise FileNotFoundError(key)
        return Read(data, entry.size, entry.version)

    def entry(self, key: str) -> Entry | None:
        """Return what is known of an object; None where there is none."""
        try:
            info = self._system.info(f"{self._begin}{key}")
        except FileNotFoundError as error:
            if is_missing(error):
                return None
            raise
        return self._entry(key, info) if info["type"] == "file" else None

    def modified(self, key: str) -> float | None:
        """Return when an object was written, in seconds; None where there is none."""
        try:
            return float(self._system.modified(key).timestamp())
        except FileNotFoundError:
            return None

    def page(self, folder: str, following: Any = None, *, deep: bool = True) -> Page:
        """Return the objects of one folder; those of the folders in it follow."""
        waiting = [folder] if following is None else list(following)
        found: list[Entry] = []
        below: list[str] = []
        place = waiting.pop()
        try:
            for info in self._system.ls(place, detail=True):
                key = info["name"].strip("/")
                if info["type"] == "file":
                    found.append(self._entry(key, info))
                else:
                    below.append(key)
        except FileNotFoundError:
            self._check_bucket(place)
        if not deep:
            return Page(found, below, None)
        return Page(found, [], waiting + below or None)

    def put(self, key: str, data: bytes, *, is_new: bool = False) -> None:
        """Write an object by one request."""
        try:
            self._system.pipe_file(key, data, mode="create" if is_new else "overwrite")
        except Exception as error:
            if isinstance(error, FileNotFoundError) or status_of(error) == 404:
                self._check_bucket(key)
            raise

    def put_file(self, key: str, path: str) -> None:
        """Write an object from a file."""
        self._system.put_file(path, key)

    def remove(self, keys: Sequence[str]) -> None:
        """Remove objects."""
        for key in keys:
            with contextlib.suppress(FileNotFoundError):
                self._system.rm_file(key)

    def _check_bucket(self, key: str) -> None:
        """Say so where it is the bucket that is missing."""
        if self._has_buckets:
            try:
                self._system.info(key.partition("/")[0])
            except FileNotFoundError:
                raise Answered(404, NO_BUCKET) from None

    def _entry(self, key: str, info: dict[str, Any]) -> Entry:
        version = next((info[name] for name in _VERSIONS if info.get(name) is not None), "")
        if isinstance(version, datetime):  # listings have the same as a number
            version = version.timestamp()
        return Entry(key, int(info["size"] or 0), version_of(version))
