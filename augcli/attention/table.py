"""A table of heat maps on disk that several processes read and write at once.

A memory, not a record: a map may be lost (two processes wrote to one place, or a process was
killed) and is computed again then, but none is ever wrong. A file of equal records, each a key,
a map and a checksum of both; the key says where to look. So it needs no lock, no index in
memory, and no repair.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STORED_TYPE = np.float16
"""Of maps on disk: half the size, and finer than what two cells should be told apart by."""
KEY_BYTES = 32
CHECK_BYTES = 8
PROBES = 32
"""Records from the place of a key on in which it may lie."""


class MapTable:
    """Heat maps by the content of their images.

    Args:
        path: Beginning of the file's name; what the maps depend on is added, so that a table
            of another scorer or shape is another file.
        scorer: SHA-256 of the scorer.
        shape: Rows and columns of the maps.
        images: About how many are to be kept.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with MapTable(f"{folder}/maps", "ab" * 32, (2, 2), 100) as table:
        ...         table.put(b"k" * 32, np.float32([[1, 2], [3, 4]]))
        ...         found, none = table.get(b"k" * 32), table.get(b"j" * 32)
        >>> found.tolist(), none
        ([[1.0, 2.0], [3.0, 4.0]], None)
    """

    def __init__(self, path: str, scorer: str, shape: tuple[int, int], images: int) -> None:
        self._shape = shape
        self._map_bytes = STORED_TYPE().itemsize * shape[0] * shape[1]
        self._record = KEY_BYTES + self._map_bytes + CHECK_BYTES
        # A power of two, so that a few images more don't need another table; a quarter empty.
        self._places = max(64, 1 << (images - 1).bit_length()) * 5 // 4
        self.path = f"{path}-{scorer[:16]}-{shape[0]}x{shape[1]}-{self._places}"
        os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        self._file: BinaryIO = open(os.open(self.path, flags, 0o666), "r+b", buffering=0)  # noqa: SIM115

    def __enter__(self) -> MapTable:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the maps stay."""
        self._file.close()

    def get(self, key: bytes) -> NDArray[np.float32] | None:
        """Return the map of an image, None where it is not kept.

        Args:
            key: 32 bytes: the hash of the image's content.
        """
        for record in self._window(key):
            if record[:KEY_BYTES] == key and self._is_whole(record):
                found = np.frombuffer(record[KEY_BYTES:-CHECK_BYTES], STORED_TYPE)
                return found.reshape(self._shape).astype(np.float32)
        return None

    def put(self, key: bytes, kept: NDArray[np.float32]) -> None:
        """Keep the map float32 of an image, where there is place."""
        body = key + kept.astype(STORED_TYPE).tobytes()
        records = self._window(key)
        for number in range(PROBES):
            if number >= len(records) or not self._is_whole(records[number]):
                self._file.seek((self._home(key) + number) * self._record)
                self._file.write(body + _checksum(body))
                return

    def _home(self, key: bytes) -> int:
        return int.from_bytes(key[:8], "big") % self._places

    def _window(self, key: bytes) -> list[bytes]:
        """Return the records in which a key may lie, as far as the file goes."""
        size = self._record
        self._file.seek(self._home(key) * size)
        content = self._file.read(PROBES * size) or b""
        return [content[start : start + size] for start in range(0, len(content), size)]

    def _is_whole(self, record: bytes) -> bool:
        body = record[:-CHECK_BYTES]
        return len(record) == self._record and record[-CHECK_BYTES:] == _checksum(body)


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=CHECK_BYTES).digest()
