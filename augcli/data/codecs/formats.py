"""Which image formats there are: names, file endings and first bytes.

Listing a folder and planning a run need these facts a million times and must not pay for
importing OpenCV or Pillow, so this module imports only the standard library.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final, Literal, overload

Format = Literal["jpg", "png", "webp"]
"""A format that augcli writes."""

Wanted = Literal["same", "jpg", "png", "webp"]
"""The option ``format``; ``same`` takes the format of the source."""

Subsampling = Literal["420", "444"]
"""How a JPEG stores its colours: at half the resolution in both directions, or in full."""

WantedSubsampling = Literal["same", "420", "444"]
"""The option ``subsampling``; ``same`` takes that of a JPEG source."""

PNG_LEVEL: Final = 3
"""Default compression of PNG, of 0 to 9; docs/images.md shows what each costs and saves."""

_SAME: Final[dict[str, Format]] = {
    "jpg": "jpg",
    "jpeg": "jpg",
    "jpe": "jpg",
    "png": "png",
    "webp": "webp",
    # Nobody wants a data set of BMP or TIFF files, and PNG loses none of their pixels.
    "bmp": "png",
    "tif": "png",
    "tiff": "png",
}
"""The format of an output for the ending of its source, where ``format`` is ``same``."""

EXTENSIONS: Final = frozenset(f".{ending}" for ending in _SAME)
"""File endings of sources, in lower case and with the dot."""

READABLE: Final = "JPEG, PNG, WebP, BMP and TIFF"
"""The formats that augcli reads, as messages name them."""

# First bytes of files that lie in photo folders and that augcli doesn't read.
_FIRST_BYTES: Final = (
    (b"GIF8", "a GIF image"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (b"8BPS", "a Photoshop document"),
    (b"\x00\x00\x01\x00", "an icon (ICO)"),
    (b"v/1\x01", "an OpenEXR image"),
    (b"#?RADIANCE", "a Radiance HDR image"),
    (b"qoif", "a QOI image"),
    (b"DDS ", "a DDS texture"),
    (b"IIRO", "a camera's raw photo"),
    (b"IIU\x00", "a camera's raw photo"),
    (b"FUJIFILMCCD-RAW", "a camera's raw photo"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"version https://git-lfs", "a Git LFS pointer and not the image itself"),
)

# ISO media files name themselves by the four letters after "ftyp".
_BRANDS: Final = {
    b"avif": "an AVIF image",
    b"avis": "an animated AVIF image",
    b"heic": "a HEIC image",
    b"heix": "a HEIC image",
    b"heim": "a HEIC image",
    b"heis": "a HEIC image",
    b"hevc": "an animated HEIC image",
    b"mif1": "a HEIF image",
    b"msf1": "an animated HEIF image",
    b"crx ": "a camera's raw photo",
}


@overload
def output_ending(path: str, wanted: Wanted) -> Format: ...


@overload
def output_ending(path: str, wanted: Wanted, *, copied: bool) -> str: ...


def output_ending(path: str, wanted: Wanted, *, copied: bool = False) -> str:
    """Return the file ending of an output, without the dot.

    For an output that is encoded, the ending is also the format to encode it in.

    Args:
        path: Path of its source, which ends in one of `EXTENSIONS`; case doesn't matter.
        wanted: The option ``format``. ``same`` leaves JPEG, PNG and WebP as they are; BMP and
            TIFF become PNG, which loses nothing.
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
    """

    format: Wanted = "same"
    quality: int = 95
    subsampling: WantedSubsampling = "same"
    png_level: int = PNG_LEVEL


def describe_unread(data: bytes) -> str:
    """Name the kind of a file that augcli doesn't read.

    Args:
        data: The whole file, or at least its first 512 bytes.

    Returns:
        A noun with its article.

    Example:
        >>> describe_unread(b"GIF89a...")
        'a GIF image'
        >>> describe_unread(b"<!DOCTYPE html><title>404</title>")
        'an HTML page'
    """
    if not data:
        return "an empty file"
    for first_bytes, name in _FIRST_BYTES:
        if data.startswith(first_bytes):
            return name
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], "a video or another ISO media file")
    head = data[:512]
    if data[:1] == b"P" and data[1:2] in b"1234567" and data[2:3].isspace():
        return "a PNM image"
    if not any(head):
        return "a file that begins with zero bytes only"
    return _describe_text(head)


def _describe_text(head: bytes) -> str:
    """Name a kind of text; anything else is "no known kind of image"."""
    try:
        # Incremental, because the head may end in the middle of a letter of several bytes.
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "no known kind of image"
    if any(ord(letter) < 32 and letter not in "\t\n\r\f\x1b" for letter in text):
        return "no known kind of image"
    lower = text.lstrip("\ufeff \t\r\n").lower()
    if "<svg" in lower:
        return "an SVG drawing"
    if lower.startswith(("<!doctype html", "<html", "<head")):
        return "an HTML page"
    return "a text file"
