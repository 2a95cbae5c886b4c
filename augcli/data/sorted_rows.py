"""Rows sorted by file name, however many there are: an external merge sort."""

from __future__ import annotations

import contextlib
import heapq
import json
from operator import itemgetter
from typing import TYPE_CHECKING, BinaryIO

from augcli.data.manifest import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from augcli.files import OutputFiles

MOST_IN_MEMORY = 200_000
"""Rows that are sorted in memory; about 200 MB."""


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
        runs = [map(_from_line, run) for run in self._runs]
        for run in self._runs:
            run.seek(0)
        return heapq.merge(*runs, iter(self._rows), key=itemgetter(0))

    def _spill(self) -> None:
        """Write the rows in memory to a temporary file, sorted."""
        self._rows.sort(key=itemgetter(0))
        run = self._open.enter_context(self._files.scratch())
        for row in self._rows:
            run.write(json.dumps(row.to_json()).encode() + b"\n")
        self._runs.append(run)
        self._rows = []


def _from_line(line: bytes) -> Row:
    return Row.from_json(json.loads(line))
