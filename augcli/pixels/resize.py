"""Resizing, by the two interpolations whose bytes are equal in every OpenCV version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from augcli.pixels.frame import Frame

if TYPE_CHECKING:
    from augcli.pixels.frame import Image


def resize(image: Image, frame: Frame) -> Image:
    """Return the image squashed or stretched to a frame; the same array where it fits already.

    Area average where neither side grows, else bilinear: cubic interpolation differs between
    OpenCV versions and processors, these two do not.

    Args:
        image: uint8 (H, W, 3).
        frame: Height and width wanted, each at least 1.

    Example:
        >>> resize(np.zeros((4, 6, 3), np.uint8), Frame(2, 3)).shape
        (2, 3, 3)
    """
    height, width = image.shape[:2]
    if (height, width) == frame:
        return image
    shrinks = frame.height <= height and frame.width <= width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = cv2.resize(image, (frame.width, frame.height), interpolation=method)
    return np.asarray(resized, np.uint8)
