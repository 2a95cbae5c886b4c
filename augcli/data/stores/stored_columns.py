"""Columns of a list that stay on the disk: a value is read when it is asked for.

They are read and not mapped into memory: a disk that is gone is then an error, and no signal.
"""

from __future__ import annotations

import errno
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Final, overload

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

AT_ONCE: Final = 1 << 16
"""Numbers that are read at a time where all of them are wanted."""


class StoredBytes:
    """Bytes of a file, of which slices are read.

    Args:
        file: Open for reading.
        start: Where the bytes begin in it.
    """

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file = file
        self._start = start

    def __getitem__(self, wanted: slice) -> bytes:
        """Return the bytes from one place to another.

        Raises:
            OSError: They can't be read.
        """
        self._file.seek(self._start + wanted.start)
        data = self._file.read(wanted.stop - wanted.start)
        if len(data) != wanted.stop - wanted.start:
            raise OSError(errno.EIO, "the list of sources was cut short")
        return data


class StoredNumbers(Sequence[int]):
    """Whole numbers of a file, the lowest byte first.

    Args:
        file: Open for reading.
        start: Where the numbers begin in it.
        count: How many there are.
        typecode: Their kind, as :mod:`array` names it: ``B``, ``i`` or ``q``.

    Attributes:
        typecode: Their kind.
    """

    def __init__(self, file: BinaryIO, start: int, count: int, typecode: str) -> None:
        self.typecode = typecode
        self._bytes = StoredBytes(file, start)
        self._count = count
        self._type = stored_type(typecode)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> int: ...

    @overload
    def __getitem__(self, index: slice) -> array[int]: ...

    def __getitem__(self, index: int | slice) -> int | array[int]:
        """Return a number, or those of a slice."""
        places = range(self._count)[index]
        if isinstance(places, int):
            width = self._type.itemsize
            data = self._bytes[places * width : (places + 1) * width]
            return int.from_bytes(data, "little", signed=self.typecode != "B")
        return array(self.typecode, self._between(min(places, default=0), len(places)).tobytes())

    def __iter__(self) -> Iterator[int]:
        for start in range(0, self._count, AT_ONCE):
            yield from self._between(start, min(AT_ONCE, self._count - start)).tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return all numbers, for NumPy."""
        return self._between(0, self._count).astype(dtype or self.typecode, copy=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (Sequence, array)) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def _between(self, start: int, count: int) -> NDArray[Any]:
        width = self._type.itemsize
        return np.frombuffer(self._bytes[start * width : (start + count) * width], self._type)


def stored_type(typecode: str) -> np.dtype[Any]:
    """Return how numbers of a kind are stored.

    Example:
        >>> stored_type("i").itemsize
        4
    """
    return np.dtype(typecode).newbyteorder("<")
