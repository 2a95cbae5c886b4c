"""Files that OpenCV and Pillow read differently, mostly damaged ones that only Pillow refuses.

Each check looks at a few bytes only. Where one fails, Pillow decodes.
"""

from __future__ import annotations

import re
from typing import Final

_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""A marker in compressed data that is neither an escaped byte nor a restart marker."""
BETWEEN_SCANS: Final = frozenset({0xC4, 0xDA, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)})
"""Markers that may stand between two scans: tables, scans, comments, application segments."""


def scans_end_well(data: bytes, position: int, allowed: frozenset[int]) -> bool:
    """Return whether a JPEG has an end, and only allowed markers between the first scan and it.

    Where a block of the file was replaced by another, Pillow refuses the file, and OpenCV
    fills the rest of the picture with grey without a warning.

    Args:
        data: The whole file.
        position: Where the first start-of-scan marker stands.
        allowed: The second bytes of the allowed markers.
    """
    while True:
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        match = _MARKER.search(data, position + 2 + length)
        if match is None:
            return False  # cut short
        position = match.start()
        marker = data[position + 1]
        if marker not in allowed:
            return marker == 0xD9


def ends_where_it_says(data: bytes) -> bool:
    """Return whether a WebP and its only chunk have the declared length; OpenCV doesn't check."""
    length = int.from_bytes(data[4:8], "little")
    if data[12:16] != b"VP8X":
        chunk = int.from_bytes(data[16:20], "little")
        if length != 12 + chunk + (chunk & 1):
            return False
    return len(data) <= 8 + length + (length & 1)


def palette_fits(data: bytes, depth: int) -> bool:
    """Return whether a BMP's palette is complete and its pixels come after it."""
    pixels_at = int.from_bytes(data[10:14], "little")
    header = int.from_bytes(data[14:18], "little")
    colours = 1 << depth if depth <= 8 else 0
    # Only Pillow makes pixels black whose colour is missing in a short palette.
    declared = int.from_bytes(data[46:50], "little") if header > 12 and colours else 0
    palette = colours * (3 if header == 12 else 4)
    return declared in (0, colours) and pixels_at >= 14 + header + palette
