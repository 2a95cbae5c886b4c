"""Image files become arrays: 8-bit RGB, upright, with the pixels that Pillow gives.

OpenCV decodes what it is known to decode to the same pixels as Pillow (nearly every
photo, in half of Pillow's time). Pillow decodes the rest, and decides wherever OpenCV
fails. Neither is given a path: OpenCV's own file functions crash on some names and return
partly grey pictures for files that are cut short.

The right pixels are those of ``ImageOps.exif_transpose(Image.open(...)).convert("RGB")``,
except that 16-bit samples are reduced to their high byte, where Pillow clips grey at 255.
Colour profiles, gamma and background chunks change no pixel in either library. No decoder
can detect damage inside compressed JPEG data, or an end marker that is set too early.
"""

from __future__ import annotations

import io
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import cv2
import numpy as np
from PIL import (
    BmpImagePlugin,
    ImageFile,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from augcli.data.codecs.headers import Container, Header, read_header
from augcli.errors import UnreadableImage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL import Image

    from augcli.data.codecs.formats import Subsampling

DEEP: Final = "16-bit reduced to 8-bit"
ALPHA: Final = "transparency dropped"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded picture.

    Attributes:
        image: uint8 (height, width, 3), RGB, upright, C-contiguous, writable.
        notes: What was simplified: `DEEP`, `ALPHA`, both or nothing. An opaque alpha channel
            counts too; the colours behind it stay as stored.
        subsampling: ``444`` for a JPEG that stores its colours at full resolution, ``420`` for
            any other file.
    """

    image: NDArray[np.uint8]
    notes: tuple[str, ...] = ()
    subsampling: Subsampling = "420"


def decode(
    data: bytes, *, max_pixels: int = 100_000_000, enough: tuple[int, int] | None = None
) -> Decoded:
    """Decode a JPEG, PNG, WebP, BMP or TIFF, recognised by its content.

    Args:
        data: The whole file.
        max_pixels: Most pixels that a picture may declare. A larger one is refused by its
            header, before memory is allocated.
        enough: Height and width that the caller needs at least. A larger JPEG may then be
            decoded at a half, a quarter or an eighth of its size, never smaller than this, in a
            fraction of the time; its pixels are averages, exact to a few levels.

    Returns:
        The picture and what was simplified in it.

    Raises:
        UnreadableImage: The bytes are of no format that augcli reads, hold several
            pictures, are cut short or damaged, or declare too many pixels.

    Example:
        >>> from augcli.data.codecs.encoding import encode
        >>> decode(encode(np.full((2, 3, 3), 7, np.uint8), "png", quality=90)).image.shape
        (2, 3, 3)
        >>> decode(b"GIF89a")
        Traceback (most recent call last):
        augcli.errors.UnreadableImage: a GIF image, which augcli does not read; ...
    """
    header = read_header(data)
    if header.width * header.height > max_pixels:
        raise _too_many_pixels(header.container, header.width, header.height, max_pixels)
    if header.plain:
        divisor = _divisor(header, enough) if enough else 1
        try:
            decoded = cv2.imdecode(np.frombuffer(data, np.uint8), _FLAGS | _REDUCED[divisor])
        except cv2.error:
            decoded = None
        # Another size than declared means that the header was misread.
        declared = (-(-header.height // divisor), -(-header.width // divisor), 3)
        if decoded is not None and decoded.shape == declared:
            image = cast("NDArray[np.uint8]", decoded)
            notes = _notes(header.deep, header.alpha)
            return Decoded(_upright(image, header.orientation), notes, header.subsampling)
    return _decode_with_pillow(data, header, max_pixels)


# The orientation is applied here: releases of OpenCV disagree about it.
_FLAGS: Final = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
# Bits of IMREAD_REDUCED_COLOR_2, _4 and _8 without those that ask for BGR.
_REDUCED: Final = {1: 0, 2: 16, 4: 32, 8: 64}


def _divisor(header: Header, enough: tuple[int, int]) -> int:
    """Return by how much both sides may be divided while decoding: 1, 2, 4 or 8."""
    if header.container != "JPEG":
        return 1
    # An orientation may swap the sides.
    shorter, longest = min(header.height, header.width), max(enough)
    return next(n for n in (8, 4, 2, 1) if n == 1 or shorter >= n * longest)


# The plug-ins themselves and not Image.open, which judges the size by a global limit of
# its own and may take a file for another format than the one that was recognised.
_PILLOW: Final[dict[Container, type[ImageFile.ImageFile]]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
}

_ALPHA_MODES: Final = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})
_MODES: Final = _ALPHA_MODES | {"1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "LAB"}


def _decode_with_pillow(data: bytes, header: Header, max_pixels: int) -> Decoded:
    """Decode with Pillow, whose verdict is final.

    Raises:
        UnreadableImage: Pillow can't decode it.
    """
    try:
        with _strict_pillow():
            opened = _PILLOW[header.container](io.BytesIO(data))
            return _load(opened, header, max_pixels)
    except (UnreadableImage, MemoryError):
        raise
    except Exception as error:
        # Broken bytes make Pillow's plug-ins raise any exception. The reason is in our own
        # words, because Pillow's differ between its releases.
        cut = "truncat" in str(error).lower() or isinstance(error, EOFError)
        damage = "that is cut short" if cut else "that is damaged or of an unusual kind"
        raise UnreadableImage(
            f"a {header.container} image {damage}; copy or export it again"
        ) from None


def _load(picture: Image.Image, header: Header, max_pixels: int) -> Decoded:
    """Load the pixels of a picture that Pillow has opened."""
    width, height = picture.size
    # Pillow may know a size where the header gave none.
    if width * height > max_pixels:
        raise _too_many_pixels(header.container, width, height, max_pixels)
    orientation = header.orientation
    if header.container == "TIFF" or not header.width:
        # Pillow turns TIFF while loading; and a header that was not read to its end may
        # have missed the orientation.
        picture = ImageOps.exif_transpose(picture)
        orientation = 1
    else:
        picture.load()
    alpha = header.alpha or picture.mode in _ALPHA_MODES
    if header.deep and picture.mode[0] == "I":
        high = (np.asarray(picture) >> 8).astype(np.uint8)
        image = np.repeat((255 - high if header.inverted else high)[..., None], 3, axis=2)
    elif picture.mode in _MODES:
        image = np.array(picture.convert("RGB"))
    else:
        raise UnreadableImage(f"a {header.container} image of samples that don't fit 8 bits")
    notes = _notes(header.deep, alpha)
    return Decoded(_upright(image, orientation), notes, header.subsampling)


@contextmanager
def _strict_pillow() -> Iterator[None]:
    """Prevent Pillow from warning about odd bytes and from filling missing pixels with grey.

    ``LOAD_TRUNCATED_IMAGES`` is a global that training scripts often set.
    """
    lenient = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient


def _upright(image: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Turn a picture as its Exif orientation (1 to 8) asks for."""
    if orientation == 1:
        return image
    turned: cv2.typing.MatLike
    if orientation in _FLIPS:
        turned = cv2.flip(image, _FLIPS[orientation])
    elif orientation in _ROTATIONS:
        turned = cv2.rotate(image, _ROTATIONS[orientation])
    else:
        turned = cv2.transpose(image)
        if orientation == 7:
            turned = cv2.flip(turned, -1)
    return cast("NDArray[np.uint8]", turned)


_FLIPS: Final = {2: 1, 3: -1, 4: 0}
_ROTATIONS: Final = {6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}


def _notes(deep: bool, alpha: bool) -> tuple[str, ...]:
    if not deep and not alpha:
        return ()
    return (DEEP,) * deep + (ALPHA,) * alpha


def _too_many_pixels(container: str, width: int, height: int, limit: int) -> UnreadableImage:
    return UnreadableImage(
        f"a {container} image that declares {width:,} x {height:,} pixels; "
        f"at most {limit:,} are allowed (`max_pixels`)"
    )
