"""Moving pixels: crop and resize, mirror and rotate, for pictures and for masks.

A mask moves by the nearest neighbour: each pixel of the result has the value of the pixel
whose centre is nearest to the place that it comes from.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from augcli.pixels.frame import Frame
from augcli.pixels.resize import resize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from augcli.pixels.frame import Box, Colour, Image, Mask

    Places = NDArray[np.int32]

LONGEST_ROTATED = 32_766
"""The longest side in pixels of an image that OpenCV can remap."""

FRACTION_BITS = 24
"""Sine and cosine are rounded to this many bits, so that every C library gives the same."""
_STEP_BITS = 5
_STEPS = 1 << _STEP_BITS
"""Places between two pixels that OpenCV's bilinear interpolation distinguishes."""
_SHIFT = FRACTION_BITS + 1 - _STEP_BITS
"""Turns twice a distance in pixels, times sine or cosine, into 1/32 pixels."""
_ROWS_AT_ONCE = 64


def crop_resized(image: Image, box: Box | None, frame: Frame) -> Image:
    """Return a box of the image, squashed or stretched to a frame.

    Interpolates as :func:`augcli.pixels.resize.resize` does.

    Args:
        image: uint8 (H, W, 3).
        box: (x0, y0, x1, y1) in pixels, half-open, inside the image, not empty; None for all.
        frame: Height and width wanted, each at least 1.

    Example:
        >>> image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
        >>> crop_resized(image, (1, 0, 3, 1), Frame(1, 2))[..., 0].tolist()
        [[3, 6]]
    """
    x0, y0, x1, y1 = box or (0, 0, image.shape[1], image.shape[0])
    return np.ascontiguousarray(resize(image[y0:y1, x0:x1], frame))


def crop_resized_mask(mask: Mask, box: Box | None, frame: Frame) -> Mask:
    """Return a box of a mask (H, W), squashed or stretched to a frame by the nearest neighbour.

    Args:
        mask: uint8 (H, W).
        box: (x0, y0, x1, y1) in pixels, half-open, inside the mask, not empty; None for all.
        frame: Height and width wanted, each at least 1.

    Example:
        >>> crop_resized_mask(np.uint8([[0, 1, 0]]), (1, 0, 3, 1), Frame(1, 4))
        array([[1, 1, 0, 0]], dtype=uint8)
    """
    x0, y0, x1, y1 = box or (0, 0, mask.shape[1], mask.shape[0])
    rows = y0 + _nearest(y1 - y0, frame.height)
    columns = x0 + _nearest(x1 - x0, frame.width)
    return mask[rows[:, None], columns]


def _nearest(side: int, wanted: int) -> NDArray[np.int64]:
    """Return int64 (wanted,): the index of the pixel, of ``side``, that each new pixel shows.

    It holds the new pixel's centre; between two pixels, the later one is shown.
    """
    return (2 * np.arange(wanted, dtype=np.int64) + 1) * side // (2 * wanted)


def mirror(picture: Image | Mask, direction: Literal["horizontal", "vertical"]) -> Image:
    """Return an image (H, W, 3) or a mask (H, W) with left and right, or top and bottom, swapped.

    Example:
        >>> mirror(np.uint8([[1, 2], [3, 4]]), "horizontal").tolist()
        [[2, 1], [4, 3]]
    """
    return np.asarray(cv2.flip(picture, 1 if direction == "horizontal" else 0), np.uint8)


