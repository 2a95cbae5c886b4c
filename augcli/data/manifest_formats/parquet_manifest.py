"""The manifest as Parquet: columns with types, a list of weights as a list, no class as null."""

from __future__ import annotations

import importlib.util
import itertools
from typing import TYPE_CHECKING, Any

from augcli.data.manifest_formats.columns import CLASSES, Columns
from augcli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO

    from augcli.data.manifest import Row

MOST_CELLS = 200_000
"""Cells of a group of rows, weights of a list counted one by one; bounds the memory that writing
and reading take."""


def check_pyarrow(what: str) -> None:
    """Check that Parquet can be written and read.

    Args:
        what: What needs it, such as ``the manifest in Parquet``.

    Raises:
        UsageError: The package pyarrow is missing.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise UsageError(f"{what} needs the package pyarrow: pip install 'augcli[parquet]'")


def write_parquet(file: BinaryIO, columns: Columns, rows: Iterable[Row]) -> None:
    """Write the rows into a file."""
    import pyarrow as pa  # noqa: PLC0415 - an extra, which only Parquet needs
    from pyarrow import parquet  # noqa: PLC0415

    schema = _schema(columns)
    size = max(1, MOST_CELLS // (len(columns.names) + len(columns.classes)))
    names = columns.names
    values = (_values(names, columns.cells(row)) for row in rows)
    with parquet.ParquetWriter(pa.PythonFile(file, mode="w"), schema) as writer:
        while group := list(itertools.islice(values, size)):
            writer.write_table(pa.Table.from_pylist(group, schema), row_group_size=size)


def read_parquet(table: BinaryIO, classes: Sequence[str] = ()) -> Iterator[Row]:
    """Yield the rows of a table, and close it; see :class:`ManifestFormat`."""
    check_pyarrow("a manifest in Parquet")
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    with table:
        try:
            file = parquet.ParquetFile(table)
            columns = Columns.of(file.schema_arrow.names, classes)
            size = max(1, MOST_CELLS // (len(columns.names) + len(columns.classes)))
            yield from columns.rows(_cells(file, size))
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno:
                raise
            raise ValueError(f"it is no whole Parquet file ({str(error)[:80]})") from None


def _values(names: Sequence[str], cells: Sequence[Any]) -> dict[str, Any]:
    values = dict(zip(names, cells, strict=True))
    return values | {name: None for name in CLASSES if values.get(name) == ""}


def _cells(file: Any, size: int) -> Iterator[tuple[Any, ...]]:
    for batch in file.iter_batches(batch_size=size, use_threads=False):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _schema(columns: Columns) -> Any:
    import pyarrow as pa  # noqa: PLC0415

    types = {
        "string": pa.string(),
        "int64": pa.int64(),
        "float64": pa.float64(),
        "list": pa.list_(pa.float64()),
    }
    return pa.schema([(name, types[kind]) for name, kind in columns.types.items()])
