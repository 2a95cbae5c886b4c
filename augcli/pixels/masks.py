"""Dropping by a mask: pixels, single values, whole channels, and blocks grown from seeds."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from augcli.pixels.frame import Colour, Image, Mask


def fill_mask(image: Image, mask: Mask, fill: Colour | NDArray[np.uint8]) -> Image:
    """Return a copy of the image that shows the fill where the mask is 1.

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
        # One row over and over: filling three bytes at a time takes ten times as long.
        height, width = image.shape[:2]
        shown = np.full((1, width, 3), fill, np.uint8).repeat(height, axis=0)
    return np.asarray(cv2.copyTo(shown, mask, image.copy()), np.uint8)


def fill_channels(image: Image, channels: Sequence[int], fill: Colour | NDArray[np.uint8]) -> Image:
    """Return a copy of the image whose given channels show those of the fill.

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


def is_grey(image: Image) -> bool:
    """Return whether red, green and blue are equal everywhere in an image (H, W, 3).

    Example:
        >>> is_grey(np.uint8([[[5, 5, 5]]])), is_grey(np.uint8([[[5, 5, 6]]]))
        (True, False)
    """
    red = image[..., 0]
    return np.array_equal(red, image[..., 1]) and np.array_equal(red, image[..., 2])


def divide_values(image: Image, divisor: float) -> Image:
    """Return the image with every value divided, rounded half up and clipped to 255.

    Args:
        image: uint8 (H, W, 3).
        divisor: Above 0.

    Example:
        >>> divide_values(np.uint8([[[0, 9, 200]]]), 0.5)[0].tolist()
        [[0, 18, 255]]
    """
    exact = Fraction(divisor)
    half = Fraction(1, 2)
    table = [min(255, (value / exact + half).__floor__()) for value in range(256)]
    return np.asarray(cv2.LUT(image, np.array(table, np.uint8)), np.uint8)


def grow_blocks(seeds: Mask, block: int) -> Mask:
    """Return the mask of the squares that have a seed as their upper left corner.

    Args:
        seeds: uint8 (h, w), 0 or 1: every place where a whole square begins.
        block: Side of the squares in pixels.

    Returns:
        uint8 (h + block - 1, w + block - 1), 0 or 1.

    Example:
        >>> grow_blocks(np.uint8([[0, 1, 0]]), 2)
        array([[0, 1, 1, 0],
               [0, 1, 1, 0]], dtype=uint8)
    """
    height, width = seeds.shape
    grown = np.zeros((height + block - 1, width + block - 1), np.uint8)
    grown[:height, :width] = seeds
    # A pixel is covered by the seeds up to ``block`` - 1 above and to the left of it.
    square = np.ones((block, block), np.uint8)
    return np.asarray(cv2.dilate(grown, square, anchor=(block - 1, block - 1)), np.uint8)
