"""A list of sources as a file, so that many machines need not list INPUT each.

Lines of JSON say what all sources have in common; then come the columns: one number after the
other, and the paths with a zero byte after each. All of it is packed with gzip.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
import zlib
from array import array
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from augcli.data.labels import Label
from augcli.data.stores.packed_paths import PackedPaths
from augcli.data.stores.sources import Sources
from augcli.files import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPRESSION: Final = 1
COLUMNS: Final = (
    *("sizes", "modified", "label_of", "starts"),
    *("ending_of", "split_of", "group_of"),
)
"""The attributes of :class:`Sources` that have a number for each source, or none."""
PLAIN: Final = (
    "root",
    "classes",
    "containers",
    "endings",
    "splits",
    "groups",
    "labels_sha256",
    "container_mark",
)
SWITCHES: Final = ("in_containers", "keeps_containers", "are_files", "are_many")
PATHS_AT_ONCE: Final = 1 << 16


def source_list(sources: Sources, also: Any) -> Iterator[bytes]:
    """Yield the content of a list, in pieces, before it is packed.

    Args:
        sources: All of them.
        also: What else belongs to them, as JSON can hold it.
    """
    yield _line(also)
    header = {name: getattr(sources, name) for name in (*PLAIN, *SWITCHES)}
    header["labels"] = [label.to_json() for label in sources.labels]
    header["refused"] = sources.refused
    columns = {name: getattr(sources, name) for name in COLUMNS}
    header["count"] = len(sources)
    header["columns"] = [name for name, values in columns.items() if values]
    yield _line(header)
    for values in columns.values():
        if values:
            yield _numbers(array("q", values)).tobytes()
    for start in range(0, len(sources), PATHS_AT_ONCE):
        paths = sources.paths[start : start + PATHS_AT_ONCE]
        yield "".join(f"{path}\0" for path in paths).encode("utf-8", "surrogateescape")


def content_hash(sources: Sources, also: Any) -> str:
    """Return the hash of a list, as hexadecimal digits."""
    digest = hashlib.sha256()
    for piece in source_list(sources, also):
        digest.update(piece)
    return digest.hexdigest()


def write_source_list(sources: Sources, also: Any, file: BinaryIO) -> None:
    """Write a list into a file."""
    # Without a name and a time: the same list is the same bytes.
    with gzip.GzipFile("", "wb", COMPRESSION, file, mtime=0) as packed:
        for piece in source_list(sources, also):
            packed.write(piece)


def read_what_belongs(file: BinaryIO) -> Any:
    """Return what else belongs to a list, without the list.

    Raises:
        ValueError: It is no list, or damaged.
    """
    try:
        with gzip.GzipFile(fileobj=file) as packed:
            return parse_json(packed.readline())
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"it is damaged: {error}") from None


def read_source_list(file: BinaryIO, sha256: str) -> Sources:
    """Return the sources of a list.

    Args:
        file: As :func:`write_source_list` wrote it.
        sha256: Its :func:`content_hash`.

    Raises:
        ValueError: It is no list, or damaged.
    """
    try:
        with gzip.GzipFile(fileobj=file) as packed:
            reader = _Hashed(packed)
            sources = _read(reader)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"it is damaged: {error}") from None
    if reader.hash.hexdigest() != sha256:
        raise ValueError("it is not the list of this plan")
    return sources


class _Hashed:
    """Reads a list and hashes what it reads.

    Attributes:
        hash: Of all that was read.
    """

    def __init__(self, packed: gzip.GzipFile) -> None:
        self._packed = packed
        self.hash = hashlib.sha256()

    def line(self) -> bytes:
        return self._noted(self._packed.readline())

    def read(self, size: int = -1) -> bytes:
        data = self._noted(self._packed.read(size))
        if len(data) < size:
            raise ValueError("it is cut short")
        return data

    def _noted(self, data: bytes) -> bytes:
        self.hash.update(data)
        return data


def _read(reader: _Hashed) -> Sources:
    """Return the sources, which are right only where their hash is."""
    reader.line()
    header = parse_json(reader.line())
    count = header["count"]
    sources = Sources(**{name: header[name] for name in (*PLAIN, *SWITCHES)})
    sources.labels = [Label.from_json(weights) for weights in header["labels"]]
    sources.refused = [(path, reason) for path, reason in header["refused"]]
    for name in header["columns"]:
        values = array("q")
        values.frombytes(reader.read(count * values.itemsize))
        kind = getattr(sources, name).typecode
        setattr(sources, name, array(kind, _numbers(values)))
    paths = PackedPaths()
    paths.add_packed(reader.read())
    sources.paths = paths
    if len(sources.paths) != count:
        raise ValueError("it is cut short")
    return sources


def _numbers(values: array[int]) -> array[int]:
    """Return numbers in the order of bytes that files have, or back in that of this machine."""
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _line(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode("utf-8") + b"\n"
