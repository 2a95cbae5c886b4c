"""What a sink must be able to do: take outputs shard by shard, give them back, remove them."""

from __future__ import annotations

from typing import Protocol


class ShardWriter(Protocol):
    """Takes the outputs of one shard."""

    def add(self, name: str, data: bytes) -> None:
        """Take one output.

        Args:
            name: Path relative to OUT, with ``/``.
            data: The whole file.

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


class Sink(Protocol):
    """Where outputs go."""

    def open(self, shard: str) -> ShardWriter:
        """Begin a shard, or continue it."""
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
        """Return how many bytes an output has; None where it is missing."""
        ...

    def remove(self, name: str) -> None:
        """Remove an output, if it is there."""
        ...
