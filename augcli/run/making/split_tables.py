"""A table in the folder of each split: Hugging Face datasets reads splits no other way."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from augcli.data.manifest_formats.formats import FORMATS, MANIFESTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from augcli.data.manifest import Row
    from augcli.data.manifest_formats.columns import Columns
    from augcli.data.manifest_formats.formats import ManifestFormat
    from augcli.files import OutputFiles

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""Names of folders that mean nothing else in a pattern."""


def is_split_table(name: str) -> bool:
    """Return whether a file is the table of a split.

    Example:
        >>> is_split_table("train/metadata.jsonl"), is_split_table("metadata.jsonl")
        (True, False)
    """
    folder, _, leaf = name.rpartition("/")
    return leaf in MANIFESTS and _PLAIN.fullmatch(folder) is not None


def split_tables(files: OutputFiles) -> list[str]:
    """Return the tables of splits that lie in OUT."""
    names = [f"{folder}/{name}" for folder in files.names("") for name in MANIFESTS]
    return [name for name in names if is_split_table(name) and files.size(name) is not None]


class SplitFolders:
    """Finds the folder of each split, while the rows of the manifest go by."""

    def __init__(self) -> None:
        self._pairs: set[tuple[str, str]] = set()

    def watched(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows."""
        for row in rows:
            self._pairs.add((row.split, row.file_name.partition("/")[0]))
            yield row

    @property
    def found(self) -> dict[str, str]:
        """The folder of each split; empty where one has several, or shares it with another."""
        by_split = dict(self._pairs)
        folders = set(by_split.values())
        is_apart = len(by_split) == len(folders) == len(self._pairs)
        return by_split if is_apart and all(map(_PLAIN.fullmatch, folders)) else {}


def write_split_tables(
    files: OutputFiles,
    manifest: ManifestFormat,
    columns: Columns,
    rows: Iterable[Row],
    folders: Collection[str],
) -> list[str]:
    """Write the table of each split, and return their names.

    Args:
        files: Writes into OUT.
        manifest: The format of the manifest.
        columns: Those of the manifest.
        rows: Those of the manifest; gone through once for each split.
        folders: Those of the splits.
    """
    table = FORMATS[manifest.of_splits]
    names = []
    for folder in folders:
        names.append(f"{folder}/{table.name}")
        own = _rows_in(f"{folder}/", rows)
        files.publish(names[-1], partial(table.write, columns=columns, rows=own))
    return names


def _rows_in(folder: str, rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows of a folder, with names relative to it."""
    for row in rows:
        if row.file_name.startswith(folder):
            yield row._replace(file_name=row.file_name.removeprefix(folder))


def remove_tables(files: OutputFiles, kept: Collection[str] = ()) -> None:
    """Remove the manifests of OUT and the tables of splits, but those that are kept."""
    # The manifest last: a run that ends here is seen by it to have tables left over.
    for name in (*split_tables(files), *MANIFESTS):
        if name not in kept:
            files.remove(name)
            files.remove_empty([name.rpartition("/")[0]])
