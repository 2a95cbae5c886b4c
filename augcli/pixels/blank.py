"""Blank pictures: nearly black all over, or of one colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import cv2
import numpy as np

if TYPE_CHECKING:
    from augcli.pixels.frame import Image

Blank = Literal["", "black", "one colour"]

BLACK: Final = 16
"""The highest level that counts as black, of 255: that of video black."""
BLACK_SHARE: Final = 0.99
"""Share of all values that are black in a black picture: a few pixels of a sensor are bright."""
SPREAD: Final = 8
"""Levels between the darkest and the brightest value of a channel in a picture of one colour: a
JPEG of one colour does not have one value only."""


def blank_kind(image: Image) -> Blank:
    """Return whether a picture is nearly black or of one colour; empty where it is neither.

    Args:
        image: uint8 (H, W, 3), RGB.

    Example:
        >>> blank_kind(np.full((4, 4, 3), 200, np.uint8)), blank_kind(np.zeros((4, 4, 3), np.uint8))
        ('one colour', 'black')
    """
    mean, deviation = cv2.meanStdDev(image)
    # Nearly every picture is neither, which these two show in one pass.
    brightest = BLACK * BLACK_SHARE + 255 * (1 - BLACK_SHARE)
    if float(mean.mean()) <= brightest:
        bright = np.count_nonzero(image > BLACK)
        if bright <= image.size * (1 - BLACK_SHARE):
            return "black"
    if float(deviation.max()) > SPREAD:
        return ""
    spreads = [int(np.ptp(image[..., channel])) for channel in range(3)]
    return "one colour" if max(spreads) <= SPREAD else ""
