"""What a file is, whatever its name is: read from its first bytes.

Listing a folder asks this a million times and must not pay for importing OpenCV or Pillow, so this
module imports only the standard library.
"""

from __future__ import annotations

import codecs
import re
from typing import Final, NamedTuple

from augcli.data.codecs.npy import is_npy_picture
from augcli.data.codecs.tags import first_directory, is_raw_photo
from augcli.errors import UnreadableImage

READABLE: Final = "JPEG, PNG, WebP, GIF, BMP, DIB, TIFF, PNM, AVIF and HEIC"
"""The formats that augcli reads, as messages name them."""


class FileKind(NamedTuple):
    """What a file is, by its first bytes.

    Attributes:
        name: A noun with its article, such as ``a DICOM file``.
        is_picture: Whether it is a picture, or a document that shows one.
        ending: The ending that such a file should have, with the dot; empty where augcli doesn't
            read this kind.
    """

    name: str
    is_picture: bool = False
    ending: str = ""

    @property
    def is_read(self) -> bool:
        """Whether augcli reads this kind, once the file has the right ending."""
        return bool(self.ending)

    @property
    def plural(self) -> str:
        """The noun for several, without an article."""
        return self.name.partition(" ")[2] + "s"


_EMPTY: Final = FileKind("an empty file")
_ZEROS: Final = FileKind("a file that begins with zero bytes only")
_UNKNOWN: Final = FileKind("no known kind of image")
_TEXT: Final = FileKind("a text file")
_AVIF: Final = FileKind("an AVIF image", is_picture=True, ending=".avif")
_HEIC: Final = FileKind("a HEIC image", is_picture=True, ending=".heic")
_TIFF: Final = FileKind("a TIFF image", is_picture=True, ending=".tif")
_RAW: Final = FileKind("a camera raw photo", is_picture=True)
_ARRAY: Final = FileKind("a NumPy array")
_NPY: Final = FileKind("an array of pixels", is_picture=True, ending=".npy")
_MEDIA: Final = FileKind("a video or another ISO media file")

DIB_HEADERS: Final = frozenset(
    size.to_bytes(4, "little") for size in (12, 16, 40, 52, 56, 64, 108, 124)
)
"""The first four bytes of the header of a BMP, which says its own length. It follows 14 bytes that
begin with ``BM``; a DIB begins with it."""
_SIGNED: Final = (
    (b"\xff\xd8\xff", FileKind("a JPEG image", is_picture=True, ending=".jpg")),
    (b"\x89PNG\r\n\x1a\n", FileKind("a PNG image", is_picture=True, ending=".png")),
    (b"GIF87a", FileKind("a GIF image", is_picture=True, ending=".gif")),
    (b"GIF89a", FileKind("a GIF image", is_picture=True, ending=".gif")),
    (b"II*\x00\x10\x00\x00\x00CR", _RAW),  # before TIFF, whose first bytes it shares
    (b"II*\x00", _TIFF),
    (b"MM\x00*", _TIFF),
    (b"II+\x00", _TIFF),
    (b"MM\x00+", _TIFF),
    (b"\x00\x00\x00\x0cJXL ", FileKind("a JPEG XL image", is_picture=True)),
    (b"\xff\x0a", FileKind("a JPEG XL image", is_picture=True)),
    (b"\x00\x00\x00\x0cjP  ", FileKind("a JPEG 2000 image", is_picture=True)),
    (b"\xff\x4f\xff\x51", FileKind("a JPEG 2000 image", is_picture=True)),
    (b"8BPS", FileKind("a Photoshop document", is_picture=True)),
    (b"gimp xcf", FileKind("a GIMP document", is_picture=True)),
    (b"\x00\x00\x01\x00", FileKind("an ICO icon", is_picture=True)),
    (b"icns", FileKind("an ICNS icon", is_picture=True)),
    (b"v/1\x01", FileKind("an OpenEXR image", is_picture=True)),
    (b"#?RADIANCE", FileKind("a Radiance HDR image", is_picture=True)),
    (b"#?RGBE", FileKind("a Radiance HDR image", is_picture=True)),
    (b"P7\n", FileKind("a PAM image", is_picture=True)),
    (b"PF\n", FileKind("a PFM image", is_picture=True)),
    (b"Pf\n", FileKind("a PFM image", is_picture=True)),
    (b"qoif", FileKind("a QOI image", is_picture=True)),
    (b"DDS ", FileKind("a DDS texture", is_picture=True)),
    (b"SIMPLE  =", FileKind("a FITS image", is_picture=True)),
    (b"IIRO", _RAW),
    (b"IIRS", _RAW),
    (b"IIU\x00", _RAW),
    (b"FUJIFILMCCD-RAW", _RAW),
    (b"\x00MRM", _RAW),
    (b"FOVb", _RAW),
    (b"%PDF", FileKind("a PDF document")),
    (b"PK\x03\x04", FileKind("a ZIP archive")),
    (b"\x1f\x8b", FileKind("a gzip archive")),
    (b"\x93NUMPY", _ARRAY),
    (b"\x89HDF\r\n\x1a\n", FileKind("an HDF5 file")),
    (b"version https://git-lfs", FileKind("a Git LFS pointer and not the image itself")),
)
"""First bytes of files that lie in photo folders."""