def rotate(image: Image, angle: int, fill: Colour | NDArray[np.uint8] | None = None) -> Image:
    """Return the image turned about its centre, in its own frame.

    Bilinear, at 32 places from one pixel to the next. Beyond the edge of its last pixel the
    image is continued by its mirror image (without repeating the border) or by the fill.

    Args:
        image: uint8 (H, W, 3), each side at most 32,766.
        angle: Hundredths of a degree, anticlockwise as seen.
        fill: One colour, or a picture (H, W, 3); None for the mirror image.

    Example:
        >>> image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
        >>> image[..., 0].tolist(), rotate(image, 9000)[..., 0].tolist()
        ([[0, 3], [6, 9]], [[3, 9], [0, 6]])
    """
    turned = np.empty_like(image)
    for rows, x, y, shown in _turned_places(Frame.of(image), angle, mirrors=fill is None):
        # Whole pixels and fractions as separate integers: every version of OpenCV gives the same
        # bytes for these, while its own rotations differ.
        whole = np.empty((*x.shape, 2), np.int16)
        np.right_shift(x, _STEP_BITS, out=whole[..., 0], casting="unsafe")
        np.right_shift(y, _STEP_BITS, out=whole[..., 1], casting="unsafe")
        fraction = ((y & (_STEPS - 1)) << _STEP_BITS | (x & (_STEPS - 1))).astype(np.uint16)
        turned[rows] = cv2.remap(
            image, whole, fraction, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        if fill is not None:
            around = fill[rows] if isinstance(fill, np.ndarray) else np.array(fill, np.uint8)
            np.copyto(turned[rows], around, where=~shown[..., None])
    return turned


def rotate_mask(mask: Mask, angle: int, *, mirrors: bool) -> Mask:
    """Return a mask turned as :func:`rotate` turns a picture, by the nearest neighbour.

    Args:
        mask: uint8 (H, W).
        angle: Hundredths of a degree, anticlockwise as seen.
        mirrors: Whether the picture is continued by its mirror image. If not, the mask is 0
            beyond its edge: a fill belongs to no donor.

    Example:
        >>> rotate_mask(np.uint8([[1, 1, 1]]), 9000, mirrors=False)
        array([[0, 1, 0]], dtype=uint8)
    """
    turned = np.empty_like(mask)
    half = _STEPS // 2
    for rows, x, y, shown in _turned_places(Frame(*mask.shape), angle, mirrors=mirrors):
        turned[rows] = mask[(y + half) >> _STEP_BITS, (x + half) >> _STEP_BITS] * shown
    return turned


def _turned_places(
    frame: Frame, angle: int, *, mirrors: bool
) -> Iterator[tuple[slice, Places, Places, NDArray[np.bool_]]]:
    """Yield for each band of rows where its pixels come from, and whether they show the picture.

    Each item is a slice of rows, x and y as int32 (rows, W), and bool (rows, W). Places are
    in 1/32 pixels from the centre of the first pixel. They always lie inside: mirrored, or
    moved to the border where they don't show the picture.
    """
    cosine, sine = cosine_and_sine(angle / 100)
    # Twice the distance to the centre is a whole number.
    across = 2 * np.arange(frame.width, dtype=np.int64) - (frame.width - 1)
    down = 2 * np.arange(frame.height, dtype=np.int64)[:, None] - (frame.height - 1)
    x_centre, y_centre = (frame.width - 1) * _STEPS // 2, (frame.height - 1) * _STEPS // 2
    x_across = across * cosine + (x_centre << _SHIFT) + (1 << (_SHIFT - 1))
    y_across = across * sine + (y_centre << _SHIFT) + (1 << (_SHIFT - 1))
    moved_inside = _mirrored if mirrors else _clipped
    for start in range(0, frame.height, _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        x = ((x_across - down[rows] * sine) >> _SHIFT).astype(np.int32)
        y = ((y_across + down[rows] * cosine) >> _SHIFT).astype(np.int32)
        inside = _inside(x, frame.width) & _inside(y, frame.height)
        x, y = moved_inside(x, frame.width), moved_inside(y, frame.height)
        yield rows, x, y, inside | mirrors


def cosine_and_sine(degrees: float) -> tuple[int, int]:
    """Return cosine and sine in units of 2**-24, rounded.

    Example:
        >>> cosine_and_sine(90)
        (0, 16777216)
    """
    radians = math.radians(degrees)
    unit = 1 << FRACTION_BITS
    return round(math.cos(radians) * unit), round(math.sin(radians) * unit)


def _inside(places: Places, side: int) -> NDArray[np.bool_]:
    """Return for each place whether the nearest pixel is one of the side's."""
    return (places >= -_STEPS // 2) & (places < side * _STEPS - _STEPS // 2)


def _clipped(places: Places, side: int) -> Places:
    return np.clip(places, 0, (side - 1) * _STEPS)


def _mirrored(places: Places, side: int) -> Places:
    """Return the places inside a side that show the same as the given ones."""
    last = np.int32((side - 1) * _STEPS)
    if last == 0:
        return np.zeros_like(places)
    if places.min() < -last or places.max() > 2 * last:
        # So far outside that the mirror image repeats.
        places = places % (2 * last)
    return np.asarray(last - np.abs(np.abs(places) - last), np.int32)
