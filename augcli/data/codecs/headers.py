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

import functools
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from augcli.data.codecs.containers import Header, cut_short, is_grey_palette, several
from augcli.data.codecs.disagreements import (
    BETWEEN_SCANS,
    ends_where_it_says,
    palette_fits,
    scans_end_well,
)
from augcli.data.codecs.file_kinds import readable_kind
from augcli.data.codecs.gif import gif_header
from augcli.data.codecs.npy import MAGIC, is_npy_picture, npy_facts
from augcli.data.codecs.png import png_header
from augcli.data.codecs.pnm import pnm_header
from augcli.data.codecs.tags import TIFF_STARTS, orientation_of
from augcli.data.codecs.tiff import tiff_header
from augcli.errors import UnreadableImage

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.data.codecs.formats import Subsampling


def read_header(data: bytes) -> Header:
    """Recognise a file by its content and read what it declares.

    Args:
        data: The whole file.

    Returns:
        What the file declares. A broken header gives a size of 0 and no error: the decoder
        decides whether the picture can be read.

    Raises:
        UnreadableImage: The file is of no format that augcli reads, is cut short, or holds several
            pictures or samples that don't fit 8 bits.

    Example:
        >>> fields = struct.pack("<LLllHH", 54, 40, 7, -5, 1, 24)
        >>> header = read_header(b"BM" + bytes(8) + fields + bytes(24))
        >>> header.container, header.width, header.height, header.plain
        ('BMP', 7, 5, True)
    """
    if data.startswith(b"\xff\xd8\xff"):  # nearly every file
        return _jpeg(data)
    if data.startswith(MAGIC) and is_npy_picture(data):
        return npy_facts(data)
    if data[:4] in TIFF_STARTS:
        return tiff_header(data)
    return _READERS[readable_kind(data).ending](data)


class _Segments(NamedTuple):
    """What stands before the first scan of a JPEG.

    Attributes:
        position: Where the scan begins, or where reading ended.
        at_scan: Whether the scan begins there.
        width: Of the picture; 0 where it was not found.
        height: The same.
        components: 1 for grey, 3 for colours; 0 where they were not found.
        one_scan: Whether the scan holds all of the picture.
        subsampling: Of the colours.
        orientation: As Exif or XMP give it.
    """

    position: int
    at_scan: bool
    width: int
    height: int
    components: int
    one_scan: bool
    subsampling: Subsampling
    orientation: int


def _jpeg(data: bytes) -> Header:
    """Read the segments before the first scan, and look for the end."""
    stop = data.find(b"\xff\xda", 2, _SHORT_HEADER)
    segments = _shared_segments(data[: stop + _AFTER_SCAN]) if stop >= 0 else None
    if segments is None or not segments.at_scan:
        segments = _segments(data)
    position, at_scan, width, height, components, one_scan, subsampling, orientation = segments
    plain = ended = False
    if at_scan:
        ended = scans_end_well(data, position, frozenset() if one_scan else BETWEEN_SCANS)
        # Grey or colour only: the rest is CMYK.
        plain = components in (1, 3) and ended
    if not ended:
        # Behind the header: a thumbnail in it has an end of its own.
        ended = data.find(_JPEG_END, position) >= 0
        if not ended and data.endswith(_ZEROS):
            raise cut_short("JPEG")
    return Header(
        "JPEG",
        width,
        height,
        orientation,
        plain,
        grey=components == 1,
        subsampling=subsampling,
        ended=ended,
    )


def _segments(data: bytes) -> _Segments:
    """Walk the segments from the start to the first scan."""
    position, width, height, components = 2, 0, 0, 0
    progressive = at_scan = one_scan = False
    exif = xmp = b""
    subsampling: Subsampling = "420"
    try:
        while data[position] == 0xFF:
            marker = data[position + 1]
            if marker == 0xFF:  # fill byte
                position += 1
                continue
            if marker == 0xDA:  # start of scan
                one_scan = data[position + 4] == components and not progressive
                at_scan = True
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
        pass  # the header is cut short
    orientation = orientation_of(exif, xmp) if exif or xmp else 1
    return _Segments(
        position, at_scan, width, height, components, one_scan, subsampling, orientation
    )


# Small pictures of one set often have the same header, and its walk takes as long as decoding.
_shared_segments = functools.lru_cache(maxsize=16)(_segments)
_SHORT_HEADER: Final = 1024
"""Bytes of a header that may be that of other pictures too; a longer one describes its picture."""
_AFTER_SCAN: Final = 10
"""Bytes from the start of a scan on that are no pixels yet: the walk looks at five of them."""
_JPEG_END: Final = b"\xff\xd9"
_ZEROS: Final = bytes(16)
"""What stands where the rest of a file was never written: decoders take it for pixels."""


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
        raise UnreadableImage(several("an animated WebP", frames, "frames"))
    orientation = orientation_of(exif, xmp) if exif or xmp else 1
    plain = not flags & _WEBP_ANIMATION and ends_where_it_says(data)
    return Header("WebP", width, height, orientation, plain, bool(flags & _WEBP_ALPHA))


_WEBP_ALPHA: Final = 0x10
_WEBP_ANIMATION: Final = 0x02


def _bmp(data: bytes) -> Header:
    """Read the fixed fields; Pillow decodes bit fields, 16-bit pixels and run lengths."""
    width, height, depth, compression = _dib_fields(data[14:])
    plain = compression == 0 and depth in (1, 4, 8, 24, 32) and palette_fits(data, depth)
    grey = False
    if plain and depth <= 8:
        header = int.from_bytes(data[14:18], "little")
        entry = 3 if header == 12 else 4
        grey = is_grey_palette(data[14 + header : 14 + header + (entry << depth)], entry)
    return Header("BMP", width, height, plain=plain, grey=grey)


def _dib(data: bytes) -> Header:
    """Read the size of a BMP without its first 14 bytes, which Pillow decodes."""
    width, height, *_ = _dib_fields(data)
    return Header("DIB", width, height)


def _dib_fields(data: bytes) -> tuple[int, int, int, int]:
    """Return width, height, bits a pixel and compression; zeros where the header is cut short."""
    try:
        if data[0] == 12:
            width, height, _, depth = struct.unpack_from("<HHHH", data, 4)
            return width, height, depth, 0
        width, height, _, depth, compression = struct.unpack_from("<llHHL", data, 4)
    except struct.error:
        return 0, 0, 0, 0
    return abs(width), abs(height), depth, compression  # a negative height: stored top down


_READERS: Final[dict[str, Callable[[bytes], Header]]] = {
    ".png": png_header,
    ".webp": _webp,
    ".bmp": _bmp,
    ".dib": _dib,
    **dict.fromkeys((".pbm", ".pgm", ".ppm"), pnm_header),
    # Pillow reads the headers of these, before it decodes a pixel.
    ".gif": gif_header,
    ".npy": npy_facts,
    ".avif": lambda _: Header("AVIF"),
    ".heic": lambda _: Header("HEIC"),
}
"""What reads a header, by the ending that the kind of the file should have."""
