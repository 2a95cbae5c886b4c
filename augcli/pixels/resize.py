"""Resizing, by the two interpolations whose bytes are equal in every OpenCV version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from augcli.pixels.frame import Frame

if TYPE_CHECKING:
    from augcli.pixels.frame import Image


def resize(image: Image, frame: Frame) -> Image:
    """Return the image squashed or stretched to a frame; the same array if it has that frame.

    By area average if neither side grows, else bilinear: the bytes of cubic interpolation
    differ between OpenCV versions and processors, those of these two do not.

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


def fit(image: Image, frame: Frame) -> Image:
    """Return the image squashed or stretched to a frame, fast; the same array if it has that frame.

    Halves sides that are at least twice too long, by averages of neighbours, and interpolates
    the rest, so that no pixel is skipped but an odd last row or column. Takes a sixth of the
    time of :func:`resize`, and values differ by a few levels: good enough for the input of a
    network and for a donor.

    Args:
        image: uint8 (H, W, 3).
        frame: Height and width wanted, each at least 1.

    Example:
        >>> fit(np.zeros((40, 60, 3), np.uint8), Frame(7, 90)).shape
        (7, 90, 3)
    """
    height, width = image.shape[:2]
    while (height, width) != frame:
        if height >= 2 * frame.height and width >= 2 * frame.width:
            # Exactly two by two takes a third of the time of averages that use an odd last row.
            height, width = height // 2, width // 2
            smaller = cv2.resize(
                image[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA
            )
        else:
            height = (height + 1) // 2 if height >= 2 * frame.height else frame.height
            width = (width + 1) // 2 if width >= 2 * frame.width else frame.width
            smaller = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
        image = np.asarray(smaller, np.uint8)
    return image
