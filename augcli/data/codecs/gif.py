"""The end of a GIF: Pillow decodes its first picture whether or not the rest is there."""

from __future__ import annotations

from typing import Final

from augcli.data.codecs.containers import Header, cut_short

_TRAILER: Final = 0x3B
_EXTENSION: Final = 0x21
_PICTURE: Final = 0x2C
_FIRST: Final = 13
"""Bytes before the table of colours."""


def gif_header(data: bytes) -> Header:
    """Walk the blocks to the trailer; Pillow reads the size, before it decodes a pixel.

    Raises:
        UnreadableImage: It has no trailer.

    Example:
        >>> gif_header(b"GIF89a" + bytes(7) + b";").container
        'GIF'
    """
    # Nearly every file ends with it. A cut one that does by chance is left to Pillow.
    if data[-1] != _TRAILER and not _has_trailer(data):
        raise cut_short("GIF")
    return Header("GIF")


def _has_trailer(data: bytes) -> bool:
    """Return whether the blocks of a GIF lead to its trailer; bytes may come after it."""
    try:
        position = _FIRST + _table(data[10])
        while data[position] != _TRAILER:
            if data[position] == _EXTENSION:
                position = _after_blocks(data, position + 2)
            elif data[position] == _PICTURE:
                position = _after_blocks(data, position + 11 + _table(data[position + 9]))
            else:
                return False
    except IndexError:
        return False
    return True


def _table(flags: int) -> int:
    """Return how many bytes a table of colours has, by the flags before it."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(data: bytes, position: int) -> int:
    """Return where a sequence of blocks ends, each with its length before it."""
    while data[position]:
        position += 1 + data[position]
    return position + 1
