"""Turning pictures upright, as their Exif orientation asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Samples = TypeVar("Samples", bound="NDArray[np.unsignedinteger[Any]]")

_FLIPS: Final = {2: 1, 3: -1, 4: 0}
_ROTATIONS: Final = {6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}


def upright(image: Samples, orientation: int) -> Samples:
    """Turn a picture as its Exif orientation (1 to 8) asks for.

    Args:
        image: (H, W, channels) or (H, W).
        orientation: 1 leaves it as it is.

    Returns:
        The picture, C-contiguous where it was turned.

    Example:
        >>> upright(np.uint8([[1, 2, 3]]), 6).tolist()
        [[1], [2], [3]]
    """
    if orientation == 1:
        return image
    turned: cv2.typing.MatLike
    if orientation in _FLIPS:
        turned = cv2.flip(image, _FLIPS[orientation])
    elif orientation in _ROTATIONS:
        turned = cv2.rotate(image, _ROTATIONS[orientation])
    else:
        turned = cv2.transpose(image)
        if orientation == 7:
            turned = cv2.flip(turned, -1)
    return cast("Samples", turned)
