"""A table in the folder of each split: Hugging Face datasets reads splits no other way.

They are JSON lines, since it takes the types of CSV columns from their values: a column that is
empty in one split would have another type there, and nothing would load.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from typing import BinaryIO

    from augcli.data.manifest import Columns
    from augcli.files import OutputFiles

SPLIT_TABLE = "metadata.jsonl"
_JSON = json.JSONEncoder(ensure_ascii=False).encode
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""Names of folders that mean nothing else in a pattern."""


def is_split_table(name: str) -> bool:
    """Return whether a file is the table of a split.

    Example:
        >>> is_split_table("train/metadata.jsonl"), is_split_table("metadata.jsonl")
        (True, False)
    """
    folder, _, leaf = name.rpartition("/")
    return leaf == SPLIT_TABLE and _PLAIN.fullmatch(folder) is not None


class SplitFolders:
    """Finds the folder of each split, while the rows of the manifest go by.

    Args:
        columns: Those of the manifest.
    """

    def __init__(self, columns: Columns) -> None:
        self._split_at = columns.names.index("split") if columns.splits else None
        self._pairs: set[tuple[str, str]] = set()

    def watched(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows."""
        for row in rows:
            if self._split_at is not None:
                self._pairs.add((row[self._split_at], row[0].partition("/")[0]))
            yield row

    @property
    def found(self) -> dict[str, str]:
        """The folder of each split; empty where one has several, or shares it with another."""
        by_split = dict(self._pairs)
        folders = set(by_split.values())
        is_apart = len(by_split) == len(folders) == len(self._pairs)
        return by_split if is_apart and all(map(_PLAIN.fullmatch, folders)) else {}


def write_split_tables(
    files: OutputFiles, columns: Columns, rows: Iterable[tuple[Any, ...]], folders: Collection[str]
) -> None:
    """Write the table of each split; remove those of folders that are no splits any more.

    Args:
        files: Writes into OUT.
        columns: Those of the manifest.
        rows: Those of the manifest; gone through once for each split.
        folders: Those of the splits.
    """
    for folder in folders:
        beginning = f"{folder}/"
        own = (
            (row[0].removeprefix(beginning), *row[1:])
            for row in rows
            if row[0].startswith(beginning)
        )
        files.publish(f"{folder}/{SPLIT_TABLE}", _writer(columns, own))
    remove_split_tables(files, folders)


def _writer(columns: Columns, rows: Iterable[tuple[Any, ...]]) -> Callable[[BinaryIO], None]:
    def write(file: BinaryIO) -> None:
        for row in rows:
            file.write(_JSON(dict(zip(columns.names, row, strict=True))).encode() + b"\n")

    return write


def remove_split_tables(files: OutputFiles, folders: Collection[str] = ()) -> None:
    """Remove the tables of splits from all folders of OUT but these."""
    for folder in files.names(""):
        name = f"{folder}/{SPLIT_TABLE}"
        if folder not in folders and is_split_table(name) and files.size(name) is not None:
            files.remove(name)
            files.remove_empty([folder])
