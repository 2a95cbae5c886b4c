"""Services: how objects are listed, read and written, by the scheme of a URL.

Here, and nowhere else, the package fsspec and its relatives are imported.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from augcli.errors import UsageError
from augcli.files.remote.failures import is_missing

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
CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 60
CONNECTIONS: Final = 64
"""Connections of a process at a time."""
SWITCH_SECONDS: Final = 0.0005
"""After which a thread that computes lets another one go on, which has an answer to take."""
PAGE = 1000
"""Objects that one request lists."""
PART: Final = 16 << 20
"""Bytes of the parts in which a larger object is put."""
PARTS_AT_ONCE: Final = 4
PART_TRIES: Final = 8
_VERSIONS: Final = (
    *("ETag", "etag", "md5Hash", "generation", "content_settings", "mtime", "LastModified"),
    *("last_modified", "updated", "created", "Last-Modified"),
)
"""Where services say which version of an object it is, the surest first."""


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


@functools.cache
def service(scheme: str) -> Service:
    """Return the service of a scheme; one for each process.

    Raises:
        UsageError: Its package is not installed.
    """
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
        timeouts = {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS}
        # Requests are tried again in one place, for all services: augcli.files.remote.objects.
        once = {"max_pool_connections": CONNECTIONS, "retries": {"total_max_attempts": 1}}
        options = {"use_listings_cache": False, "config_kwargs": {**timeouts, **once}}
        system, uploads = (
            fsspec.filesystem("s3", skip_instance_cache=True, **options) for _ in range(2)
        )
        system.retries, uploads.retries = 1, PART_TRIES
        return AmazonService(system, uploads)
    more = {"client_kwargs": {"trust_env": True}} if scheme == "https" else {}
    return AnyService(fsspec.filesystem(scheme, use_listings_cache=False, **more), scheme)


class AmazonService:
    """S3 of Amazon, and services that speak as it does.

    An answer says the version of what was read, so a changed object is noticed without another
    request. Listings are read page by page: fsspec keeps whole ones in memory.

    Args:
        system: The file system of s3fs.
        uploads: Another one, which tries each part of a large object again.
    """

    def __init__(self, system: Any, uploads: Any) -> None:
        self._system = system
        self._uploads = uploads

    def read(self, key: str, start: int = 0, count: int | None = None) -> Read:
        """Return bytes of an object."""
        from fsspec.asyn import sync  # noqa: PLC0415

        bucket, _, name = key.partition("/")
        wanted = {} if count is None else {"Range": f"bytes={start}-{start + count - 1}"}

        async def get() -> Read:
            answer = await self._system._call_s3("get_object", Bucket=bucket, Key=name, **wanted)
            async with answer["Body"] as body:
                data = await body.read()
            size = answer.get("ContentRange", "").rpartition("/")[2]
            return Read(data, int(size or len(data)), version_of(answer["ETag"]))

        try:
            found: Read = sync(self._system.loop, get)
        except OSError:
            # No range begins in an object without bytes.
            entry = self.entry(key) if wanted else None
            if entry is None or start < entry.size:
                raise
            return Read(b"", entry.size, entry.version)
        return found

    def entry(self, key: str) -> Entry | None:
        """Return what is known of an object; None where there is none."""
        bucket, _, name = key.partition("/")
        try:
            answer = self._system.call_s3("head_object", Bucket=bucket, Key=name)
        except FileNotFoundError:
            return None
        return Entry(key, answer["ContentLength"], version_of(answer["ETag"]))

    def modified(self, key: str) -> float | None:
        """Return when an object was written, in seconds; None where there is none."""
        bucket, _, name = key.partition("/")
        try:
            answer = self._system.call_s3("head_object", Bucket=bucket, Key=name)
        except FileNotFoundError:
            return None
        return float(answer["LastModified"].timestamp())

    def page(self, folder: str, following: Any = None, *, deep: bool = True) -> Page:
        """Return some of the objects below a folder."""
        bucket, _, prefix = folder.partition("/")
        wanted: dict[str, Any] = {"Bucket": bucket, "MaxKeys": PAGE}
        if prefix:
            wanted["Prefix"] = f"{prefix}/"
        if not deep:
            wanted["Delimiter"] = "/"
        if following:
            wanted["ContinuationToken"] = following
        answer = self._system.call_s3("list_objects_v2", **wanted)
        found = [
            Entry(f"{bucket}/{one['Key']}", one["Size"], version_of(one["ETag"]))
            for one in answer.get("Contents", ())
        ]
        below = [f"{bucket}/{one['Prefix']}"[:-1] for one in answer.get("CommonPrefixes", ())]
        return Page(found, below, answer.get("NextContinuationToken"))

    def put(self, key: str, data: bytes, *, is_new: bool = False) -> None:
        """Write an object by one request."""
        bucket, _, name = key.partition("/")
        condition = {"IfNoneMatch": "*"} if is_new else {}
        self._system.call_s3("put_object", Bucket=bucket, Key=name, Body=data, **condition)

    def put_file(self, key: str, path: str) -> None:
        """Write an object from a file, a large one in parts that the service puts together."""
        self._uploads.put_file(path, key, chunksize=PART, max_concurrency=PARTS_AT_ONCE)

    def remove(self, keys: Sequence[str]) -> None:
        """Remove objects."""
        bucket = keys[0].partition("/")[0]
        names = [{"Key": key.partition("/")[2]} for key in keys]
        self._system.call_s3(
            "delete_objects", Bucket=bucket, Delete={"Objects": names, "Quiet": True}
        )


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

    def read(self, key: str, start: int = 0, count: int | None = None) -> Read:
        """Return bytes of an object."""
        end = None if count is None else start + count
        data = self._system.cat_file(f"{self._begin}{key}", start if end else None, end)
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
        with contextlib.suppress(FileNotFoundError):
            for info in self._system.ls(waiting.pop(), detail=True):
                key = info["name"].strip("/")
                if info["type"] == "file":
                    found.append(self._entry(key, info))
                else:
                    below.append(key)
        if not deep:
            return Page(found, below, None)
        return Page(found, [], waiting + below or None)

    def put(self, key: str, data: bytes, *, is_new: bool = False) -> None:
        """Write an object by one request."""
        self._system.pipe_file(key, data, mode="create" if is_new else "overwrite")

    def put_file(self, key: str, path: str) -> None:
        """Write an object from a file."""
        self._system.put_file(path, key)

    def remove(self, keys: Sequence[str]) -> None:
        """Remove objects."""
        for key in keys:
            with contextlib.suppress(FileNotFoundError):
                self._system.rm_file(key)

    def _entry(self, key: str, info: dict[str, Any]) -> Entry:
        version = next((info[name] for name in _VERSIONS if info.get(name) is not None), "")
        if isinstance(version, datetime):  # listings have the same as a number
            version = version.timestamp()
        return Entry(key, int(info["size"] or 0), version_of(version))
