"""Rows of a CSV table that may come from somebody else: no line and no cell is without a bound."""

from __future__ import annotations

import contextlib
import csv
import io
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


class CsvRow(NamedTuple):
    """One row.

    Attributes:
        line: Number of its last line, counted from 1.
        cells: What it holds.
    """

    line: int
    cells: list[str]


def csv_rows(table: BinaryIO, longest: int) -> Generator[CsvRow]:
    r"""Yield the rows of a table in UTF-8 with or without a byte order mark, and close it.

    Args:
        table: The table.
        longest: The most characters that a line or a cell may have.

    Raises:
        OSError: It can't be read.
        ValueError: It is not UTF-8, not CSV, or has a longer line or cell.

    Example:
        >>> [row.cells for row in csv_rows(io.BytesIO(b'a,"b\n"\n'), 100)]
        [['a', 'b\n']]
    """
    with io.TextIOWrapper(table, encoding="utf-8-sig", newline="") as text, _long_cells(longest):
        reader = csv.reader(_lines(text, longest), strict=True)
        try:
            for cells in reader:
                yield CsvRow(reader.line_num, cells)
        except csv.Error as error:
            raise ValueError(str(error)) from None


def _lines(text: io.TextIOWrapper, longest: int) -> Iterator[str]:
    while line := text.readline(longest + 1):
        if len(line) > longest:
            raise ValueError(f"a line has more than {longest:,} characters")
        yield line


@contextlib.contextmanager
def _long_cells(longest: int) -> Iterator[None]:
    """Let the csv module take cells of any length up to a bound."""
    limit = csv.field_size_limit(longest)
    try:
        yield
    finally:
        csv.field_size_limit(limit)
