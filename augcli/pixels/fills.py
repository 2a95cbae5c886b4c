"""Fills: what boxes, masks and channels show instead of the image, and colours as text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from augcli.pixels.frame import Box, Colour, Image, Mask

_HEX = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)


def fill_boxes(
    image: Image, boxes: Sequence[Box], fill: Colour | NDArray[np.uint8], *, over: bool = False
) -> Image:
    """Return the image with the boxes filled.

    Args:
        image: uint8 (H, W, 3).
        boxes: (x0, y0, x1, y1) in pixels, half-open, inside the image.
        fill: One colour, or a picture (H, W, 3) that shows at its own place.
        over: Whether the image itself is changed, and not a copy.

    Example:
        >>> fill_boxes(np.zeros((1, 3, 3), np.uint8), [(1, 0, 2, 1)], (9, 8, 7))[0].tolist()
        [[0, 0, 0], [9, 8, 7], [0, 0, 0]]
    """
    filled = image if over else image.copy()
    for x0, y0, x1, y1 in boxes:
        if isinstance(fill, np.ndarray):
            filled[y0:y1, x0:x1] = fill[y0:y1, x0:x1]
        elif x0 < x1 and y0 < y1:
            # Both corners belong to the rectangle. Ten times as fast as NumPy.
            cv2.rectangle(filled, (x0, y0), (x1 - 1, y1 - 1), fill, cv2.FILLED)
    return filled


def fill_mask(image: Image, mask: Mask, fill: Colour | NDArray[np.uint8]) -> Image:
    """Return a copy of the image with the fill where the mask is 1.

    Args:
        image: uint8 (H, W, 3).
        mask: uint8, 0 or 1: (H, W) for whole pixels, (H, W, 3) for single values.
        fill: One colour, or a picture (H, W, 3).

    Example:
        >>> fill_mask(np.zeros((1, 2, 3), np.uint8), np.uint8([[0, 1]]), (9, 8, 7))[0].tolist()
        [[0, 0, 0], [9, 8, 7]]
    """
    if isinstance(fill, np.ndarray):
        shown = fill
    else:
        # Repeating one row takes a tenth of the time of filling three bytes at a time.
        height, width = image.shape[:2]
        shown = np.full((1, width, 3), fill, np.uint8).repeat(height, axis=0)
    return np.asarray(cv2.copyTo(shown, mask, image.copy()), np.uint8)


def fill_channels(image: Image, channels: Sequence[int], fill: Colour | NDArray[np.uint8]) -> Image:
    """Return a copy of the image with the given channels taken from the fill.

    Args:
        image: uint8 (H, W, 3).
        channels: Any of 0 (red), 1 (green) and 2 (blue).
        fill: One colour, or a picture (H, W, 3).

    Example:
        >>> fill_channels(np.zeros((1, 1, 3), np.uint8), [0, 2], (9, 8, 7))[0].tolist()
        [[9, 0, 7]]
    """
    filled = image.copy()
    for channel in channels:
        shown = fill[..., channel] if isinstance(fill, np.ndarray) else fill[channel]
        filled[..., channel] = shown
    return filled


def mean_colour(image: Image) -> Colour:
    """Return the mean colour of an image (H, W, 3), each channel rounded half up.

    Example:
        >>> mean_colour(np.uint8([[[0, 10, 20], [1, 20, 40]]]))
        (1, 15, 30)
    """
    pixels = image.shape[0] * image.shape[1]
    # Sums of whole numbers are exact below 2**53. 100 times as fast as NumPy.
    sums = [int(total) for total in cv2.sumElems(image)[:3]]
    red, green, blue = ((2 * total + pixels) // (2 * pixels) for total in sums)
    return red, green, blue


def parse_colour(text: str) -> Colour:
    """Return the colour that ``#rrggbb`` names.

    Raises:
        ValueError: The text is not a colour.

    Example:
        >>> parse_colour("#ff8000")
        (255, 128, 0)
    """
    if not _HEX.fullmatch(text):
        raise ValueError(f"is {text!r}, but must be a colour such as #7b7568")
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue
