"""What an image file declares about its picture: the record that all header readers give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from augcli.errors import UnreadableImage

if TYPE_CHECKING:
    from augcli.data.codecs.formats import Subsampling

Container = Literal[
    "JPEG", "PNG", "WebP", "GIF", "BMP", "DIB", "TIFF", "PNM", "AVIF", "HEIC", "NPY"
]


class Header(NamedTuple):
    """What a file declares about its picture.

    Width and height are the stored ones, before the orientation is applied; both are 0 where
    they could not be read, or where only the decoder reads them.
    """

    container: Container
    width: int = 0
    height: int = 0
    orientation: int = 1  # as Exif counts: 1 is upright, 2 to 8 need turning
    plain: bool = False  # OpenCV is known to decode it to Pillow's pixels
    alpha: bool = False
    deep: bool = False  # 16 bits a sample
    grey: bool = False  # known to be grey before it is decoded
    inverted: bool = False  # 16-bit grey where 0 is white, which Pillow doesn't invert
    more_bands: bool = False  # beyond red, green, blue and transparency
    subsampling: Subsampling = "420"  # 444 for a JPEG with colours at full resolution
    ended: bool = True  # its end marker is there; without it, only a JPEG may be whole


def called(container: Container) -> str:
    """Return the noun for a file of a format.

    Example:
        >>> called("AVIF"), called("PNG")
        ('an AVIF image', 'a PNG image')
    """
    return f"{'an' if container == 'AVIF' else 'a'} {container} image"


def cut_short(container: Container) -> UnreadableImage:
    """Return the error for a file whose end is missing."""
    return UnreadableImage(f"{called(container)} that is cut short; copy or export it again")


def several(kind: str, number: int, parts: str) -> str:
    """Return the reason why a file of several pictures is refused."""
    return f"{kind} of {number} {parts}; save each as a file of its own, or only the first"


def is_grey_palette(palette: bytes, entry: int = 3) -> bool:
    """Return whether red, green and blue are equal in each entry of a palette.

    Args:
        palette: The entries, one after the other, in whatever order of colours.
        entry: Bytes of each.
    """
    first = palette[0::entry]
    return bool(first) and first == palette[1::entry] == palette[2::entry]
