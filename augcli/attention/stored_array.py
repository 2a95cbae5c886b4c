"""An array in an uncompressed file of NumPy, of which rows are read when they are wanted."""

from __future__ import annotations

import math
import os
import re
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from augcli.errors import Stopped

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from augcli.files import Pieces

PIECE_BYTES = 1 << 20
"""Bytes that are checked at a time."""
MAGIC = b"\x93NUMPY\x01\x00"
ARRAY = re.compile(
    rb"\{'descr': '(\|u1|<f2)', 'fortran_order': False, "
    rb"'shape': \(((?:\d{1,15},? ?){1,3})\), \} *\n"
)
"""What NumPy writes before an array, its type and its shape."""
HEADER_BYTES = 30
"""Size of the fixed part of a file's header in a ZIP archive."""


class Stored:
    """An array in a file, of which rows are read when they are wanted.

    It is not mapped into memory: a mapped file that is cut short ends the process.

    Args:
        pieces: The file.
        start: Where the array begins.
        shape: Of the array.
        dtype: Of its values.
    """

    def __init__(
        self, pieces: Pieces, start: int, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self.shape = shape
        self.dtype = dtype
        self._pieces = pieces
        self._start = start
        self._row_bytes = math.prod(shape[1:]) * dtype.itemsize

    @property
    def path(self) -> str:
        """The file."""
        return self._pieces.path

    @property
    def size(self) -> int:
        """Bytes of the array."""
        return self._row_bytes * math.prod(self.shape[:1])

    def row(self, index: int) -> NDArray[Any]:
        """Return one row, by its number from 0.

        Raises:
            Stopped: The file was cut short, or can't be read.
        """
        return np.frombuffer(self.row_bytes(index), self.dtype).reshape(self.shape[1:])

    def row_bytes(self, index: int) -> bytes:
        """Return the bytes of one row; see :meth:`row`."""
        return self._read(self._start + index * self._row_bytes, self._row_bytes)

    def whole(self) -> NDArray[Any]:
        """Return the array; see :meth:`row`."""
        return self._rows(0, self.shape[0] if self.shape else 1).reshape(self.shape)

    def in_pieces(self) -> Iterator[NDArray[Any]]:
        """Yield all rows, some at a time; see :meth:`row`."""
        step = max(1, PIECE_BYTES // max(1, self._row_bytes))
        for first in range(0, self.shape[0], step):
            yield self._rows(first, min(step, self.shape[0] - first))

    def check_end(self) -> None:
        """Check that the file holds all of it; see :meth:`row`."""
        if self.size:
            self._read(self._start + self.size - 1, 1)

    def _rows(self, first: int, count: int) -> NDArray[Any]:
        data = self._read(self._start + first * self._row_bytes, count * self._row_bytes)
        return np.frombuffer(data, self.dtype).reshape(count, *self.shape[1:])

    def _read(self, position: int, count: int) -> bytes:
        try:
            return self._pieces.read(position, count)
        except (OSError, EOFError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise Stopped(
                f"`heatmaps` {self._pieces.path}: was changed while it was used ({why}); make it "
                "anew with augcli heatmaps, then run the same command again to continue"
            ) from None


def stored_array(file: BinaryIO, pieces: Pieces, entry: zipfile.ZipInfo) -> Stored:
    """Return an array of an archive; only its header is read.

    Args:
        file: The archive, to be read from.
        pieces: The same, which the array reads from later.
        entry: The array's place in it.

    Raises:
        ValueError: It is not what NumPy writes, or of another type than augcli writes.
    """
    file.seek(entry.header_offset)
    header = file.read(HEADER_BYTES)
    # A file name and an extra field follow; the header holds their lengths.
    lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    file.seek(lengths, os.SEEK_CUR)
    shape, dtype = _array_header(file)
    start = file.tell()
    # What an array claims to hold must be what the archive holds of it.
    bytes_of_header = start - entry.header_offset - HEADER_BYTES - lengths
    if bytes_of_header + math.prod(shape) * dtype.itemsize != entry.file_size:
        raise ValueError("an array has another size than its header says")
    return Stored(pieces, start, shape, dtype)


def _array_header(file: BinaryIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and type of an array, as NumPy writes them; its reader takes any Python."""
    beginning = file.read(len(MAGIC) + 2)
    text = file.read(int.from_bytes(beginning[len(MAGIC) :], "little"))
    match = ARRAY.fullmatch(text)
    if beginning[: len(MAGIC)] != MAGIC or not match:
        raise ValueError("an array has another format")
    return tuple(map(int, re.findall(rb"\d+", match[2]))), np.dtype(match[1].decode())
