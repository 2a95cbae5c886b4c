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


def csv_rows(
    table: BinaryIO,
    longest: int,
    *,
    encoding: str = "utf-8-sig",
    separator: str = ",",
    skip_blanks: bool = False,
) -> Generator[CsvRow]:
    r"""Yield the rows of a table, and close it.

    Args:
        table: The table.
        longest: The most characters that a line or a cell may have.
        encoding: Of its text; by default UTF-8 with or without a byte order mark.
        separator: What stands between two cells.
        skip_blanks: Whether blanks after a separator belong to no cell.

    Raises:
        OSError: It can't be read.
        ValueError: It is of another encoding, not CSV, or has a longer line or cell.

    Example:
        >>> [row.cells for row in csv_rows(io.BytesIO(b'a,"b\n"\n'), 100)]
        [['a', 'b\n']]
    """
    with _long_cells(longest), contextlib.closing(text_lines(table, longest, encoding)) as lines:
        reader = csv.reader(lines, strict=True, delimiter=separator, skipinitialspace=skip_blanks)
        try:
            for cells in reader:
                yield CsvRow(reader.line_num, cells)
        except csv.Error as error:
            raise ValueError(str(error)) from None


def text_lines(table: BinaryIO, longest: int, encoding: str = "utf-8-sig") -> Generator[str]:
    """Yield the lines of a text with their ends as they are, and close it.

    Args:
        table: The text.
        longest: The most characters that a line may have.
        encoding: Of the text.

    Raises:
        OSError: It can't be read.
        ValueError: It is of another encoding, or has a longer line.
    """
    with io.TextIOWrapper(table, encoding=encoding, newline="") as text:
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
