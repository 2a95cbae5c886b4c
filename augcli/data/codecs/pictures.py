"""Pictures from bytes and to bytes: 8-bit RGB, upright, as Pillow understands them.

OpenCV decodes what it is known to decode to the same pixels as Pillow (nearly every
photo, in half of Pillow's time); Pillow decodes the rest, and is the judge wherever
OpenCV gives up. Neither is given a path: OpenCV's own file functions crash on some names
and return partly grey pictures for files that are cut short.

What "right" means here: the pixels of ``ImageOps.exif_transpose(Image.open(...))
.convert("RGB")``, but 16-bit samples keep their high byte, where Pillow cuts grey off
at 255. Colour profiles, gamma and background chunks change no pixel in either library.
Damage inside of compressed JPEG data, or an end marker set too early, can't be seen by
any decoder.
"""

from __future__ import annotations

import functools
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

from augcli.data.codecs.formats import PNG_LEVEL
from augcli.data.codecs.headers import Container, Header, read_header
from augcli.errors import UnreadableImage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL import Image

    from augcli.data.codecs.formats import Format, Subsampling

DEEP: Final = "16-bit reduced to 8-bit"
ALPHA: Final = "transparency dropped"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture as augcli works on it.

    Attributes:
        image: uint8 (height, width, 3), RGB, upright, C-contiguous, writable.
        notes: What was simplified: `DEEP`, `ALPHA`, both or nothing. An alpha channel
            counts even where it is opaque; the colours behind it are kept as stored.
        subsampling: ``444`` for a JPEG that keeps its colours at full resolution, ``420`` for
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
        max_pixels: The most pixels a picture may declare; more is refused from the
            header, before memory is asked for.
        enough: Height and width that are enough for who asks. A JPEG that is larger may come
            at a half, a quarter or an eighth of its size, not smaller than this, in a fraction
            of the time; its pixels are averages then, up to a few levels.

    Returns:
        The picture and what was simplified in it.

    Raises:
        UnreadableImage: If the bytes are no image that augcli reads, hold several
            pictures, are cut short or damaged, or declare too many pixels.

    Example:
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
        part = _part(header, enough) if enough else 1
        try:
            decoded = cv2.imdecode(np.frombuffer(data, np.uint8), _FLAGS | _REDUCED[part])
        except cv2.error:
            decoded = None
        # Another size than declared means that the header was misunderstood.
        declared = (-(-header.height // part), -(-header.width // part), 3)
        if decoded is not None and decoded.shape == declared:
            image = cast("NDArray[np.uint8]", decoded)
            notes = _notes(header.deep, header.alpha)
            return Decoded(_upright(image, header.orientation), notes, header.subsampling)
    return _by_pillow(data, header, max_pixels)


# The orientation is applied here: releases of OpenCV disagree about it.
_FLAGS: Final = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
# Bits of IMREAD_REDUCED_COLOR_2, _4 and _8 without those that ask for BGR.
_REDUCED: Final = {1: 0, 2: 16, 4: 32, 8: 64}


def _part(header: Header, enough: tuple[int, int]) -> int:
    """Return by how much a picture may be reduced while it is decoded."""
    if header.container != "JPEG":
        return 1
    # An orientation may swap the sides.
    shorter, longest = min(header.height, header.width), max(enough)
    return next(part for part in (8, 4, 2, 1) if part == 1 or shorter >= part * longest)


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


def _by_pillow(data: bytes, header: Header, max_pixels: int) -> Decoded:
    """Let Pillow decode, or say why not; its verdict is final."""
    try:
        with _strict_pillow():
            return _pixels(_PILLOW[header.container](io.BytesIO(data)), header, max_pixels)
    except (UnreadableImage, MemoryError):
        raise
    except Exception as error:
        # Pillow's plug-ins raise whatever broken bytes lead them to; the words of the
        # reason are ours, because Pillow's differ between its releases.
        cut = "truncat" in str(error).lower() or isinstance(error, EOFError)
        damage = "that is cut short" if cut else "that is damaged or of an unusual kind"
        raise UnreadableImage(
            f"a {header.container} image {damage}; copy or export it again"
        ) from None


def _pixels(picture: Image.Image, header: Header, max_pixels: int) -> Decoded:
    """Load a picture that Pillow has opened."""
    width, height = picture.size
    # Pillow may have found a size where the header gave none.
    if width * height > max_pixels:
        raise _too_many_pixels(header.container, width, height, max_pixels)
    orientation = header.orientation
    if header.container == "TIFF" or not header.width:
        # Pillow turns TIFF while loading; and where the header was not understood to its
        # end, the orientation may not have been found either.
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
    """Keep Pillow from warning about odd bytes and from filling missing pixels with grey.

    ``LOAD_TRUNCATED_IMAGES`` is a global that training scripts like to set.
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


def _too_many_pixels(found: str, width: int, height: int, limit: int) -> UnreadableImage:
    return UnreadableImage(
        f"a {found} image that declares {width:,} x {height:,} pixels; "
        f"at most {limit:,} are allowed (max_pixels)"
    )


# Pixels a side that the format itself can hold.
_LONGEST_SIDE: Final[dict[Format, int]] = {"jpg": 65_500, "webp": 16_383}


def encode(
    image: NDArray[np.uint8],
    file_format: Format,
    *,
    quality: int,
    subsampling: Subsampling = "420",
    png_level: int = PNG_LEVEL,
) -> bytes:
    """Encode a picture, without metadata, by settings that are all written out here.

    Args:
        image: uint8 (height, width, 3), RGB.
        file_format: JPEG is baseline; PNG is lossless; WebP is lossy.
        quality: 1 to 100, for JPEG and WebP. 100 is the best lossy WebP, not a lossless
            one: for exact pixels there is PNG.
        subsampling: Of the colours in JPEG: ``420`` halves their resolution, which lets
            colour bleed up to a block across an edge; ``444`` keeps it, in larger files.
        png_level: 0 to 9: effort to make a PNG small, which changes no pixel.

    Returns:
        The bytes of the file.

    Raises:
        ValueError: If the image or a setting is none of these.
        UnreadableImage: If the picture is larger than the format can hold.

    Example:
        >>> encode(np.zeros((2, 2, 3), np.uint8), "jpg", quality=90)[:3].hex()
        'ffd8ff'
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(f"image is {image.dtype} {image.shape}, but must be uint8 (H, W, 3)")
    if not 1 <= quality <= 100:
        raise ValueError(f"quality is {quality}, but must be from 1 to 100")
    if not 0 <= png_level <= 9:
        raise ValueError(f"png_level is {png_level}, but must be from 0 to 9")
    height, width = image.shape[:2]
    longest = _LONGEST_SIDE.get(file_format)
    if longest is not None and max(height, width) > longest:
        raise UnreadableImage(
            f"an output of {width:,} x {height:,} pixels; "
            f"{file_format} holds at most {longest:,} a side"
        )
    parameters = _parameters(file_format, quality, subsampling, png_level)
    done, encoded = cv2.imencode(
        "." + file_format, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), parameters
    )
    if not done:
        raise UnreadableImage(f"an output of {width:,} x {height:,} pixels that can't be encoded")
    return encoded.tobytes()


@functools.lru_cache(maxsize=64)
def _parameters(file_format: Format, quality: int, subsampling: str, png_level: int) -> list[int]:
    """Return OpenCV's parameters; it takes wrong ones silently, so they are checked."""
    if file_format == "jpg":
        if subsampling not in _SUBSAMPLING:
            raise ValueError(f"subsampling is {subsampling!r}, but must be '420' or '444'")
        factor = _SUBSAMPLING[subsampling]
        return [
            *(cv2.IMWRITE_JPEG_QUALITY, quality),
            *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor),
            *(cv2.IMWRITE_JPEG_PROGRESSIVE, 0),
            *(cv2.IMWRITE_JPEG_OPTIMIZE, 0),
            *(cv2.IMWRITE_JPEG_RST_INTERVAL, 0),
        ]
    if file_format == "png":
        # The level first: OpenCV resets the strategy when it is set.
        return [
            *(cv2.IMWRITE_PNG_COMPRESSION, png_level),
            *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT),
        ]
    if file_format == "webp":
        return [cv2.IMWRITE_WEBP_QUALITY, quality]
    raise ValueError(f"format is {file_format!r}, but must be jpg, png or webp")


_SUBSAMPLING: Final = {
    "420": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "444": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
}
