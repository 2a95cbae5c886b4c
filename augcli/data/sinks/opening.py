"""Opening: which sink the outputs go to. Another kind of sink is one more line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from augcli.data.sinks.folder import FolderSink
from augcli.data.sinks.webdataset import WebDatasetSink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from augcli.data.sinks.sink import Sink
    from augcli.files import Folder

FOLDER = "folder"
CONTAINERS = {"webdataset": WebDatasetSink}
"""The sinks that put the outputs of a shard into one file, by the value of the option ``to``."""
INDEXES = frozenset(kind.index_name for kind in CONTAINERS.values()) - {""}
"""The files that say what containers hold."""


def open_sink(
    to: object, files: Folder, classes: Sequence[str] = (), are_many: bool = False
) -> Sink:
    """Return the sink of a name; that of folders for any other.

    Args:
        to: The option ``to``.
        files: Reads and writes OUT.
        classes: Names of the classes, in the order of classes.txt; not needed for reading.
        are_many: Whether pictures may have several classes at once.
    """
    if isinstance(to, str) and to in CONTAINERS:
        return CONTAINERS[to](files, classes, are_many)
    return FolderSink(files)


def container_ending(to: object) -> str:
    """Return the ending of the containers of a sink; empty where each output is a file.

    Example:
        >>> container_ending("webdataset"), container_ending("folder")
        ('tar', '')
    """
    return CONTAINERS[to].ending if isinstance(to, str) and to in CONTAINERS else ""
