"""Which image formats there are: names, endings and first bytes, without any decoder.

Listing a folder and planning a run need these facts a million times and must not pay
for importing OpenCV or Pillow, so this module imports nothing but the standard library.
"""

from __future__ import annotations

import codecs
from typing import Final, Literal

Format = Literal["jpg", "png", "webp"]
"""A format that augcli writes."""

Wanted = Literal["same", "jpg", "png", "webp"]
"""What a user may ask for as output; ``same`` keeps the format of the source."""

Subsampling = Literal["420", "444"]
"""Of the colours in a JPEG: at half the resolution, both ways, or at the full one."""

WantedSubsampling = Literal["same", "420", "444"]
"""What a user may ask for; ``same`` keeps that of a JPEG source, where it is one of the two."""

PNG_LEVEL: Final = 3
"""Compression of PNG from 0 to 9; docs/images.md has what each costs and saves."""

EXTENSIONS: Final = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""File name endings of sources, in lower case and with the dot."""

READABLE: Final = "JPEG, PNG, WebP, BMP and TIFF"
"""The formats that augcli reads, as messages name them."""

_KEPT: Final[dict[str, Format]] = {
    ".jpg": "jpg",
    ".jpeg": "jpg",
    ".jpe": "jpg",
    ".png": "png",
    ".webp": "webp",
    # Nobody wants a data set of BMP or TIFF files, and PNG keeps every pixel of them.
    ".bmp": "png",
    ".tif": "png",
    ".tiff": "png",
}

# The first bytes of what is found in photo folders although augcli doesn't read it.
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


def output_format(extension: str, wanted: Wanted) -> Format:
    """Decide in which format the augmented picture of a source is written.

    Args:
        extension: The source's file name ending, with the dot; case doesn't matter.
        wanted: What the user asked for. ``same`` keeps JPEG, PNG and WebP; BMP and
            TIFF become PNG, which loses nothing.

    Returns:
        The format, which is also the file name ending without its dot.

    Raises:
        ValueError: If the ending is none of `EXTENSIONS`.

    Example:
        >>> output_format(".JPEG", "same"), output_format(".tif", "same")
        ('jpg', 'png')
        >>> output_format(".png", "webp")
        'webp'
    """
    kept = _KEPT.get(extension.lower())
    if kept is None:
        known = ", ".join(sorted(EXTENSIONS))
        raise ValueError(f"extension is {extension!r}, but must be one of {known}")
    return kept if wanted == "same" else wanted


def kept_subsampling(source: Subsampling, wanted: WantedSubsampling) -> Subsampling:
    """Decide how the colours of a JPEG are written.

    Args:
        source: That of the source; ``420`` where it is no JPEG or another one.
        wanted: What the user asked for.

    Example:
        >>> kept_subsampling("444", "same"), kept_subsampling("444", "420")
        ('444', '420')
    """
    return source if wanted == "same" else wanted


def describe_unread(data: bytes) -> str:
    """Say in words what a file is that is not of a format augcli reads.

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
    """Tell kinds of text apart; whatever is no text has no name."""
    try:
        # Not the last word: a letter of several bytes may be cut at the end of the head.
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
