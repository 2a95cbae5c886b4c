"""Rows sorted by file name, however many there are: an external merge sort."""

from __future__ import annotations

import contextlib
import heapq
import marshal
from operator import itemgetter
from typing import TYPE_CHECKING, Any, BinaryIO

from augcli.data.labels import Label
from augcli.data.manifest import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from augcli.files import OutputFiles

MOST_IN_MEMORY = 200_000
"""Rows that are sorted in memory; about 200 MB."""
AT_ONCE = 256
"""Rows of a temporary file that are read at a time."""
LENGTH = 4
"""Bytes that say how many follow."""


class SortedRows:
    """Takes rows in any order and gives them back by the names of their files, by code point.

    Args:
        files: Has a place for temporary files, which only many rows need.
        most: Rows in memory.
    """

    def __init__(self, files: OutputFiles, most: int = MOST_IN_MEMORY) -> None:
        self._files = files
        self._most = most
        self._rows: list[Row] = []
        self._runs: list[BinaryIO] = []
        self._open = contextlib.ExitStack()

    def __enter__(self) -> SortedRows:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, rows: Sequence[Row]) -> None:
        """Take rows."""
        self._rows += rows
        if len(self._rows) >= self._most:
            self._spill()

    def __iter__(self) -> Iterator[Row]:
        self._rows.sort(key=itemgetter(0))
        runs = [_read(run) for run in self._runs]
        return heapq.merge(*runs, iter(self._rows), key=itemgetter(0))

    def _spill(self) -> None:
        """Write the rows in memory to a temporary file, sorted."""
        self._rows.sort(key=itemgetter(0))
        run = self._open.enter_context(self._files.scratch())
        for start in range(0, len(self._rows), AT_ONCE):
            # The quickest form; nobody else reads or writes this file.
            data = marshal.dumps([_plain(row) for row in self._rows[start : start + AT_ONCE]])
            run.write(len(data).to_bytes(LENGTH, "little") + data)
        self._runs.append(run)
        self._rows = []


def _plain(row: Row) -> tuple[Any, ...]:
    name, label, *others = row
    return name, label.weights, *others


def _read(run: BinaryIO) -> Iterator[Row]:
    """Yield the rows of a temporary file."""
    run.seek(0)
    while length := run.read(LENGTH):
        for name, weights, *others in marshal.loads(run.read(int.from_bytes(length, "little"))):
            yield Row(name, Label(weights), *others)
