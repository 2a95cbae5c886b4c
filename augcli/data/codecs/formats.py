"""Which image formats there are: names, file endings and first bytes.

Listing a folder and planning a run need these facts a million times and must not pay for
importing OpenCV or Pillow, so this module imports only the standard library. It is long because of
its tables.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, overload

from augcli.data.codecs.npy import is_npy_picture
from augcli.data.codecs.tags import first_directory, is_raw_photo
from augcli.errors import UnreadableImage

Format = Literal["jpg", "png", "webp", "npy"]
"""A format that augcli writes."""

Wanted = Literal["same", "jpg", "png", "webp", "npy"]
"""The option ``format``; ``same`` takes the format of the source, ``npy`` is that of sinks of
arrays."""

Subsampling = Literal["420", "444"]
"""How a JPEG stores its colours: at half the resolution in both directions, or in full."""

Channels = Literal["same", "rgb"]
"""The option ``channels``: one for what is grey all through and three else, or always three."""

WantedSubsampling = Literal["same", "420", "444"]
"""The option ``subsampling``; ``same`` takes that of a JPEG source."""

PNG_LEVEL: Final = 3
"""Default compression of PNG, of 0 to 9; docs/images.md shows what each costs and saves."""

FULL_WHITE: Final = 65535
"""The level of a 16-bit sample that becomes 255, where the data use all 16 bits."""

_SAME: Final[dict[str, Format]] = {
    "jpg": "jpg",
    "jpeg": "jpg",
    "jpe": "jpg",
    "jfif": "jpg",
    "pjpeg": "jpg",
    "pjp": "jpg",
    "png": "png",
    "webp": "webp",
    # Nobody wants a data set of these, or augcli can't write them; PNG loses none of their pixels.
    "apng": "png",
    "gif": "png",
    "bmp": "png",
    "dib": "png",
    "tif": "png",
    "tiff": "png",
    "ppm": "png",
    "pgm": "png",
    "pbm": "png",
    "pnm": "png",
    "avif": "png",
    "heic": "png",
    "heif": "png",
}
"""The format of an output for the ending of its source, where ``format`` is ``same``."""

EXTENSIONS: Final = frozenset(f".{ending}" for ending in _SAME)
"""File endings of sources, in lower case and with the dot."""

DEEP_ENDINGS: Final = frozenset({".png", ".apng", ".tif", ".tiff", ".ppm", ".pgm", ".pnm"})
"""Those of formats that can have 16 bits a sample."""

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


@overload
def output_ending(path: str, wanted: Wanted) -> Format: ...


@overload
def output_ending(path: str, wanted: Wanted, *, copied: bool) -> str: ...


def output_ending(path: str, wanted: Wanted, *, copied: bool = False) -> str:
    """Return the file ending of an output, without the dot.

    For an output that is encoded, the ending is also the format to encode it in.

    Args:
        path: Path of its source, which ends in one of `EXTENSIONS`; case doesn't matter.
        wanted: The option ``format``. ``same`` leaves JPEG, PNG and WebP as they are; all other
            kinds become PNG, which loses nothing.
        copied: Whether the output is a copy of the source's bytes. It then has the source's
            ending, whatever is wanted.

    Raises:
        ValueError: The path has another ending.

    Example:
        >>> output_ending("cat/a.JPEG", "same"), output_ending("cat/a.tif", "same")
        ('jpg', 'png')
        >>> output_ending("cat/a.JPEG", "webp"), output_ending("cat/a.JPEG", "webp", copied=True)
        ('webp', 'jpeg')
    """
    ending = path[path.rfind(".") + 1 :].lower()
    if ending not in _SAME:
        known = ", ".join(sorted(EXTENSIONS))
        raise ValueError(f"path is {path!r}, but must end in one of {known}")
    if copied:
        return ending
    return _SAME[ending] if wanted == "same" else wanted


def output_subsampling(source: Subsampling, wanted: WantedSubsampling) -> Subsampling:
    """Return how the colours of a JPEG are written.

    Args:
        source: Subsampling of the source; ``420`` where it is no JPEG or has another one.
        wanted: The option ``subsampling``.

    Example:
        >>> output_subsampling("444", "same"), output_subsampling("444", "420")
        ('444', '420')
    """
    return source if wanted == "same" else wanted


@dataclass(frozen=True, kw_only=True)
class OutputEncoding:
    """The options that decide the bytes of an output's file.

    Attributes:
        format: File format of the outputs.
        quality: JPEG and WebP quality, 1 to 100.
        subsampling: Of the colours in JPEG.
        png_level: Compression of PNG, 0 to 9.
        channels: One for grey pictures of grey sources, or always three.
    """

    format: Wanted = "same"
    quality: int = 95
    subsampling: WantedSubsampling = "same"
    png_level: int = PNG_LEVEL
    channels: Channels = "same"


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
