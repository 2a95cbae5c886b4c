"""Image files become arrays: 8-bit RGB, upright, with the pixels that Pillow gives.

OpenCV decodes what it is known to decode to the same pixels as Pillow (nearly every
photo, in half of Pillow's time). Pillow decodes the rest, and decides wherever OpenCV
fails. Neither is given a path: OpenCV's own file functions crash on some names and return
partly grey pictures for files that are cut short.

The right pixels are those of ``ImageOps.exif_transpose(Image.open(...)).convert("RGB")``,
except that 16-bit samples are reduced to their high byte, or by a white level, where Pillow
clips grey at 255.
Colour profiles, gamma and background chunks change no pixel in either library. No decoder
can detect damage inside compressed JPEG data, or an end marker that is set too early.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

import cv2
import numpy as np
from PIL import ImageOps

from augcli.data.codecs.containers import called
from augcli.data.codecs.deep import deep_levels, few_levels, reduced
from augcli.data.codecs.formats import FULL_WHITE
from augcli.data.codecs.headers import read_header
from augcli.data.codecs.npy import npy_fields
from augcli.data.codecs.orientation import upright
from augcli.data.codecs.pillow import (
    COLOUR_MODES,
    check_size,
    is_grey,
    is_transparent,
    opened_with_pillow,
)
from augcli.data.codecs.png import bare_png
from augcli.data.codecs.silence import silenced
from augcli.errors import UnreadableImage

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from PIL import Image

    from augcli.data.codecs.containers import Header
    from augcli.data.codecs.formats import Subsampling
    from augcli.pixels.frame import Colour

    Pixels = NDArray[np.uint8]

DEEP: Final = "16-bit reduced to 8-bit"
ALPHA: Final = "transparency dropped"
BANDS: Final = "bands beyond red, green and blue dropped"
NO_END: Final = "JPEG without its end marker"


class Decoded(NamedTuple):
    """A decoded picture.

    Attributes:
        image: uint8 (height, width, 3), RGB, upright, C-contiguous, writable.
        notes: What was simplified, and what is odd: `DEEP`, `ALPHA`, `BANDS`, `NO_END` and the text
            of :func:`augcli.data.codecs.deep.few_levels`, each where it applies. An opaque alpha
            channel counts too; the colours behind it stay as stored.
        subsampling: ``444`` for a JPEG that stores its colours at full resolution, ``420`` for
            any other file.
        grey: Whether the file stores greys only, so that red, green and blue are equal everywhere.
            A colour format may also hold a picture of greys; that is not looked for.
    """

    image: Pixels
    notes: tuple[str, ...] = ()
    subsampling: Subsampling = "420"
    grey: bool = False


SHORT_SIDE: Final = 16_383
"""Pixels a side that every format that is written can hold."""


def decode(
    data: bytes,
    *,
    max_pixels: int = 100_000_000,
    white_level: int = FULL_WHITE,
    background: Colour | None = None,
    enough: tuple[int, int] | None = None,
    sides: Callable[[int, int], object] | None = None,
) -> Decoded:
    """Decode an image file, recognised by its content.

    Args:
        data: The whole file: JPEG, PNG, WebP, GIF, BMP, DIB, TIFF, PNM, AVIF or HEIC.
        max_pixels: Most pixels that a picture may declare. A larger one is refused by its
            header, before memory is allocated.
        white_level: The level of 16-bit samples that becomes 255, 1 to 65535; see
            :func:`augcli.data.codecs.deep.reduced`.
        background: The colour that shows behind transparent pixels; None drops the
            transparency, and the colours behind it show.
        enough: Height and width that the caller needs at least. A larger JPEG may then be
            decoded at a half, a quarter or an eighth of its size, never smaller than this, in a
            fraction of the time; its pixels are averages, exact to a few levels.
        sides: Called with width and height of the upright picture where one is longer than
            :data:`SHORT_SIDE`, before memory is allocated, if
            its header has them. What it raises ends the decoding.

    Returns:
        The picture and what was simplified in it.

    Raises:
        UnreadableImage: The bytes are of no format that augcli reads, hold several
            pictures, are cut short or damaged, or declare too many pixels.
        MemoryError: Memory ran out.

    Example:
        >>> from augcli.data.codecs.encoding import encode
        >>> decode(encode(np.full((2, 3, 3), 7, np.uint8), "png", quality=90)).image.shape
        (2, 3, 3)
        >>> decode(b"8BPS")
        Traceback (most recent call last):
        augcli.errors.UnreadableImage: a Photoshop document, which augcli does not read; ...
    """
    header = read_header(data)
    check_size(header.container, header.width, header.height, max_pixels)
    if sides and max(header.width, header.height) > SHORT_SIDE:
        turned = header.orientation >= 5
        sides(*((header.height, header.width) if turned else (header.width, header.height)))
    if header.container == "NPY":
        return Decoded(_pixels_of_array(data), grey=header.grey)
    scaled = header.deep and white_level != FULL_WHITE
    composed = header.alpha and background is not None
    image = None
    with silenced():
        if header.plain and not (scaled or composed):
            image = _decode_with_opencv(data, header, enough)
        if image is None:
            return _decode_with_pillow(data, header, max_pixels, white_level, background)
    notes = _notes(header, header.alpha, image, white_level) if header.deep or header.alpha else ()
    return Decoded(upright(image, header.orientation), notes, header.subsampling, header.grey)


def _pixels_of_array(data: bytes) -> Pixels:
    """Return the picture of a NPY file whose header was read."""
    fields = npy_fields(data)
    pixels = np.frombuffer(data, np.uint8, offset=fields.start)
    pixels = pixels.reshape(fields.height, fields.width, fields.channels)
    return np.repeat(pixels, 3, axis=2) if fields.channels == 1 else pixels.copy()


# The orientation is applied here: releases of OpenCV disagree about it.
_FLAGS: Final = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
# Bits of IMREAD_REDUCED_COLOR_2, _4 and _8 without those that ask for BGR.
_REDUCED: Final = {1: 0, 2: 16, 4: 32, 8: 64}


def _decode_with_opencv(
    data: bytes, header: Header, enough: tuple[int, int] | None
) -> Pixels | None:
    """Decode a plain file, not turned upright; None where OpenCV fails."""
    divisor = _divisor(header, enough) if enough else 1
    if header.container == "PNG":
        data = bare_png(data)
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), _FLAGS | _REDUCED[divisor])
    except cv2.error:
        return None
    # Another size than declared means that the header was misread.
    declared = (-(-header.height // divisor), -(-header.width // divisor), 3)
    return cast("Pixels", decoded) if decoded is not None and decoded.shape == declared else None


def _divisor(header: Header, enough: tuple[int, int]) -> int:
    """Return by how much both sides may be divided while decoding: 1, 2, 4 or 8."""
    if header.container != "JPEG":
        return 1
    # An orientation may swap the sides.
    shorter, longest = min(header.height, header.width), max(enough)
    return next(n for n in (8, 4, 2, 1) if n == 1 or shorter >= n * longest)


def _decode_with_pillow(
    data: bytes, header: Header, max_pixels: int, white_level: int, background: Colour | None
) -> Decoded:
    """Decode with Pillow, whose verdict is final.

    Raises:
        UnreadableImage: Pillow can't decode it.
    """
    with opened_with_pillow(data, header, max_pixels) as opened:
        picture, orientation = _loaded(opened, header)
        alpha = header.alpha or is_transparent(picture)
        keyed = background is not None and "transparency" in picture.info
        image, levels = _colours(data, header, picture, white_level, with_levels=keyed)
        notes = _notes(header, alpha, image, white_level)
        grey = header.grey or is_grey(picture)
        if background is not None and is_transparent(picture):
            image = _composed(image, _opacity(picture, levels), background)
            notes = tuple(note for note in notes if note != ALPHA)
            grey &= len(set(background)) == 1
    return Decoded(upright(image, orientation), notes, header.subsampling, grey)


class _Samples(NamedTuple):
    """Colours of a picture, and the 16-bit levels that they were reduced from."""

    image: Pixels
    levels: NDArray[np.uint16] | None = None


def _loaded(picture: Image.Image, header: Header) -> tuple[Image.Image, int]:
    """Load the pixels of a picture, and return it with the orientation still to be applied."""
    if header.container == "PNM" and header.deep:
        return picture, 1  # Pillow is slow here and not needed
    if header.container == "TIFF" or not header.width:
        # Pillow turns TIFF while loading; and a header that was not read to its end may
        # have missed the orientation.
        return ImageOps.exif_transpose(picture), 1
    picture.load()
    return picture, header.orientation


def _colours(
    data: bytes, header: Header, picture: Image.Image, white_level: int, *, with_levels: bool
) -> _Samples:
    """Return the colours of a loaded picture, without its transparency."""
    only_pillow = white_level == FULL_WHITE and picture.mode[0] != "I" and not with_levels
    if header.deep and (header.container == "PNM" or not only_pillow):
        levels = deep_levels(data, header, picture)
        return _Samples(reduced(levels, white_level, inverted=header.inverted), levels)
    if picture.mode not in COLOUR_MODES:
        raise UnreadableImage(f"{called(header.container)} of samples that don't fit 8 bits")
    return _Samples(np.array(picture.convert("RGB")))


def _opacity(picture: Image.Image, levels: NDArray[np.uint16] | None) -> Pixels:
    """Return uint8 (height, width): how much of each pixel is opaque, 255 for all of it."""
    transparent = picture.info.get("transparency")
    if levels is not None and isinstance(transparent, int | tuple):
        # Pillow compares 8 bits with a transparent colour of 16.
        hidden = np.all(levels == np.asarray(transparent), axis=2)
        return np.where(hidden, 0, 255).astype(np.uint8)
    return np.asarray(picture.convert("RGBA").getchannel("A"))


def _composed(image: Pixels, opacity: Pixels, background: Colour) -> Pixels:
    """Return a picture over one colour, each value rounded to the nearest."""
    share = opacity[..., None].astype(np.uint32)
    behind = np.asarray(background, np.uint32)
    return ((image * share + behind * (255 - share) + 127) // 255).astype(np.uint8)


def _notes(header: Header, alpha: bool, image: Pixels, white_level: int) -> tuple[str, ...]:
    notes = (DEEP,) * header.deep + (ALPHA,) * alpha + (BANDS,) * header.more_bands
    notes += (NO_END,) * (not header.ended)
    if header.deep and white_level == FULL_WHITE:
        few = few_levels(image, inverted=header.inverted)
        return (*notes, few) if few else notes
    return notes