_RAW_BRANDS: Final = frozenset({b"crx "})
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_HEIC_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)
_PNM: Final = re.compile(rb"P([1-6])(?=[\s#])")
_PNM_ENDINGS: Final = {b"1": ".pbm", b"2": ".pgm", b"3": ".ppm", b"4": ".pbm", b"5": ".pgm"}


def file_kind(head: bytes) -> FileKind:
    """Return what a file is, whatever its name is.

    Args:
        head: The whole file, or at least its first 512 bytes.

    Example:
        >>> file_kind(b"GIF89a...")
        FileKind(name='a GIF image', is_picture=True, ending='.gif')
        >>> file_kind(bytes(128) + b"DICM").plural
        'DICOM files'
        >>> file_kind(b"<!DOCTYPE html><title>404</title>").name
        'an HTML page'
    """
    if not head:
        return _EMPTY
    signed = next((kind for mark, kind in _SIGNED if head.startswith(mark)), None)
    if signed is _TIFF and is_raw_photo(first_directory(head)):
        return _RAW
    if signed is _ARRAY and is_npy_picture(head):
        return _NPY
    return signed or _kind_by_fields(head) or _text_kind(head[:512])


def readable_kind(head: bytes) -> FileKind:
    """Return what a file is that augcli reads.

    Args:
        head: The whole file, or at least its first 512 bytes.

    Raises:
        UnreadableImage: augcli reads no such file.

    Example:
        >>> readable_kind(bytes(512))
        Traceback (most recent call last):
        augcli.errors.UnreadableImage: a file that begins with zero bytes only, which augcli ...
    """
    kind = file_kind(head)
    if not kind.is_read:
        raise UnreadableImage(f"{kind.name}, which augcli does not read; it reads {READABLE}")
    return kind


def _kind_by_fields(head: bytes) -> FileKind | None:
    """Name a kind that more than its first bytes tell from others."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return FileKind("a WebP image", is_picture=True, ending=".webp")
    # Two letters alone would take a text about BMWs for an image.
    if head[:2] == b"BM" and head[14:18] in DIB_HEADERS:
        return FileKind("a BMP image", is_picture=True, ending=".bmp")
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if head[128:132] == b"DICM":
        return FileKind("a DICOM file", is_picture=True)
    if _is_dib(head):
        return FileKind("a DIB image", is_picture=True, ending=".dib")
    match = _PNM.match(head)
    ending = _PNM_ENDINGS.get(match[1], ".ppm") if match else ""
    return FileKind("a PNM image", is_picture=True, ending=ending) if match else None


def _iso_media(head: bytes) -> FileKind:
    """Name a file of the ISO media format by its brands."""
    end = min(int.from_bytes(head[:4], "big"), 512)
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))}
    if head[8:12] in _RAW_BRANDS:
        return _RAW
    if brands & _AVIF_BRANDS:
        return _AVIF
    return _HEIC if brands & _HEIC_BRANDS else _MEDIA


def _is_dib(head: bytes) -> bool:
    """Return whether a header of BMP with possible numbers stands at the very beginning."""
    if head[:4] not in DIB_HEADERS or len(head) < 16:
        return False
    planes_at = 8 if head[0] == 12 else 12
    planes = int.from_bytes(head[planes_at : planes_at + 2], "little")
    depth = int.from_bytes(head[planes_at + 2 : planes_at + 4], "little")
    return planes == 1 and depth in (1, 4, 8, 16, 24, 32)


def _text_kind(head: bytes) -> FileKind:
    """Name a kind of text; anything else is no known kind of image."""
    if not any(head):
        return _ZEROS
    try:
        # Incremental, because the head may end in the middle of a letter of several bytes.
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return _UNKNOWN
    if any(ord(letter) < 32 and letter not in "\t\n\r\f\x1b" for letter in text):
        return _UNKNOWN
    lower = text.lstrip("\ufeff \t\r\n").lower()
    if "<svg" in lower:
        return FileKind("an SVG drawing", is_picture=True)
    if lower.startswith(("<!doctype html", "<html", "<head")):
        return FileKind("an HTML page")
    return _TEXT
