"""What a sink must be able to do: take outputs shard by shard, give them back, remove them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

from augcli.data.manifest_formats.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from augcli.data.manifest import Row


class DataFile(NamedTuple):
    """A container of outputs, as the part of its shard records it.

    Attributes:
        name: Of the file in OUT.
        size: Its bytes.
        sha256: Of the whole file.
    """

    name: str
    size: int
    sha256: str


class Contained(NamedTuple):
    """What a container holds, for an index over all of them.

    Attributes:
        file: The container.
        split: The part of the data set in it; empty where there are none.
        outputs: How many outputs it holds.
    """

    file: DataFile
    split: str
    outputs: int


class DataSet(NamedTuple):
    """What sinks must know of all outputs.

    Attributes:
        classes: Names of the classes, in the order of classes.txt.
        are_many: Whether pictures may have several classes at once.
        columns: Those of a row, whatever the manifest has: another manifest changes no output.
    """

    classes: tuple[str, ...] = ()
    are_many: bool = False
    columns: Columns = Columns()


class ShardWriter(Protocol):
    """Takes the outputs of one shard."""

    def place(self, name: str) -> str:
        """Return the name that the manifest has for an output.

        Args:
            name: Path relative to OUT of an output that is a file, with ``/``.
        """
        ...

    def files(self, names: list[str]) -> list[str]:
        """Return the files of OUT that outputs with such names lie in."""
        ...

    def begin(self, part: bytes) -> None:
        """Publish what the part says while the outputs are being made.

        Raises:
            OSError: It can't be written.
        """
        ...

    def add(self, row: Row, data: bytes) -> None:
        """Take one output.

        Args:
            row: What the manifest says of it, with the name that :meth:`place` gave.
            data: The whole picture file.

        Raises:
            OSError: It can't be written.
        """
        ...

    def close(self) -> DataFile | None:
        """End the container of the outputs, not yet published; None where each is a file.

        Raises:
            OSError: It can't be written.
        """
        ...

    def commit(self, part: bytes) -> None:
        """Publish the part, the record of the shard: from then on its outputs are there.

        Raises:
            OSError: It can't be written.
        """
        ...

    def abandon(self) -> None:
        """Drop what is not published; after :meth:`commit` there is nothing to drop."""
        ...


class Sink(Protocol):
    """Where outputs go."""

    ending: ClassVar[str]
    """Of its containers; empty where each output is a file."""
    index_name: ClassVar[str]
    """The file that :meth:`index` gives; empty where there is none."""

    def open(self, shard: str, file: str = "") -> ShardWriter:
        """Begin a shard, or continue it.

        Args:
            shard: Its name.
            file: Name of the container that its outputs lie in; empty where each is a file.
        """
        ...

    def read(self, name: str, limit: int | None = None) -> bytes:
        """Return the bytes of an output.

        Args:
            name: Its name.
            limit: The most bytes that it may have.

        Raises:
            OSError: It can't be read, or is larger than the limit.
        """
        ...

    def size(self, name: str) -> int | None:
        """Return how many bytes a file of OUT has; None where it is missing."""
        ...

    def remove(self, *names: str) -> None:
        """Remove files of OUT, those that are there."""
        ...

    def index(self, containers: Sequence[Contained]) -> Mapping[str, bytes]:
        """Return the files that say what all containers hold, by name."""
        ...
