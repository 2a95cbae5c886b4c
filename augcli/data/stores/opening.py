"""Opening: which store INPUT is. Another kind of store is one more line here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from augcli.data.stores.folder import FolderStore

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
    """
    return FolderStore(os.path.abspath(place), out, follow_links, layout, place)
