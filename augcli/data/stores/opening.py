"""Opening: which store INPUT is. Another kind of store is one more line here."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from augcli.data.stores.folder import FolderStore
from augcli.data.stores.kinds import array_files, parquet_files
from augcli.data.stores.path_list import STANDARD_INPUT, PathList
from augcli.data.stores.shards import find_shards
from augcli.data.tables.choice import TableChoice
from augcli.errors import InputError

if TYPE_CHECKING:
    from augcli.data.stores.folder import Layout
    from augcli.data.stores.sources import Store

TABLES = frozenset({".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson", ".parquet"})
"""Endings of tables that name their images."""


def open_store(
    place: str,
    out: str | None = None,
    follow_links: bool = False,
    layout: Layout = "auto",
    choice: TableChoice | None = None,
    image_column: str | None = None,
) -> Store:
    """Return the store that INPUT is.

    Args:
        place: INPUT, as it was given.
        out: A folder that is never read.
        follow_links: Whether symbolic links that lead out of a folder are followed.
        layout: What the folders are.
        choice: The table of labels, and how it is read.
        image_column: The column of the images, where INPUT is Parquet.

    Raises:
        InputError: INPUT names archives that are not there, or a table is given for what is a
            table itself.
    """
    choice = choice or TableChoice()
    whole = os.path.abspath(place)
    if place == STANDARD_INPUT:
        return PathList(os.getcwd(), choice)
    shards = find_shards(place, out, follow_links=follow_links)
    files = [] if shards else parquet_files(whole, out)
    arrays = [] if shards or files else array_files(whole, out)
    if choice.table and (shards or files or arrays):
        raise InputError(
            f"INPUT {place} holds the labels of its images itself; leave out `labels`, or give a "
            "folder of images"
        )
    if shards:
        from augcli.data.stores.tars import TarStore  # noqa: PLC0415 - few runs read archives

        return TarStore(shards, place, layout)
    if files:
        from augcli.data.stores.parquet import ParquetStore, has_images  # noqa: PLC0415 - the same

        if not is_table(place) or has_images(whole, image_column):
            return ParquetStore(
                whole,
                out,
                layout,
                image_column=image_column,
                label_column=choice.label_column,
                given=place,
            )
    if arrays:
        from augcli.data.stores.arrays import ArrayStore  # noqa: PLC0415 - few runs read arrays

        return ArrayStore(whole, out, layout, place)
    if is_table(place):
        if choice.table:
            raise InputError(
                f"INPUT {place} is a table already; give the folder of its images in its place, "
                "or leave out `labels`"
            )
        choice = replace(choice, table=place, is_input=True)
        return FolderStore(os.path.dirname(whole), out, follow_links, layout, place, choice)
    return FolderStore(whole, out, follow_links, layout, place, choice)


def is_table(place: str) -> bool:
    """Return whether INPUT may be a table that names its images."""
    return os.path.splitext(place)[1].lower() in TABLES and os.path.isfile(place)
