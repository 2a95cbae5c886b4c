"""A table of heat maps on disk that several processes read and write at once.

It is a cache: a map may get lost, when two processes write to one place or a process is killed,
and is then computed again, but no map that it returns is wrong. The file is a hash table of records
of one size: a key, a map and a checksum of both. It needs no lock, no index in memory, and no
repair.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
from typing import TYPE_CHECKING

import numpy as np

from augcli.files import open_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

STORED_TYPE = np.float16
"""Of stored maps: half the size of float32, and more precise than a scorer is."""
NAME_END = re.compile(r"-[0-9a-f]{16}-[0-9]+x[0-9]+-[0-9]+")
"""What a table's name has after its beginning."""
KEY_BYTES = 32
CHECK_BYTES = 8
PROBES = 32
"""How many records are searched for a key, from the place that its hash gives."""


class MapTable:
    """Stored heat maps, by the content of their images.

    Args:
        path: Beginning of the file's path. What the maps depend on is added to it: tables of
            different scorers or shapes are different files.
        scorer: SHA-256 of the scorer.
        shape: Rows and columns of the maps.
        images: About how many maps the table has room for.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with MapTable(f"{folder}/maps", "ab" * 32, (2, 2), 100) as table:
        ...         table.put(b"k" * 32, np.float32([[1, 2], [3, 4]]))
        ...         stored, missing = table.get(b"k" * 32), table.get(b"j" * 32)
        >>> stored.tolist(), missing
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
        self._file = open_table(self.path)

    def __enter__(self) -> MapTable:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the maps stay on disk."""
        self._file.close()

    def get(self, key: bytes) -> NDArray[np.float32] | None:
        """Return the map float32 (h, w) of an image, or None where it is missing.

        Args:
            key: 32 bytes: the hash of the image's content.
        """
        for record in self._window(key):
            if record[:KEY_BYTES] == key and self._is_whole(record):
                stored = np.frombuffer(record[KEY_BYTES:-CHECK_BYTES], STORED_TYPE)
                values = stored.astype(np.float32)
                # The table may come from somebody else, with a checksum that is right. A product
                # is the quickest way to see NaN or infinity: squares of 16 bits fit by far.
                if math.isfinite(values.dot(values)):
                    return values.reshape(self._shape)
        return None

    def put(self, key: bytes, heat_map: NDArray[np.float32]) -> None:
        """Store the map float32 (h, w) of an image, unless all places for its key are taken."""
        body = key + heat_map.astype(STORED_TYPE).tobytes()
        records = self._window(key)
        for number in range(PROBES):
            if number >= len(records) or not self._is_whole(records[number]):
                self._file.seek((self._home(key) + number) * self._record)
                self._file.write(body + _checksum(body))
                return

    def _home(self, key: bytes) -> int:
        return int.from_bytes(key[:8], "big") % self._places

    def _window(self, key: bytes) -> list[bytes]:
        """Return the records that may hold a key, up to the end of the file."""
        size = self._record
        self._file.seek(self._home(key) * size)
        content = self._file.read(PROBES * size) or b""
        return [content[start : start + size] for start in range(0, len(content), size)]

    def _is_whole(self, record: bytes) -> bool:
        body = record[:-CHECK_BYTES]
        return len(record) == self._record and record[-CHECK_BYTES:] == _checksum(body)


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=CHECK_BYTES).digest()
