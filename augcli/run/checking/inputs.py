"""Inputs: the store that INPUT is, with the labels that the options of a run give it."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from augcli.data.class_list import parse_class_list
from augcli.data.stores.opening import open_store
from augcli.data.tables.choice import TableChoice
from augcli.errors import InputError
from augcli.files import TABLE_LIMIT, Url, is_url, read_given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.data.stores.sources import Sources, Store
    from augcli.files import Place
    from augcli.recipes.options import RunOptions

READ_AHEAD = 16
"""Threads of a worker that read sources from a bucket: at 20 ms a request, 800 in a second."""


def input_store(place: str, options: RunOptions, out: str | None = None) -> Store:
    """Return the store that INPUT is.

    Args:
        place: INPUT, as it was given.
        options: How its folders and tables are read.
        out: A folder that is never read.

    Raises:
        InputError: A table is given for what is a table itself.
    """
    choice = TableChoice(
        table=os.fspath(options.labels) if options.labels else "",
        file_column=options.file_column,
        label_column=options.label_column,
        label_columns=options.label_columns,
        label_separator=options.label_separator,
        multi_label=options.multi_label,
        split_column=options.split_column,
        group_column=options.group_column,
        missing=options.missing,
    )
    return open_store(
        place, out, options.follow_links, options.layout, choice, options.image_column
    )


@contextlib.contextmanager
def reading(folder: Place) -> Iterator[None]:
    """Turn what the service of a URL says into one sentence about INPUT.

    Raises:
        InputError: It refuses, has no such bucket, …
    """
    try:
        yield
    except OSError as error:
        if not isinstance(folder, Url):
            raise
        raise InputError(f"INPUT {folder} can't be read: {error.strerror}") from None


def list_input(
    folder: Place, options: RunOptions, out: Place | None = None
) -> tuple[Store, Sources]:
    """Return the store that INPUT is, and its sources.

    Raises:
        InputError: They can't be listed.
    """
    with reading(folder):
        store = input_store(os.fspath(folder), options, None if out is None else os.fspath(out))
        return store, store.list()


def read_ahead_for(sources: Sources) -> int:
    """Return how many threads of a worker read sources before their turn; 0 for none."""
    if not is_url(sources.root):
        return 0
    # Where a source can't be read without its container, one that is open is no thing to share.
    return 1 if sources.keeps_containers else READ_AHEAD


def order_classes(sources: Sources, file: Place) -> None:
    """Put the classes into the order of a file.

    Args:
        sources: Whose classes.
        file: Has a class in each line.

    Raises:
        InputError: It can't be read, is no list, or does not name a class that a source has.
    """
    try:
        names = parse_class_list(read_given(file, TABLE_LIMIT))
    except OSError as error:
        raise InputError(f"`classes` {file}: can't be read ({error.strerror})") from None
    except ValueError as error:
        raise InputError(f"`classes` {file}: {error}") from None
    sources.order_classes(names)
