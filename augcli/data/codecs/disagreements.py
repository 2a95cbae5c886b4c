"""Damage that OpenCV passes over and Pillow refuses, or that the two read differently.

Each check looks at a few bytes only; where it finds something, Pillow decodes.
"""

from __future__ import annotations

import re
from typing import Final

_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""In compressed data: what neither stands for a byte nor marks where to restart."""
BETWEEN_SCANS: Final = frozenset({0xC4, 0xDA, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)})
"""Tables, scans, comments and applications' segments."""


def scans_end_well(data: bytes, position: int, allowed: frozenset[int]) -> bool:
    """Return whether only allowed markers stand between the first scan and the end.

    Where a block of the file was replaced by another, OpenCV fills the rest of the picture
    with grey and says nothing, and Pillow refuses it.
    """
    while True:
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        found = _MARKER.search(data, position + 2 + length)
        if found is None:
            return True  # cut short, which either decoder sees
        position = found.start()
        marker = data[position + 1]
        if marker not in allowed:
            return marker == 0xD9


def ends_where_it_says(data: bytes) -> bool:
    """Return whether a WebP, and its only chunk, end where they say; OpenCV doesn't look."""
    length = int.from_bytes(data[4:8], "little")
    if data[12:16] != b"VP8X":
        chunk = int.from_bytes(data[16:20], "little")
        if length != 12 + chunk + (chunk & 1):
            return False
    return len(data) <= 8 + length + (length & 1)


def palette_fits(data: bytes, depth: int) -> bool:
    """Return whether a BMP's pixels stand behind its palette; if not, Pillow decides."""
    pixels_at = int.from_bytes(data[10:14], "little")
    header = int.from_bytes(data[14:18], "little")
    colours = 1 << depth if depth <= 8 else 0
    # A pixel of a colour that a short palette lacks is black to Pillow only.
    given = int.from_bytes(data[46:50], "little") if header > 12 and colours else 0
    palette = colours * (3 if header == 12 else 4)
    return given in (0, colours) and pixels_at >= 14 + header + palette
