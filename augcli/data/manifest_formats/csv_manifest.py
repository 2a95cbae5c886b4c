"""The manifest as CSV: UTF-8, RFC 4180. A list of weights is JSON in its cell."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from augcli.data.manifest import table_rows, write_table
from augcli.data.manifest_formats.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO

    from augcli.data.manifest import Row


def write_csv(file: BinaryIO, columns: Columns, rows: Iterable[Row]) -> None:
    """Write the rows into a file."""
    cells: Iterable[Iterable[Any]] = map(columns.cells, rows)
    if columns.soft_label == "list":
        at = columns.names.index(columns.of_labels[0])
        cells = ((*each[:at], json.dumps(each[at]), *each[at + 1 :]) for each in map(tuple, cells))
    write_table(file, columns.names, cells)


def read_csv(table: BinaryIO, classes: Sequence[str] = ()) -> Iterator[Row]:
    """Yield the rows of a table, and close it; see :class:`ManifestFormat`."""
    with contextlib.closing(table_rows(table)) as rows:
        header = next(rows, None)
        if header is not None:
            yield from Columns.of(header, classes).rows(rows)
