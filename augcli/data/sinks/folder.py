"""The folder sink: a file for each output, in the folders of the sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from augcli.data.output import PARTS

if TYPE_CHECKING:
    from augcli.files import Folder

PART_ENDING = ".json"


def part_name(shard: str) -> str:
    """Return where the part of a shard lies in OUT until the run is complete, with ``/``."""
    return f"{PARTS}/{shard}{PART_ENDING}"


class FolderSink:
    """Outputs as files of a folder.

    Args:
        files: Writes into OUT.
    """

    def __init__(self, files: Folder) -> None:
        self._files = files

    def open(self, shard: str) -> FolderShardWriter:
        """Begin a shard, or continue it."""
        return FolderShardWriter(self._files, part_name(shard))

    def read(self, name: str, limit: int | None = None) -> bytes:
        """Return the bytes of an output."""
        return self._files.read(name, limit)

    def size(self, name: str) -> int | None:
        """Return how many bytes an output has; None where it is missing."""
        return self._files.size(name)

    def remove(self, name: str) -> None:
        """Remove an output, if it is there."""
        self._files.remove(name)


class FolderShardWriter:
    """Publishes each output of a shard at once; the part comes last."""

    def __init__(self, files: Folder, part: str) -> None:
        self._files = files
        self._part = part

    def add(self, name: str, data: bytes) -> None:
        """Publish one output."""
        self._files.publish(name, data)

    def commit(self, part: bytes) -> None:
        """Force the outputs to the disk where that was asked for, then publish the part."""
        self._files.sync()
        self._files.publish(self._part, part)
        self._files.sync()
