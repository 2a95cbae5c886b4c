"""What every verb that reads sources begins with: INPUT is listed, OUT has a default."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from augcli.data.stores.opening import is_table
from augcli.data.stores.path_list import STANDARD_INPUT
from augcli.data.stores.tars.shards import without_pattern
from augcli.errors import UsageError
from augcli.files import Url, is_bucket
from augcli.run.checking.inputs import list_input, order_classes
from augcli.run.checking.places import check_places
from augcli.run.splitting.split_record import refuse_unfinished

if TYPE_CHECKING:
    from augcli.data.stores.sources import Sources, Store
    from augcli.files import Place
    from augcli.recipes.options import RunOptions


def list_sources(folder: Place, out: Place | None, options: RunOptions) -> tuple[Store, Sources]:
    """List INPUT as the options say: what every verb that reads sources begins with.

    Args:
        folder: INPUT.
        out: OUT, which is never read; None where there is none.
        options: Those of the group ``input`` count.

    Returns:
        Where sources come from, and all of them with their labels.

    Raises:
        UsageError: INPUT, the table or the place of OUT is wrong.
    """
    store, sources = list_input(folder, options, out)
    refuse_unfinished(sources.root, folder)
    if out is not None:
        check_places(sources.root, folder, out, has_labels=bool(sources.labels_sha256))
    if options.classes:
        order_classes(sources, options.classes)
    return store, sources


def default_out(folder: Place, command: str) -> Place:
    """Return ``<INPUT>-<command>`` beside INPUT; for a list of paths, in the current folder.

    Raises:
        UsageError: Nothing can be written beside INPUT.
    """
    if isinstance(folder, Url):
        url = without_pattern(os.fspath(folder))
        if not is_bucket(url) or "/" not in url.partition("://")[2]:
            raise UsageError(
                f"INPUT {folder} is a whole bucket or lies on a web server, so nothing can be "
                "written beside it; give a folder with `out`"
            )
        return Url(f"{url}-{command}")
    if os.fspath(folder) == STANDARD_INPUT:
        return Path(f"augcli-{command}")
    whole = Path(os.path.abspath(without_pattern(os.fspath(folder))))
    if is_table(os.fspath(folder)):
        whole = whole.with_suffix("")
    return whole.with_name(f"{whole.name or 'augcli'}-{command}")
