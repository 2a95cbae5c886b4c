"""Images as most networks take them: one plane for each channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from augcli.pixels.frame import Image


def planes(image: Image, scale: float = 1.0, *, swap: bool = False) -> NDArray[np.float32]:
    """Return the channels of an image one after the other, each value times ``scale``.

    Args:
        image: uint8 (H, W, 3).
        scale: Factor.
        swap: Whether the first and the last channel change places.

    Returns:
        float32 (3, H, W).

    Example:
        >>> planes(np.uint8([[[1, 2, 3]]]), 0.5, swap=True).ravel().tolist()
        [1.5, 1.0, 0.5]
    """
    return np.asarray(cv2.dnn.blobFromImage(image, scale, swapRB=swap)[0], np.float32)
