"""A list of sources as a file, so that many machines need not list INPUT each.

The file holds columns, one after the other: numbers, and the paths with a zero byte after each. A
description says where each column begins, and has its hash. Who opens the list checks the columns
that it needs and leaves them on the disk: a process that needs few sources reads few.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

import numpy as np

from augcli.data.labels import Label
from augcli.data.stores.packed_paths import PackedPaths
from augcli.data.stores.sources import Sources
from augcli.data.stores.stored_columns import StoredBytes, StoredNumbers, stored_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

COLUMNS: Final = {
    "sizes": "q",
    "modified": "q",
    "label_of": "i",
    "starts": "q",
    "ending_of": "B",
    "split_of": "i",
    "group_of": "i",
}
"""The attributes of :class:`Sources` that have a number for each source, or none, by their kind."""
PLAIN: Final = (
    *("root", "classes", "containers", "endings", "splits", "groups", "labels_sha256"),
    *("container_mark", "in_containers", "keeps_containers", "are_files", "are_many"),
)
AT_ONCE: Final = 1 << 16
PIECE: Final = 1 << 20


class Column(NamedTuple):
    """Where a column lies.

    Attributes:
        typecode: The kind of its numbers, as :mod:`array` names it; ``B`` also for bytes.
        start: Where it begins.
        length: How many numbers it has.
        sha256: Its hash.
    """

    typecode: str
    start: int
    length: int
    sha256: str

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.length * stored_type(self.typecode).itemsize

    @classmethod
    def from_json(cls, content: Any) -> Column:
        """Return the column that a JSON value describes.

        Raises:
            ValueError: It is not what augcli wrote.
            TypeError: The same.
        """
        column = cls(*content)
        if column.typecode not in ("B", "i", "q") or min(column.start, column.length) < 0:
            raise ValueError("it is not what augcli wrote")
        return column


class ListWriter:
    """Writes columns, one after the other.

    Args:
        write: Takes the next bytes of the file.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._at = 0

    def sources(self, sources: Sources) -> dict[str, Any]:
        """Write all sources; return their description, as JSON can hold it."""
        columns = {name: getattr(sources, name) for name in COLUMNS}
        written = {
            name: self.numbers(values, COLUMNS[name]) for name, values in columns.items() if values
        }
        paths = sources.paths
        if not isinstance(paths, PackedPaths):
            paths = PackedPaths(paths)
        written["ends"] = self.numbers(paths.ends, "q")
        written["paths"] = self._column("B", map(paths.packed, *_pieces(len(paths))))
        return {
            **{name: getattr(sources, name) for name in PLAIN},
            "labels": [label.to_json() for label in sources.labels],
            "refused": [list(each) for each in sources.refused],
            "columns": written,
        }

    def numbers(self, values: Sequence[int] | NDArray[np.int32], typecode: str) -> Column:
        """Write a column of numbers; return where it lies."""
        stored = stored_type(typecode)
        pieces = (values[start:stop] for start, stop in zip(*_pieces(len(values)), strict=True))
        return self._column(
            typecode, (np.asarray(piece).astype(stored).tobytes() for piece in pieces)
        )

    def _column(self, typecode: str, pieces: Iterator[bytes]) -> Column:
        begun, digest = self._at, hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
            self._write(piece)
            self._at += len(piece)
        length = (self._at - begun) // stored_type(typecode).itemsize
        return Column(typecode, begun, length, digest.hexdigest())


def described(sources: Sources) -> dict[str, Any]:
    """Return the description of sources: two lists are the same where it is the same."""
    return ListWriter(lambda data: None).sources(sources)


def read_numbers(file: BinaryIO, column: Column) -> StoredNumbers:
    """Return the numbers of a column, checked.

    Args:
        file: The list; it stays open as long as the numbers are used.
        column: Where they lie.

    Raises:
        ValueError: It is damaged, or another list.
        OSError: It can't be read.
    """
    file.seek(column.start)
    digest, left = hashlib.sha256(), column.size
    while left and (data := file.read(min(PIECE, left))):
        digest.update(data)
        left -= len(data)
    if left:
        raise ValueError("it is cut short")
    if digest.hexdigest() != column.sha256:
        raise ValueError("it is not the list of this plan")
    return StoredNumbers(file, column.start, column.length, column.typecode)


def read_sources(file: BinaryIO, description: Any) -> Sources:
    """Return the sources of a list, checked.

    Args:
        file: The list; it stays open as long as the sources are used.
        description: As :meth:`ListWriter.sources` gives it.

    Raises:
        ValueError: It is damaged, or another list.
        KeyError: The description is not what augcli wrote.
        TypeError: The same.
        OSError: It can't be read.
    """
    columns: dict[str, Any] = {
        name: read_numbers(file, Column.from_json(content))
        for name, content in description["columns"].items()
    }
    del columns["paths"]
    packed, ends = Column.from_json(description["columns"]["paths"]), columns.pop("ends")
    if any(len(column) != len(ends) for column in columns.values()):
        raise ValueError("it is not what augcli wrote")
    sources = Sources(**{name: description[name] for name in PLAIN}, **columns)
    sources.paths = PackedPaths.stored(StoredBytes(file, packed.start), ends)
    sources.labels = [Label.from_json(weights) for weights in description["labels"]]
    sources.refused = [(path, reason) for path, reason in description["refused"]]
    return sources


def _pieces(count: int) -> tuple[list[int], list[int]]:
    """Return where pieces of a column begin, and where they end."""
    starts = list(range(0, count, AT_ONCE))
    return starts, [min(start + AT_ONCE, count) for start in starts]
