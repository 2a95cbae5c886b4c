"""Arrays become image files: JPEG, PNG or WebP, with the same settings on every machine."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, NamedTuple

import cv2
import numpy as np

from augcli.data.codecs.formats import PNG_LEVEL, output_ending, output_subsampling
from augcli.data.codecs.npy import npy_header
from augcli.errors import UnreadableImage
from augcli.pixels.colour import is_grey

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from augcli.data.codecs.formats import Format, OutputEncoding, Subsampling

_LONGEST_SIDE: Final[dict[Format, int]] = {"jpg": 65_500, "png": 1_000_000, "webp": 16_383}
"""Most pixels a side that a format can hold, and its library writes."""
_SUBSAMPLING: Final = {
    "420": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "444": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
}


class Encoded(NamedTuple):
    """An output's file.

    Attributes:
        ending: Ending of its name, without the dot.
        data: Its bytes.
    """

    ending: str
    data: bytes


def encode_output(
    image: NDArray[np.uint8],
    source: str,
    subsampling: Subsampling,
    options: OutputEncoding,
    *,
    grey: bool = False,
) -> Encoded:
    """Encode an output.

    Args:
        image: uint8 (height, width, 3), RGB.
        source: Name of the base.
        subsampling: That of the base, used where the run is to keep it.
        options: How.
        grey: Whether all files that it was made of store greys only. If the output has no colour
            either, it is written with one channel, unless three are wanted.

    Raises:
        UnreadableImage: The picture is larger than the format can hold.
    """
    ending = output_ending(source, options.format)
    colours = output_subsampling(subsampling, options.subsampling)
    quality, png_level = options.quality, options.png_level
    data = encode(
        image,
        ending,
        quality=quality,
        subsampling=colours,
        png_level=png_level,
        # Looked for in grey data sets only: comparing the channels of every photo takes time.
        one_channel=grey and options.channels == "same" and is_grey(image),
    )
    return Encoded(ending, data)


def copied(source: str, data: bytes) -> Encoded:
    """Return the file of a source that comes along as it is."""
    return Encoded(output_ending(source, "same", copied=True), data)


def encode(
    image: NDArray[np.uint8],
    file_format: Format,
    *,
    quality: int,
    subsampling: Subsampling = "420",
    png_level: int = PNG_LEVEL,
    one_channel: bool = False,
) -> bytes:
    """Encode a picture, without metadata; no setting is left to OpenCV's defaults.

    Args:
        image: uint8 (height, width, 3), RGB.
        file_format: JPEG is baseline, PNG is lossless, WebP is lossy, npy is the array itself.
        quality: 1 to 100, for JPEG and WebP. 100 is the best lossy WebP, not a lossless
            one: for exact pixels, write PNG.
        subsampling: Colours of a JPEG: ``420`` halves their resolution, so that colour bleeds
            up to a block across an edge; ``444`` stores all of it, in larger files.
        png_level: PNG compression, 0 to 9; changes no pixel.
        one_channel: Write the red channel alone, as a grey picture; not for WebP, which has none.

    Returns:
        The bytes of the file.

    Raises:
        ValueError: The image or a setting is none of these.
        UnreadableImage: The picture is larger than the format can hold.

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
    check_sides(width, height, file_format)
    if file_format == "npy":
        pixels = image[..., :1] if one_channel else image
        return npy_header(*pixels.shape) + pixels.tobytes()
    parameters = _parameters(file_format, quality, subsampling, png_level)
    succeeded, encoded = cv2.imencode(
        "." + file_format,
        # No name keeps this copy: its memory is at once that of the next picture.
        cv2.extractChannel(image, 0)
        if one_channel and file_format != "webp"
        else cv2.cvtColor(image, cv2.COLOR_RGB2BGR),
        parameters,
    )
    if not succeeded:
        # OpenCV says no more. Without this memory it can't have worked.
        bytearray(2 * image.size)
        raise UnreadableImage(f"an output of {width:,} x {height:,} pixels that can't be encoded")
    return encoded.tobytes()


def check_sides(width: int, height: int, file_format: Format) -> None:
    """Check that a format can hold a picture.

    Args:
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.
        file_format: The format.

    Raises:
        UnreadableImage: A side is too long.

    Example:
        >>> check_sides(1, 1_000_001, "png")
        Traceback (most recent call last):
        augcli.errors.UnreadableImage: an output of 1 x 1,000,001 pixels; png holds at most ...
    """
    longest = _LONGEST_SIDE.get(file_format)
    if longest is not None and max(height, width) > longest:
        raise UnreadableImage(
            f"an output of {width:,} x {height:,} pixels; "
            f"{file_format} holds at most {longest:,} a side"
        )


@functools.lru_cache(maxsize=64)
def _parameters(file_format: Format, quality: int, subsampling: str, png_level: int) -> list[int]:
    """Return OpenCV's parameters, checked, because OpenCV ignores wrong ones silently."""
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
