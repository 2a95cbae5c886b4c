"""The header of a PNG, and its pixels without the chunks that libpng complains about."""

from __future__ import annotations

import struct
import zlib
from typing import Final

from augcli.data.codecs.containers import Header, cut_short, is_grey_palette, several
from augcli.data.codecs.tags import orientation_of
from augcli.errors import UnreadableImage

_START: Final = 33
"""Bytes of the signature and the first chunk, which declares the size."""
_END: Final = b"IEND"
_PIXELS: Final = frozenset({b"PLTE", b"IDAT"})
"""The other chunks that decide pixels."""


def png_header(data: bytes) -> Header:
    """Walk all chunks to the end marker, because the orientation may come after the pixels.

    What comes after the end marker is no part of the picture.

    Raises:
        UnreadableImage: It has no end marker, or is an animation.
    """
    if data[12:16] != b"IHDR" or len(data) < _START:
        if _END not in data:
            raise cut_short("PNG")
        return Header("PNG")
    width, height, depth, colour = struct.unpack_from(">LLBB", data, 16)
    exif = xmp = kind = b""
    transparent = pixels_seen = False
    plain, grey = True, colour in (0, 4)
    position, end = _START, len(data)
    while kind != _END:
        kind_before = kind
        length, kind = _chunk(data, position)
        start = position + 8
        if kind == b"IDAT":
            # Where anything stands between two of them, Pillow stops.
            plain &= not pixels_seen or kind_before == kind
            pixels_seen = True
        elif kind == b"PLTE":
            grey |= colour == 3 and is_grey_palette(data[start : start + length])
        elif kind == b"tRNS":
            transparent = True
        elif kind == b"acTL" and not pixels_seen:
            frames = int.from_bytes(data[start : start + 4], "big")
            if frames > 1:
                raise UnreadableImage(several("an animated PNG", frames, "frames"))
        elif kind == b"eXIf":
            exif = data[start : start + length]
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            body = data[start : start + length]
            exif = exif or _exif_of_text(kind, body)
            if body.startswith(b"XML:com.adobe.xmp\0"):
                xmp = body
        # OpenCV allocates as much memory as a chunk declares, up to 2 GB.
        plain &= start + length + 4 <= end
        if kind != b"IDAT" and not pixels_seen:
            # Pillow checks these sums, OpenCV doesn't.
            check = data[start + length : start + length + 4]
            plain &= zlib.crc32(data[position + 4 : start + length]).to_bytes(4, "big") == check
        position = start + length + 4
    return Header(
        "PNG",
        width,
        height,
        orientation_of(exif, xmp) if exif or xmp else 1,
        plain=plain,
        alpha=colour in (4, 6) or transparent,
        deep=depth == 16,
        grey=grey,
    )


def _chunk(data: bytes, position: int) -> tuple[int, bytes]:
    """Return the length and the kind of the chunk at a position.

    Raises:
        UnreadableImage: There is none: the rest was never written, or the end marker is cut.
    """
    length = int.from_bytes(data[position : position + 4], "big")
    kind = data[position + 4 : position + 8]
    if not kind.isalpha() or (kind == _END and position + length + 12 > len(data)):
        raise cut_short("PNG")
    return length, kind


def bare_png(data: bytes) -> bytes:
    r"""Return a PNG with the chunks that decide its colours, and no other.

    libpng, through OpenCV, writes a line to standard error for each profile or date that it finds
    odd. Nothing in Python can prevent that, so it gets to see none. (Transparency is left out too:
    it changes no colour.) What comes after the end marker is left out as well.

    Args:
        data: A PNG that :func:`png_header` read to its end marker.

    Returns:
        The same bytes, or a copy without the chunks.

    Example:
        >>> bare_png(bytes(33) + b"\0\0\0\1tIME?cccc" + b"\0\0\0\0IENDcccc")[33:]
        b'\x00\x00\x00\x00IENDcccc'
    """
    parts = [data[:_START]]
    kept_from = position = _START
    kind = b""
    while kind != _END:
        after = position + 12 + int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        if kind not in _PIXELS and kind != _END:
            parts.append(data[kept_from:position])
            kept_from = after
        position = after
    if kept_from == _START and position >= len(data):
        return data
    return b"".join((*parts, data[kept_from:position]))


def _exif_of_text(kind: bytes, body: bytes) -> bytes:
    """Return the Exif that ImageMagick writes into a PNG text chunk as hexadecimal digits."""
    keyword, _, rest = body.partition(b"\0")
    if keyword != b"Raw profile type exif":
        return b""
    try:
        if kind == b"zTXt":
            # 256 KiB of digits hold twice what an Exif block of a JPEG may hold.
            rest = zlib.decompressobj().decompress(rest[1:], 1 << 18)
        # An empty line, the name and the length come before the digits.
        return bytes.fromhex("".join(rest.decode("ascii").split("\n")[3:]))
    except (ValueError, zlib.error):
        return b""
