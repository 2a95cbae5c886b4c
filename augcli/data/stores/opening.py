"""Opening: which store INPUT is. Another kind of store is one more line here."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from augcli.data.stores.folder import FolderStore
from augcli.data.stores.kinds import array_files, parquet_files
from augcli.data.stores.path_list import STANDARD_INPUT, PathList
from augcli.data.stores.tars.shards import find_shards
from augcli.data.tables.choice import TableChoice
from augcli.errors import InputError
from augcli.files import is_bucket, is_file, is_url, shown, whole_place

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
    whole, given = whole_place(place), shown(place)
    if place == STANDARD_INPUT:
        return PathList(os.getcwd(), choice)
    shards = find_shards(place, out, follow_links=follow_links)
    files = [] if shards else parquet_files(whole, out)
    arrays = [] if shards or files else array_files(whole, out)
    if choice.table and (shards or files or arrays):
        raise InputError(
            f"INPUT {given} holds the labels of its images itself; leave out `labels`, or give a "
            "folder of images"
        )
    if shards:
        from augcli.data.stores.tars.store import TarStore  # noqa: PLC0415 - few runs read archives

        return TarStore(shards, given, layout)
    if files:
        from augcli.data.stores.parquet.store import ParquetStore, has_images  # noqa: PLC0415 - the same

        if not is_table(place) or has_images(whole, image_column):
            return ParquetStore(
                whole,
                out,
                layout,
                image_column=image_column,
                label_column=choice.label_column,
                given=given,
            )
    if arrays:
        from augcli.data.stores.arrays.store import ArrayStore  # noqa: PLC0415 - few runs read arrays

        return ArrayStore(whole, out, layout, given)
    if is_table(place):
        if choice.table:
            raise InputError(
                f"INPUT {given} is a table already; give the folder of its images in its place, "
                "or leave out `labels`"
            )
        choice = replace(choice, table=place, is_input=True)
        return FolderStore(os.path.dirname(whole), out, follow_links, layout, given, choice)
    if is_url(place) and not is_bucket(place):
        raise InputError(
            f"INPUT {given} is no tar archive, Parquet file or file of arrays by its ending, and "
            "a web server lists no folders; give a URL of such a file"
        )
    return FolderStore(whole, out, follow_links, layout, given, choice)


def is_table(place: str) -> bool:
    """Return whether INPUT may be a table that names its images."""
    return os.path.splitext(shown(place))[1].lower() in TABLES and is_file(place)
