"""The formats that augcli writes: names, file endings, and the options that choose them.

Planning a run needs these facts a million times and must not pay for importing OpenCV or Pillow, so
this module imports only the standard library.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, overload

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
