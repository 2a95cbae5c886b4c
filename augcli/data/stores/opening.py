"""Opening: which store INPUT is. Another kind of store is one more line here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from augcli.data.stores.folder import FolderStore
from augcli.data.stores.shards import find_shards

if TYPE_CHECKING:
    from augcli.data.stores.folder import Layout
    from augcli.data.stores.sources import Store


def open_store(
    place: str, out: str | None = None, follow_links: bool = False, layout: Layout = "auto"
) -> Store:
    """Return the store that INPUT is.

    Args:
        place: INPUT, as it was given.
        out: A folder that is never read.
        follow_links: Whether symbolic links that lead out of a folder are followed.
        layout: What the folders are.

    Raises:
        InputError: INPUT names archives that are not there.
    """
    shards = find_shards(place, out, follow_links=follow_links)
    if shards:
        from augcli.data.stores.tars import TarStore  # noqa: PLC0415 - few runs read archives

        return TarStore(shards, place, layout)
    return FolderStore(os.path.abspath(place), out, follow_links, layout, place)
