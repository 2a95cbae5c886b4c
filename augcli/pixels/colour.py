"""Values of all pixels: brightness, contrast, saturation, division, blur; is an image grey?"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from augcli.pixels.frame import Image, Mask


WHOLE_FACTOR = 1000
"""The factor that changes nothing: factors are in 1/1,000."""


_ROWS_AT_ONCE = 64


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


def change_brightness(image: Image, factor: int) -> Image:
    """Return the image with every value scaled, rounded half up and clipped to 255.

    Args:
        image: uint8 (H, W, 3).
        factor: In 1/1,000; 0 gives black, 1,000 the image.

    Example:
        >>> change_brightness(np.uint8([[[0, 9, 200]]]), 1_500)[0].tolist()
        [[0, 14, 255]]
    """
    return _blended_with(image, 0, factor)


def change_contrast(image: Image, factor: int) -> Image:
    """Return the image blended with its mean grey, rounded half up and clipped.

    Args:
        image: uint8 (H, W, 3).
        factor: The image's share in 1/1,000; 0 gives the mean grey (rounded half up), 1,000
            the image, more moves away from the grey.

    Example:
        >>> change_contrast(np.uint8([[[10, 10, 10], [21, 21, 21]]]), 500)[0, :, 0].tolist()
        [13, 19]
    """
    grey = _grey(image)
    mean = (2 * int(grey.sum(dtype=np.int64)) + grey.size) // (2 * grey.size)
    return _blended_with(image, mean, factor)


def change_saturation(image: Image, factor: int) -> Image:
    """Return the image blended with its own greys, rounded half up and clipped.

    Args:
        image: uint8 (H, W, 3).
        factor: The image's share in 1/1,000; 0 gives a grey image, 1,000 the image.

    Example:
        >>> change_saturation(np.uint8([[[255, 0, 0]]]), 500)[0].tolist()
        [[166, 38, 38]]
    """
    changed = np.empty_like(image)
    for start in range(0, len(image), _ROWS_AT_ONCE):
        band = image[start : start + _ROWS_AT_ONCE]
        # Every step is exact in float32: all are whole numbers below 2**24, and a quotient
        # below a whole number is too far from it to be rounded up to it.
        greys = _grey(band).astype(np.float32)
        greys *= WHOLE_FACTOR - factor
        greys += WHOLE_FACTOR // 2
        blended = band.astype(np.float32)
        blended *= factor
        blended += greys[..., None]
        blended /= WHOLE_FACTOR
        np.clip(blended, 0, 255, out=blended)
        # The cast rounds down, as no value is below 0.
        changed[start : start + _ROWS_AT_ONCE] = blended.astype(np.uint8)
    return changed


def blur(image: Image, sigma: int) -> Image:
    """Return the image blurred with a Gaussian that is cut off at 3 sigma.

    Beyond its border the image is continued by its mirror image.

    Args:
        image: uint8 (H, W, 3).
        sigma: Standard deviation in 1/100 pixels, at least 1.

    Example:
        >>> blur(np.uint8([[[0] * 3, [100] * 3, [0] * 3]]), 50)[0, :, 0].tolist()
        [21, 79, 21]
    """
    reach = -(-3 * sigma // 100)
    side = (2 * reach + 1, 2 * reach + 1)
    blurred = cv2.GaussianBlur(image, side, sigma / 100, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(blurred, np.uint8)


def _grey(image: Image) -> Mask:
    """Return uint8 (H, W): 0.299 red, 0.587 green and 0.114 blue, rounded."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def _blended_with(image: Image, grey: int, factor: int) -> Image:
    """Return the image and one grey, mixed: the image's share is factor / 1,000."""
    rest = (WHOLE_FACTOR - factor) * grey + WHOLE_FACTOR // 2
    table = [(factor * value + rest) // WHOLE_FACTOR for value in range(256)]
    return np.asarray(cv2.LUT(image, np.clip(table, 0, 255).astype(np.uint8)), np.uint8)
