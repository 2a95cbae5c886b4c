"""Pictures with 16 bits a sample: their levels, and how these become 8 bits."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, cast

import cv2
import numpy as np

from augcli.data.codecs.containers import called
from augcli.data.codecs.formats import FULL_WHITE
from augcli.data.codecs.headers import read_header
from augcli.data.codecs.orientation import upright
from augcli.data.codecs.pillow import check_size, opened_with_pillow
from augcli.data.codecs.png import bare_png
from augcli.data.codecs.pnm import deep_pnm
from augcli.data.codecs.silence import silenced
from augcli.errors import UnreadableImage

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from augcli.data.codecs.containers import Header

_QUARTER: Final = 64
"""Below this high byte, less than a quarter of the levels is used."""
_FLAGS: Final = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION


def deep_levels(data: bytes, header: Header, picture: Image.Image) -> NDArray[np.uint16]:
    """Return all bits of the samples of a picture with 16 bits a sample.

    Args:
        data: The whole file.
        header: Its header, which says that it is deep.
        picture: The same, opened with Pillow.

    Returns:
        uint16 (height, width, 1 or 3), turned as Pillow turns the picture while it loads it.

    Raises:
        UnreadableImage: No library reads its colours with all their bits.
    """
    if header.container == "PNM":
        return deep_pnm(data)
    if picture.mode[0] == "I":
        return np.asarray(picture).astype(np.uint16)[..., None]
    # Pillow reduces colours to their high bytes. These show whether OpenCV reads the file rightly.
    high = np.asarray(picture.convert("RGB"))
    content = bare_png(data) if header.container == "PNG" else data
    samples = cv2.imdecode(np.frombuffer(content, np.uint8), _FLAGS)
    if samples is not None and samples.dtype == np.uint16 and samples.ndim == 3:
        levels = np.ascontiguousarray(cast("NDArray[np.uint16]", samples)[..., 2::-1])
        # Pillow turns TIFF. OpenCV does or doesn't, by its release.
        turns = {1, header.orientation} if header.container == "TIFF" else {1}
        turned = [upright(levels, orientation) for orientation in sorted(turns)]
        right = [each for each in turned if np.array_equal(each >> 8, high)]
        if len(right) == 1:
            return right[0]
    raise UnreadableImage(
        f"{called(header.container)} whose 16-bit colours can't be read with all their bits; save "
        "it as PNG, or use it without `white_level`"
    )


def reduced(
    levels: NDArray[np.uint16], white_level: int, *, inverted: bool = False
) -> NDArray[np.uint8]:
    """Return 16-bit levels as 8-bit RGB.

    Level v becomes 256 v / (white_level + 1), rounded down and at most 255. So the high byte is
    what remains of full 16 bits, and the 8 highest of 12 bits where the white level is 4095.

    Args:
        levels: uint16 (height, width, 1 or 3).
        white_level: The level that becomes 255.
        inverted: Whether level 0 is white, and the white level is black.

    Example:
        >>> reduced(np.uint16([[[0], [15], [2048], [4095]]]), 4095)[0, :, 0].tolist()
        [0, 0, 128, 255]
    """
    table = _table(white_level)
    grey_or_colour = (255 - table if inverted else table)[levels]
    return grey_or_colour if levels.shape[2] == 3 else np.repeat(grey_or_colour, 3, axis=2)


@functools.lru_cache(maxsize=4)
def _table(white_level: int) -> NDArray[np.uint8]:
    levels = np.arange(FULL_WHITE + 1, dtype=np.int64)
    return np.minimum(levels * 256 // (white_level + 1), 255).astype(np.uint8)


def highest_level(data: bytes, max_pixels: int) -> int | None:
    """Return the highest level of a picture with 16 bits a sample, None for any other.

    Args:
        data: The whole file.
        max_pixels: Most pixels that it may have.

    Raises:
        UnreadableImage: It can't be decoded.
    """
    header = read_header(data)
    if not header.deep:
        return None
    check_size(header.container, header.width, header.height, max_pixels)
    with silenced(), opened_with_pillow(data, header, max_pixels) as picture:
        return int(deep_levels(data, header, picture).max())


def few_levels(image: NDArray[np.uint8], *, inverted: bool) -> str:
    """Return a remark on a picture that uses less than a quarter of its 16 bits, or nothing.

    Args:
        image: uint8 (height, width, 3): the high bytes of its levels.
        inverted: Whether level 0 is white.

    Example:
        >>> few_levels(np.full((1, 1, 3), 15, np.uint8), inverted=False)
        '16-bit picture that uses only levels up to 4,095 of 65,535; see `white_level`'
    """
    highest = 255 - int(image.min()) if inverted else int(image.max())
    if highest >= _QUARTER:
        return ""
    most = (256 << highest.bit_length()) - 1
    return (
        f"16-bit picture that uses only levels up to {most:,} of {FULL_WHITE:,}; see `white_level`"
    )
