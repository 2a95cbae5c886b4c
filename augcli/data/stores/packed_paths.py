"""Paths of many sources in one block of memory: a third of what a list of texts takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, overload

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

AT_ONCE: Final = 1 << 16
"""Paths that are unpacked at a time where all of them are wanted."""
BLOCK: Final = 1 << 24
"""Bytes that are searched for the ends of paths at a time."""


class PackedPaths(Sequence[str]):
    r"""Paths, each with a zero byte after it, and where each of them ends.

    Args:
        packed: The paths as UTF-8, with ``surrogateescape``.

    Example:
        >>> paths = PackedPaths(b"cat/a.jpg\0dog/b.jpg\0")
        >>> len(paths), paths[1], list(paths), paths[:1]
        (2, 'dog/b.jpg', ['cat/a.jpg', 'dog/b.jpg'], ['cat/a.jpg'])
    """

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._ends = _ends(packed)

    def __len__(self) -> int:
        return len(self._ends)

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
        return self._text(number, number + 1)

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), AT_ONCE):
            yield from self._slice(start, min(start + AT_ONCE, len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def _slice(self, start: int, stop: int) -> list[str]:
        return self._text(start, stop).split("\0") if start < stop else []

    def _text(self, start: int, stop: int) -> str:
        """Return the paths from one to another, with zeros between them."""
        begin = int(self._ends[start - 1]) + 1 if start else 0
        end = int(self._ends[stop - 1])
        return self._packed[begin:end].decode("utf-8", "surrogateescape")


def _ends(packed: bytes) -> NDArray[np.int64]:
    """Return where the zero bytes are: int64 (n,)."""
    found = []
    for start in range(0, len(packed), BLOCK):
        block = np.frombuffer(packed, np.uint8, min(BLOCK, len(packed) - start), start)
        found.append(np.flatnonzero(block == 0) + start)
    return np.concatenate(found) if found else np.zeros(0, np.int64)
