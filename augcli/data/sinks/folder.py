"""The folder sink: a file for each output, in the folders of the sources."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, ClassVar

from augcli.data.output import PARTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from augcli.data.manifest import Row
    from augcli.data.sinks.sink import Contained
    from augcli.files import OutputFiles

PART_ENDING = ".json"


def part_name(shard: str) -> str:
    """Return where the part of a shard lies in OUT until the run is complete, with ``/``."""
    return f"{PARTS}/{shard}{PART_ENDING}"


class FolderSink:
    """Outputs as files of a folder.

    Args:
        files: Writes into OUT.
    """

    ending: ClassVar[str] = ""
    index_name: ClassVar[str] = ""

    def __init__(self, files: OutputFiles) -> None:
        self._files = files

    def open(self, shard: str, file: str = "") -> FolderShardWriter:
        """Begin a shard, or continue it."""
        assert not file
        return FolderShardWriter(self._files.apart(), part_name(shard))

    def read(self, name: str, limit: int | None = None) -> bytes:
        """Return the bytes of an output."""
        return self._files.read(name, limit)

    def size(self, name: str) -> int | None:
        """Return how many bytes an output has; None where it is missing."""
        return self._files.size(name)

    def remove(self, *names: str) -> None:
        """Remove outputs, those that are there."""
        self._files.remove(*names)

    def index(self, containers: Sequence[Contained]) -> Mapping[str, bytes]:
        """Return nothing: the folders say it all."""
        assert not containers
        return {}


class FolderShardWriter:
    """Publishes each output of a shard at once; the part comes last."""

    def __init__(self, files: OutputFiles, part: str) -> None:
        self._files = files
        self._part = part

    def place(self, name: str) -> str:
        """Return the name itself."""
        return name

    def files(self, names: list[str]) -> list[str]:
        """Return the names themselves."""
        return names

    def begin(self, part: bytes) -> None:
        """Publish what the part says for now."""
        self._files.publish_first(self._part, part)

    def add(self, row: Row, data: bytes) -> None:
        """Publish one output."""
        self._files.publish(row.file_name, data)

    def close(self) -> None:
        """Do nothing: each output is whole already."""

    def commit(self, part: bytes) -> None:
        """Force the outputs to the disk where that was asked for, then publish the part."""
        self._files.sync()
        self._files.publish(self._part, part)
        self._files.sync()

    def abandon(self) -> None:
        """Wait for what is on its way: outputs that no part names are found by the next run."""
        with contextlib.suppress(OSError):
            self._files.sync()
