"""The headers of image files, read without decoding a pixel.

One pass over the markers, chunks or tags gives the size (so that an absurd one is refused
before memory is allocated), the orientation, and whether OpenCV is known to decode this
kind of file to the same pixels as Pillow. A plain JPEG costs a few microseconds. The pass is
strict: what it doesn't fully understand is left to Pillow, so a mistake here costs time, not
pixels.

The orientation is read here, and not left to OpenCV or Pillow, because their releases
disagree: OpenCV 4.11 doesn't turn WebP, and takes the last of two Exif blocks where later
releases take the first; older releases of Pillow don't read XMP.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final, Literal, NamedTuple

from augcli.data.codecs.disagreements import (
    BETWEEN_SCANS,
    ends_where_it_says,
    palette_fits,
    scans_end_well,
)
from augcli.data.codecs.formats import READABLE, Subsampling, describe_unread
from augcli.data.codecs.tags import TIFF_STARTS, count_directories, first_directory, orientation_of
from augcli.errors import UnreadableImage

Container = Literal["JPEG", "PNG", "WebP", "BMP", "TIFF"]


class Header(NamedTuple):
    """What a file declares about its picture.

    Width and height are the stored ones, before the orientation is applied; both are 0 where
    they could not be read.
    """

    container: Container
    width: int = 0
    height: int = 0
    orientation: int = 1  # as Exif counts: 1 is upright, 2 to 8 need turning
    plain: bool = False  # OpenCV is known to decode it to Pillow's pixels
    alpha: bool = False
    deep: bool = False  # 16 bits a sample
    inverted: bool = False  # 16-bit grey where 0 is white, which Pillow doesn't invert
    subsampling: Subsampling = "420"  # 444 for a JPEG with colours at full resolution


def read_header(data: bytes) -> Header:
    """Recognise a file by its content and read what it declares.

    Args:
        data: The whole file.

    Returns:
        What the file declares. A broken header gives a size of 0 and no error: the decoder
        decides whether the picture can be read.

    Raises:
        UnreadableImage: The file is of no format that augcli reads, or holds several pictures
            or samples that don't fit 8 bits.

    Example:
        >>> fields = struct.pack("<LLllHH", 54, 40, 7, -5, 1, 24)
        >>> header = read_header(b"BM" + bytes(8) + fields + bytes(24))
        >>> header.container, header.width, header.height, header.plain
        ('BMP', 7, 5, True)
    """
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    if data[:4] in TIFF_STARTS:
        return _tiff(data)
    # Two letters alone would take a text about BMWs for an image.
    if data[:2] == b"BM" and data[14:18] in _BMP_HEADERS:
        return _bmp(data)
    kind = describe_unread(data)
    raise UnreadableImage(f"{kind}, which augcli does not read; it reads {READABLE}")


def _jpeg(data: bytes) -> Header:
    """Walk the segments from the start to the first scan."""
    position, width, height, components = 2, 0, 0, 0
    progressive = False
    exif = xmp = b""
    plain = False
    subsampling: Subsampling = "420"
    try:
        while data[position] == 0xFF:
            marker = data[position + 1]
            if marker == 0xFF:  # fill byte
                position += 1
                continue
            if marker == 0xDA:  # start of scan; grey or colour only: the rest is CMYK
                one_scan = data[position + 4] == components and not progressive
                allowed = frozenset[int]() if one_scan else BETWEEN_SCANS
                plain = components in (1, 3) and scans_end_well(data, position, allowed)
                break
            length = data[position + 2] << 8 | data[position + 3]
            # Markers below have no segment, or are none that Pillow knows.
            if length < 2 or marker < 0xC0 or 0xD0 <= marker <= 0xD9:
                break
            # Baseline, extended and progressive with 8 bits: the rest is left to Pillow.
            if 0xC0 <= marker <= 0xC2 and data[position + 4] == 8 and not components:
                height = data[position + 5] << 8 | data[position + 6]
                width = data[position + 7] << 8 | data[position + 8]
                components = data[position + 9]
                progressive = marker == 0xC2
                factors = data[position + 11 : position + 18 : 3]
                if len(factors) == components == 3 and factors == factors[:1] * 3:
                    subsampling = "444"
            elif marker == 0xE1:
                segment = data[position + 4 : position + 2 + length]
                if segment[:6] == b"Exif\0\0":
                    exif = exif or segment[6:]
                elif segment[:29] == b"http://ns.adobe.com/xap/1.0/\0":
                    xmp = segment
            position += 2 + length
    except IndexError:
        plain = False
    orientation = orientation_of(exif, xmp) if exif or xmp else 1
    return Header("JPEG", width, height, orientation, plain, subsampling=subsampling)


def _png(data: bytes) -> Header:
    """Walk all chunks, because the orientation may come after the pixels."""
    if data[12:16] != b"IHDR" or len(data) < 33:
        return Header("PNG")
    width, height, depth, colour = struct.unpack_from(">LLBB", data, 16)
    exif = xmp = b""
    transparent = pixels_seen = False
    plain = True
    position, end = 33, len(data)
    while position + 8 <= end:
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        start = position + 8
        if kind == b"IDAT":
            pixels_seen = True
        elif kind == b"tRNS":
            transparent = True
        elif kind == b"acTL" and not pixels_seen:
            frames = int.from_bytes(data[start : start + 4], "big")
            if frames > 1:
                raise UnreadableImage(_several("an animated PNG", frames, "frames"))
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
    )


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


def _webp(data: bytes) -> Header:
    """Read the first chunk, and all chunks of the extended format."""
    kind = data[12:16]
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data.ljust(30, b"\0"), 26)
        return Header("WebP", width & 0x3FFF, height & 0x3FFF, plain=ends_where_it_says(data))
    if kind == b"VP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        return Header(
            "WebP", width, height, plain=ends_where_it_says(data), alpha=bool(bits >> 28 & 1)
        )
    if kind != b"VP8X" or len(data) < 30:
        return Header("WebP")
    flags = data[20]
    width = int.from_bytes(data[24:27], "little") + 1
    height = int.from_bytes(data[27:30], "little") + 1
    exif = xmp = b""
    frames = 0
    position = 30
    while position + 8 <= len(data):
        kind = data[position : position + 4]
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        if kind == b"EXIF":
            exif = exif or data[position + 8 : position + 8 + length]
        elif kind == b"XMP ":
            xmp = xmp or data[position + 8 : position + 8 + length]
        elif kind == b"ANMF":
            frames += 1
        position += 8 + length + (length & 1)
    if frames > 1:
        raise UnreadableImage(_several("an animated WebP", frames, "frames"))
    orientation = orientation_of(exif, xmp) if exif or xmp else 1
    plain = not flags & _WEBP_ANIMATION and ends_where_it_says(data)
    return Header("WebP", width, height, orientation, plain, bool(flags & _WEBP_ALPHA))


_WEBP_ALPHA: Final = 0x10
_WEBP_ANIMATION: Final = 0x02


_BMP_HEADERS: Final = frozenset(struct.pack("<L", n) for n in (12, 16, 40, 52, 56, 64, 108, 124))


def _bmp(data: bytes) -> Header:
    """Read the fixed fields; Pillow decodes bit fields, 16-bit pixels and run lengths."""
    try:
        if data[14] == 12:
            width, height, _, depth = struct.unpack_from("<HHHH", data, 18)
            compression = 0
        else:
            width, height, _, depth, compression = struct.unpack_from("<llHHL", data, 18)
    except struct.error:
        return Header("BMP")
    plain = compression == 0 and depth in (1, 4, 8, 24, 32) and palette_fits(data, depth)
    return Header("BMP", abs(width), abs(height), plain=plain)  # negative: stored top down


def _tiff(data: bytes) -> Header:
    """Read the first directory, count the others, refuse what can't become 8-bit RGB.

    Pillow always decodes TIFF: OpenCV multiplies colours by alpha, doesn't widen 2 and 4 bits,
    and takes the wrong bytes of 16-bit colour.
    """
    tags = first_directory(data)
    pages = count_directories(data)
    if not pages:
        raise UnreadableImage("a TIFF image that is cut short; copy or export it again")
    if pages > 1:
        raise UnreadableImage(_several("a TIFF", pages, "pages"))
    bits, sample_format = tags.get(258, 1), tags.get(339, 1)
    refused = ""
    # Raw photos are TIFF files whose first picture is a small preview.
    if tags.get(254, 0) & 1 or 50706 in tags or data[8:10] == b"CR":
        refused = "with a preview only, as in a camera's raw photo; develop it to JPEG or PNG"
    elif sample_format == 3:
        refused = f"of {bits}-bit floating point samples; save it with 8 or 16 bits a sample"
    elif sample_format == 2:
        refused = f"of signed {bits}-bit samples; save it with 8 or 16 unsigned bits a sample"
    elif bits not in (1, 2, 4, 8, 16):
        refused = f"of {bits}-bit samples; save it with 8 or 16 bits a sample"
    elif bits == 16 and tags.get(284) == 2 and tags.get(277, 1) > 1:
        refused = "of 16-bit samples in separate planes; save it with its channels interleaved"
    if refused:
        raise UnreadableImage(f"a TIFF {refused}")
    deep = bits == 16
    inverted = deep and tags.get(262) == 0
    width, height = tags.get(256, 0), tags.get(257, 0)
    return Header("TIFF", width, height, deep=deep, inverted=inverted)


def _several(kind: str, number: int, parts: str) -> str:
    return f"{kind} of {number} {parts}; save each as a file of its own, or only the first"
