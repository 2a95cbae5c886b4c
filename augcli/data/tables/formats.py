"""The formats of tables: CSV with any separator, JSONL and Parquet, in the usual encodings."""

from __future__ import annotations

import codecs
import csv
import io
from typing import TYPE_CHECKING, Any, NamedTuple

from augcli.data.csv_rows import CsvRow, csv_rows, text_lines
from augcli.files import parse_json

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

SEPARATORS = (",", "\t", ";", "|")
OTHER_TABLES = {
    b"PK\x03\x04": "an Excel workbook or another ZIP file",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip file",
}
"""First bytes of files that people give in place of a table."""
PARQUET = b"PAR1"
"""First bytes of a Parquet file."""
LONGEST_ROW = 1 << 20
"""Characters of the longest row."""
LONGEST_SHOWN = 200
"""Characters of a line that a message shows."""
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte order marks; those of UTF-32 are first, because UTF-16's begins one of them."""
_ZEROS: dict[tuple[bool, ...], str] = {
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
}
"""Encodings without a mark, by which of the first bytes are zero: a table begins with ASCII."""
_FALLBACK = "cp1252"
_PIECE = 1 << 20


class Table(NamedTuple):
    """The content of a table.

    Attributes:
        columns: Their names.
        rows: Number and cells of each row: text, or what JSON and Parquet hold. Raises
            ``ValueError`` with a clause where a row can't be read.
        word: What the number counts: ``line`` or ``row``.
        notices: What a person should know.
    """

    columns: list[str]
    rows: Generator[tuple[int, Sequence[Any]]]
    word: str = "line"
    notices: tuple[str, ...] = ()


def read_table(data: bytes) -> Table:
    r"""Return the content of a table; its format follows from its first bytes.

    Args:
        data: All bytes of the file.

    Raises:
        ValueError: It is no table; the message is a clause whose subject is the file.
        InputError: A package is missing that reads it.

    Example:
        >>> table = read_table(b"file_name;label\na.jpg;cat\n")
        >>> table.columns, list(table.rows)
        (['file_name', 'label'], [(2, ['a.jpg', 'cat'])])
    """
    for first_bytes, kind in OTHER_TABLES.items():
        if data.startswith(first_bytes):
            raise ValueError(
                f"is {kind}, not a CSV table; save it as one, with the columns file_name,label"
            )
    if data.startswith(PARQUET):
        return _parquet(data)
    encoding = _encoding(data)
    notices: tuple[str, ...] = ()
    if encoding == _FALLBACK:
        notices = ("is not UTF-8 and is read as Windows-1252; check the names with accents",)
    first = _first_line(data, encoding)
    if first.lstrip().startswith(("{", "[")):
        return _jsonl(data, encoding)._replace(notices=notices)
    return _csv(data, encoding, first)._replace(notices=notices)


