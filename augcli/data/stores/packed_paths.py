"""Paths of many sources in one block of memory: less than half of what a list of texts takes."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast, overload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from augcli.data.stores.stored_columns import StoredBytes, StoredNumbers

AT_ONCE: Final = 1 << 16
"""Paths that are unpacked at a time where all of them are wanted."""


class PackedPaths(Sequence[str]):
    r"""Paths, each with a zero byte after it, and where each of them ends. It can grow.

    Args:
        paths: The first of them.

    Attributes:
        ends: Where the zero bytes are.

    Example:
        >>> paths = PackedPaths(["cat/a.jpg"])
        >>> paths.append("dog/b.jpg")
        >>> len(paths), paths[1], list(paths), paths[:1]
        (2, 'dog/b.jpg', ['cat/a.jpg', 'dog/b.jpg'], ['cat/a.jpg'])
        >>> paths.packed(0, 2)
        b'cat/a.jpg\x00dog/b.jpg\x00'
    """

    def __init__(self, paths: Iterable[str] = ()) -> None:
        self._packed = bytearray()
        self.ends = array("q")
        self.extend(paths)

    @classmethod
    def stored(cls, packed: StoredBytes, ends: StoredNumbers) -> PackedPaths:
        """Return paths that stay on the disk, and can't grow.

        Args:
            packed: The paths as UTF-8 with ``surrogateescape``, each with a zero byte after it.
            ends: Where these bytes are.
        """
        paths = cls()
        # They are only read: nothing is added to a list that is whole.
        paths._packed, paths.ends = cast("bytearray", packed), cast("array[int]", ends)
        return paths

    def append(self, path: str) -> None:
        """Add a path."""
        self._packed += path.encode("utf-8", "surrogateescape")
        self.ends.append(len(self._packed))
        self._packed.append(0)

    def extend(self, paths: Iterable[str]) -> None:
        """Add paths."""
        for path in paths:
            self.append(path)

    def packed(self, start: int, stop: int) -> bytes:
        """Return the paths from one to another as UTF-8, each with a zero byte after it."""
        return bytes(self._packed[self._begin(start) : self._begin(stop)])

    def __len__(self) -> int:
        return len(self.ends)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        """Return a path, or a list of those in a slice."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return self._slice(start, stop)
            return [self[number] for number in range(start, stop, step)]
        number = range(len(self))[index]
        packed = self._packed[self._begin(number) : self.ends[number]]
        return packed.decode("utf-8", "surrogateescape")

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), AT_ONCE):
            yield from self._slice(start, min(start + AT_ONCE, len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"PackedPaths({list(self)!r})"

    def _begin(self, number: int) -> int:
        return self.ends[number - 1] + 1 if number else 0

    def _slice(self, start: int, stop: int) -> list[str]:
        if start >= stop:
            return []
        return self.packed(start, stop)[:-1].decode("utf-8", "surrogateescape").split("\0")
