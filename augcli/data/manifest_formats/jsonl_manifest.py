"""The manifest as JSON lines: an object for each row, with numbers as numbers.

No class is an empty text, as in CSV: of a column that is null in all rows, Hugging Face datasets
takes the type from there, and a split with such a column would not load beside the others.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from augcli.data import manifest
from augcli.data.csv_rows import text_lines
from augcli.data.manifest_formats.columns import Columns
from augcli.files import parse_json

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence
    from typing import BinaryIO

    from augcli.data.manifest import Row

_JSON = json.JSONEncoder(ensure_ascii=False).encode


def write_jsonl(file: BinaryIO, columns: Columns, rows: Iterable[Row]) -> None:
    """Write the rows into a file."""
    names = columns.names
    for row in rows:
        values = dict(zip(names, columns.cells(row), strict=True))
        file.write(_JSON(values).encode() + b"\n")


def read_jsonl(table: BinaryIO, classes: Sequence[str] = ()) -> Iterator[Row]:
    """Yield the rows of a table, and close it; see :class:`ManifestFormat`."""
    with contextlib.closing(_objects(table)) as objects:
        for first in objects:
            names = list(first)
            columns = Columns.of(names, classes)
            yield from columns.rows([list(first.values())])
            yield from columns.rows(_cells(objects, names))


def _objects(table: BinaryIO) -> Generator[dict[str, Any]]:
    for line in text_lines(table, manifest.LONGEST_ROW, "utf-8"):
        content = parse_json(line.encode("utf-8"))
        yield content if isinstance(content, dict) else {}


def _cells(objects: Iterable[dict[str, Any]], names: list[str]) -> Iterator[list[Any]]:
    for content in objects:
        if list(content) != names:
            raise ValueError(manifest.OTHER_COLUMNS)
        yield list(content.values())
