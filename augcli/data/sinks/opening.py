"""Opening: which sink the outputs go to. Another kind of sink is one more line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from augcli.data.sinks.folder import FolderSink
from augcli.data.sinks.npz import NpzSink
from augcli.data.sinks.parquet import ParquetSink
from augcli.data.sinks.sink import DataSet
from augcli.data.sinks.webdataset import WebDatasetSink

if TYPE_CHECKING:
    from augcli.data.sinks.sink import Sink
    from augcli.files import OutputFiles

NOTHING_KNOWN = DataSet()
CONTAINERS: dict[str, type[WebDatasetSink | ParquetSink | NpzSink]] = {
    "webdataset": WebDatasetSink,
    "parquet": ParquetSink,
    "npz": NpzSink,
}
"""The sinks that put the outputs of a shard into one file, by the value of the option ``to``."""
INDEXES = frozenset(kind.index_name for kind in CONTAINERS.values()) - {""}
"""The files that say what containers hold."""


def open_sink(to: object, files: OutputFiles, data_set: DataSet = NOTHING_KNOWN) -> Sink:
    """Return the sink of a name; that of folders for any other.

    Args:
        to: The option ``to``.
        files: Reads and writes OUT.
        data_set: What is known of all outputs; not needed for reading.

    Raises:
        UsageError: A package that it needs is missing.
    """
    if isinstance(to, str) and to in CONTAINERS:
        return CONTAINERS[to](files, data_set)
    return FolderSink(files)


def sink_of(name: str, files: OutputFiles) -> Sink:
    """Return the sink that an output lies in.

    Args:
        name: Its name in the manifest.
        files: Reads OUT.

    Raises:
        UsageError: A package that it needs is missing.
    """
    first = name.partition("/")[0]
    for to, kind in CONTAINERS.items():
        # A class may have such a name too, but it has a folder.
        if first.endswith(f".{kind.ending}") and not files.has_folder(first):
            return open_sink(to, files)
    return FolderSink(files)


def container_ending(to: object) -> str:
    """Return the ending of the containers of a sink; empty where each output is a file.

    Example:
        >>> container_ending("webdataset"), container_ending("folder")
        ('tar', '')
    """
    return CONTAINERS[to].ending if isinstance(to, str) and to in CONTAINERS else ""


def is_whole(to: object) -> bool:
    """Return whether a sink has one file for each copy of a split, however large."""
    return isinstance(to, str) and to in CONTAINERS and CONTAINERS[to].is_whole


def holds_arrays(to: object) -> bool:
    """Return whether a sink has arrays and no picture files."""
    return isinstance(to, str) and to in CONTAINERS and CONTAINERS[to].holds_arrays
