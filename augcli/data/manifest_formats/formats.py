"""The formats of the manifest. Another one is one more line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from augcli.data.manifest_formats.csv_manifest import read_csv, write_csv
from augcli.data.manifest_formats.jsonl_manifest import read_jsonl, write_jsonl
from augcli.data.manifest_formats.parquet_manifest import read_parquet, write_parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from typing import BinaryIO

    from augcli.data.manifest import Row
    from augcli.data.manifest_formats.columns import Columns


class Write(Protocol):
    """Writes rows into a file, one after the other: memory stays bounded."""

    def __call__(self, file: BinaryIO, columns: Columns, rows: Iterable[Row]) -> None:
        """Write them; the file stays open."""
        ...


class Read(Protocol):
    """Yields the rows of a table one after the other, and closes it.

    ``classes`` are those of classes.txt, which a list of weights does not name. Raises ``OSError``
    where the table can't be read, and ``ValueError`` where it is not what augcli writes.
    """

    def __call__(self, table: BinaryIO, classes: Sequence[str] = ()) -> Iterator[Row]:
        """Read them."""
        ...


class ManifestFormat(NamedTuple):
    """A format of the manifest.

    Attributes:
        name: Of the file: the one that loaders look for.
        write: Writes it.
        read: Reads it.
        of_splits: The format of the tables in the folders of splits.
    """

    name: str
    write: Write
    read: Read
    of_splits: str


FORMATS: Final[dict[str, ManifestFormat]] = {
    # Hugging Face datasets takes the types of CSV columns from their values: a column that is
    # empty in one split would have another type there, and nothing would load.
    "csv": ManifestFormat("metadata.csv", write_csv, read_csv, "jsonl"),
    "jsonl": ManifestFormat("metadata.jsonl", write_jsonl, read_jsonl, "jsonl"),
    "parquet": ManifestFormat("metadata.parquet", write_parquet, read_parquet, "parquet"),
}
"""The formats, by the value of the option ``manifest``."""
MANIFESTS: Final = tuple(each.name for each in FORMATS.values())
"""The names that a manifest may have, the default first."""


def manifest_name(is_there: Callable[[str], bool], written: Collection[str] = ()) -> str:
    """Return the name of the manifest of an output folder, that of the default where it has none.

    Args:
        is_there: Tells whether a file of such a name is in the folder.
        written: The tables that run.json names: where a run ended while it changed the format, two
            may be there.

    Example:
        >>> manifest_name({"metadata.csv", "metadata.jsonl"}.__contains__, ["metadata.jsonl"])
        'metadata.jsonl'
    """
    there = [name for name in MANIFESTS if is_there(name)]
    return next((name for name in there if name in written), there[0] if there else MANIFESTS[0])


def read_rows(name: str, table: BinaryIO, classes: Sequence[str] = ()) -> Iterator[Row]:
    """Yield the rows of a manifest, and close it.

    Args:
        name: Of the file, which says its format.
        table: The file.
        classes: Those of classes.txt.

    Raises:
        OSError: It can't be read.
        ValueError: It is not what augcli writes.
        UsageError: A package is missing that reads it.
    """
    read = next(each.read for each in FORMATS.values() if each.name == name)
    return read(table, classes)
