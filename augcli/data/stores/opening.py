"""Opening: which store INPUT is. Another kind of store is one more line here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from augcli.data.stores.folder import FolderStore
from augcli.data.stores.kinds import array_files, parquet_files
from augcli.data.stores.shards import find_shards

if TYPE_CHECKING:
    from augcli.data.stores.folder import Layout
    from augcli.data.stores.sources import Store


def open_store(
    place: str,
    out: str | None = None,
    follow_links: bool = False,
    layout: Layout = "auto",
    *,
    image_column: str | None = None,
    label_column: str | None = None,
) -> Store:
    """Return the store that INPUT is.

    Args:
        place: INPUT, as it was given.
        out: A folder that is never read.
        follow_links: Whether symbolic links that lead out of a folder are followed.
        layout: What the folders are.
        image_column: The column of the images, where INPUT is Parquet.
        label_column: The column of the labels.

    Raises:
        InputError: INPUT names archives that are not there.
    """
    whole = os.path.abspath(place)
    shards = find_shards(place, out, follow_links=follow_links)
    if shards:
        from augcli.data.stores.tars import TarStore  # noqa: PLC0415 - few runs read archives

        return TarStore(shards, place, layout)
    if parquet_files(whole, out):
        from augcli.data.stores.parquet import ParquetStore  # noqa: PLC0415 - few runs read it

        return ParquetStore(
            whole, out, layout, image_column=image_column, label_column=label_column, given=place
        )
    if array_files(whole, out):
        from augcli.data.stores.arrays import ArrayStore  # noqa: PLC0415 - few runs read arrays

        return ArrayStore(whole, out, layout, place)
    return FolderStore(whole, out, follow_links, layout, place)
