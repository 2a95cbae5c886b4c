"""Tags of TIFF and Exif, which share one layout, and the orientation that they declare.

Only whole numbers are read, and only as far as the bytes go: cameras and editors write blocks
that break off or point outside, and the rest of such a block is still valid.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

# Letters of the struct module for the tag types that hold whole numbers. Not single bytes:
# Pillow returns them as bytes and so never takes them for an orientation.
_WHOLE: Final = {3: "H", 4: "L", 16: "Q"}
_XMP_ORIENTATION: Final = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')


class _Layout(NamedTuple):
    """How numbers are stored in TIFF and Exif bytes, in the letters of the struct module."""

    order: str
    word: str  # an offset or a number of values
    entries: str  # the number of entries of a directory
    first: int  # position of the offset of the first directory


_LAYOUTS: Final = {
    b"II*\0": _Layout("<", "L", "H", 4),
    b"MM\0*": _Layout(">", "L", "H", 4),
    b"II+\0": _Layout("<", "Q", "Q", 8),
    b"MM\0+": _Layout(">", "Q", "Q", 8),
}


SUBFILE: Final = 254
"""The tag that says what a page of a TIFF is of the others."""
REDUCED: Final = 1
"""Its bit for a smaller copy of another page."""
MASK: Final = 4
"""Its bit for the transparency of another page."""

TIFF_STARTS: Final = frozenset(_LAYOUTS)
"""The first four bytes of TIFF: little and big endian, 32 and 64 bits."""


def orientation_of(exif: bytes, xmp: bytes) -> int:
    """Return the orientation of a picture, as Pillow's ``exif_transpose`` reads it.

    Args:
        exif: A block of Exif; may be empty, broken, or begin with JPEG's ``Exif`` prefix.
        xmp: A block of XMP, used only where the Exif has no orientation.

    Returns:
        1 to 8 as Exif counts; 1, upright, where it is missing or invalid.

    Example:
        >>> orientation_of(b"", b'<rdf:Description tiff:Orientation="6"/>')
        6
    """
    if exif[:4] == b"Exif":  # PNG and WebP hold it with or without JPEG's prefix
        exif = exif[6:]
    value = first_directory(exif).get(274)
    if value is None:
        match = _XMP_ORIENTATION.search(xmp)
        value = int(match[1]) if match else 1
    return value if 1 <= value <= 8 else 1


def _number(data: bytes, layout: _Layout, letter: str, offset: int) -> int | None:
    """Read one number, or None where it lies outside of the bytes."""
    try:
        number: int = struct.unpack_from(layout.order + letter, data, offset)[0]
    except (struct.error, OverflowError):
        return None
    return number


def first_directory(data: bytes) -> dict[int, int]:
    """Read the first directory of TIFF or Exif bytes.

    Args:
        data: Bytes that begin with one of `TIFF_STARTS`; anything else has no tags.

    Returns:
        The first value of each tag that holds whole numbers, as far as the bytes go.

    Example:
        >>> entry = struct.pack("<HHLL", 274, 3, 1, 6)
        >>> first_directory(b"II*" + bytes(1) + struct.pack("<LH", 8, 1) + entry)
        {274: 6}
    """
    layout = _LAYOUTS.get(data[:4])
    offset = layout and _number(data, layout, layout.word, layout.first)
    return _directory(data, layout, offset) if layout and offset else {}


def _directory(data: bytes, layout: _Layout, offset: int) -> dict[int, int]:
    """Read the directory at an offset, see :func:`first_directory`."""
    tags: dict[int, int] = {}
    count = _number(data, layout, layout.entries, offset)
    if not count:
        return tags
    inside = struct.calcsize("=" + layout.word)
    entry = struct.Struct(f"{layout.order}HH{layout.word}")
    start = offset + struct.calcsize("=" + layout.entries)
    for at in range(start, min(start + count * (4 + 2 * inside), len(data)), 4 + 2 * inside):
        try:
            tag, kind, values = entry.unpack_from(data, at)
        except struct.error:
            break
        letter = _WHOLE.get(kind)
        if letter is None or not values:
            continue
        where: int | None = at + 4 + inside
        if values * struct.calcsize("=" + letter) > inside:
            where = _number(data, layout, layout.word, at + 4 + inside)
        value = None if where is None else _number(data, layout, letter, where)
        if value is not None:
            tags.setdefault(tag, value)
    return tags


def is_raw_photo(tags: Mapping[int, int]) -> bool:
    """Return whether a TIFF is a camera's raw photo, whose first picture is a small preview.

    Args:
        tags: Its first directory.
    """
    return bool(tags.get(SUBFILE, 0) & REDUCED) or 50706 in tags


def directories(data: bytes) -> list[dict[int, int]]:
    """Return the directories of a TIFF, one for each page: see :func:`first_directory`.

    Args:
        data: A whole TIFF file.

    Returns:
        All to the end of the chain, or to where it comes back to itself; none where not even the
        first can be read.
    """
    layout = _LAYOUTS[data[:4]]
    inside = struct.calcsize("=" + layout.word)
    pages: dict[int, dict[int, int]] = {}
    offset = _number(data, layout, layout.word, layout.first)
    while offset and offset not in pages:
        count = _number(data, layout, layout.entries, offset)
        if not count:
            break
        pages[offset] = _directory(data, layout, offset)
        end = offset + struct.calcsize("=" + layout.entries) + count * (4 + 2 * inside)
        offset = _number(data, layout, layout.word, end)
    return list(pages.values())
