"""Arrays become image files: JPEG, PNG or WebP, with the same settings on every machine."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from augcli.data.codecs.formats import PNG_LEVEL
from augcli.errors import UnreadableImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from augcli.data.codecs.formats import Format, Subsampling

_LONGEST_SIDE: Final[dict[Format, int]] = {"jpg": 65_500, "webp": 16_383}
"""Most pixels a side that a format can hold."""
_SUBSAMPLING: Final = {
    "420": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "444": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
}


def encode(
    image: NDArray[np.uint8],
    file_format: Format,
    *,
    quality: int,
    subsampling: Subsampling = "420",
    png_level: int = PNG_LEVEL,
) -> bytes:
    """Encode a picture, without metadata; no setting is left to OpenCV's defaults.

    Args:
        image: uint8 (height, width, 3), RGB.
        file_format: JPEG is baseline, PNG is lossless, WebP is lossy.
        quality: 1 to 100, for JPEG and WebP. 100 is the best lossy WebP, not a lossless
            one: for exact pixels, write PNG.
        subsampling: Colours of a JPEG: ``420`` halves their resolution, so that colour bleeds
            up to a block across an edge; ``444`` stores all of it, in larger files.
        png_level: PNG compression, 0 to 9; changes no pixel.

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
    longest = _LONGEST_SIDE.get(file_format)
    if longest is not None and max(height, width) > longest:
        raise UnreadableImage(
            f"an output of {width:,} x {height:,} pixels; "
            f"{file_format} holds at most {longest:,} a side"
        )
    parameters = _parameters(file_format, quality, subsampling, png_level)
    succeeded, encoded = cv2.imencode(
        "." + file_format, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), parameters
    )
    if not succeeded:
        raise UnreadableImage(f"an output of {width:,} x {height:,} pixels that can't be encoded")
    return encoded.tobytes()


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