def shortened(text: str) -> str:
    """Return a text as messages show it."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _encoding(data: bytes) -> str:
    """Return the encoding of a text.

    Raises:
        ValueError: It is no text.
    """
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return encoding
    zeros = tuple(byte == 0 for byte in data[:4])
    if zeros in _ZEROS:
        return _ZEROS[zeros]
    decode = codecs.getincrementaldecoder("utf-8")().decode
    try:
        for start in range(0, len(data), _PIECE):
            decode(data[start : start + _PIECE])
        decode(b"", final=True)
    except UnicodeDecodeError:
        if b"\0" in data:
            raise ValueError("is not a CSV table: it is no text") from None
        return _FALLBACK
    return "utf-8"


def _first_line(data: bytes, encoding: str) -> str:
    text = data[: 4 * LONGEST_SHOWN * 100].decode(encoding, "replace")
    return next((line for line in text.splitlines() if line.strip()), "")


def _csv(data: bytes, encoding: str, first: str) -> Table:
    separator, has_mark = _separator(first)
    cells = _split(first, separator)
    # As in "file_name, label": no name of a column begins with a blank.
    skip_blanks = not has_mark and len(cells) > 1 and all(cell[:1] == " " for cell in cells[1:])
    rows = csv_rows(
        io.BytesIO(data),
        LONGEST_ROW,
        encoding=encoding,
        separator=separator,
        skip_blanks=skip_blanks,
    )
    try:
        filled = (row.cells for row in rows if any(cell.strip() for cell in row.cells))
        if has_mark:
            next(filled, None)
        header = next(filled, [])
    except ValueError as error:
        raise _no_csv(error) from None
    return Table(header, _csv_cells(rows, header))


def _csv_cells(rows: Iterator[CsvRow], header: list[str]) -> Generator[tuple[int, list[str]]]:
    width = len(header)
    for line, cells in _readable(rows):
        if len(cells) == width:
            yield line, cells
        elif any(cell.strip() for cell in cells):
            raise ValueError(f"line {line} has {len(cells)} cells, but the header has {width}")


def _readable(rows: Iterator[CsvRow]) -> Iterator[CsvRow]:
    try:
        yield from rows
    except ValueError as error:
        raise _no_csv(error) from None


def _no_csv(error: ValueError) -> ValueError:
    return ValueError(
        f"is not a CSV table ({shortened(str(error))}); give one with the columns file_name,label"
    )


def _separator(first: str) -> tuple[str, bool]:
    """Return what separates the cells, and whether the first line only says so.

    Example:
        >>> _separator("file_name;label"), _separator("sep=|"), _separator("file_name")
        ((';', False), ('|', True), (',', False))
    """
    mark = first.strip().strip('"')
    if mark[:4].lower() == "sep=" and len(mark) <= 5:
        return mark[4:] or "\t", True
    # max gives the first of equals.
    return max(SEPARATORS, key=lambda separator: len(_split(first, separator))), False


def _split(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def _jsonl(data: bytes, encoding: str) -> Table:
    rows = _objects(data, encoding)
    line, first = next(rows)
    columns = list(first)
    return Table(columns, _picked(line, first, rows, columns))


def _picked(
    line: int, first: dict[str, Any], rest: Iterator[tuple[int, dict[str, Any]]], columns: list[str]
) -> Generator[tuple[int, list[Any]]]:
    yield line, [first[name] for name in columns]
    for number, row in rest:
        yield number, [row.get(name) for name in columns]


def _objects(data: bytes, encoding: str) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        for number, text in enumerate(text_lines(io.BytesIO(data), LONGEST_ROW, encoding), 1):
            if not text.strip():
                continue
            yield number, _object(text)
    except ValueError as error:
        raise ValueError(
            f"is not a JSONL table ({shortened(str(error))}); give one with a JSON object such as "
            '{"file_name": "a.jpg", "label": "cat"} in each line'
        ) from None


def _object(text: str) -> dict[str, Any]:
    row = parse_json(text.encode("utf-8"))
    if isinstance(row, dict):
        return row
    raise ValueError("a line holds no JSON object")


def _parquet(data: bytes) -> Table:
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra, and slow to import
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError:
        raise ValueError(
            "is a Parquet file, which the package pyarrow reads: install it with "
            "pip install 'augcli[parquet]', or save the table as CSV"
        ) from None
    try:
        file = pa.parquet.ParquetFile(io.BytesIO(data))
        columns = list(file.schema_arrow.names)
    except (pa.ArrowException, OSError) as error:
        raise _no_parquet(error) from None

    def rows() -> Generator[tuple[int, Sequence[Any]]]:
        number = 0
        try:
            for batch in file.iter_batches(batch_size=4096):
                for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    number += 1
                    yield number, cells
        except (pa.ArrowException, OSError) as error:
            raise _no_parquet(error) from None

    return Table(columns, rows(), "row")


def _no_parquet(error: Exception) -> ValueError:
    return ValueError(f"is not a whole Parquet file ({shortened(str(error).splitlines()[0])})")
