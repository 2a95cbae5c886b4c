"""Checks of arrays that a caller gives: a wrong one is refused, and the message says what fits.

OpenCV and NumPy take arrays of almost any shape and type, and give a wrong picture without an
error for many of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

CHANNELS = (1, 3, 4)
"""Channels that a picture can have: grey, RGB, and RGB with alpha."""


def check_image(image: object, name: str = "the image", channels: Sequence[int] = (3,)) -> None:
    """Check that something is an image: a NumPy array uint8 (H, W, C).

    Args:
        image: What to check.
        name: What messages call it.
        channels: The numbers of channels that fit.

    Raises:
        TypeError: It is no NumPy array.
        ValueError: It is an array of another shape or type.

    Example:
        >>> check_image(np.zeros((2, 4, 3), np.uint8))
        >>> check_image(np.zeros((3, 2, 8), np.uint8))
        Traceback (most recent call last):
            ...
        ValueError: the image is uint8 (3, 2, 8), but must be uint8 (H, W, 3); if its first axis \
is the channels, give it as image.transpose(1, 2, 0)
    """
    fits = (
        isinstance(image, np.ndarray)
        and image.dtype == np.uint8
        and image.ndim == 3
        and image.shape[2] in channels
    )
    if not fits:
        _refuse_image(image, name, channels)


def _refuse_image(image: object, name: str, channels: Sequence[int]) -> None:
    last = "3" if tuple(channels) == (3,) else "C"
    wanted = f"uint8 (H, W, {last})"
    if not isinstance(image, np.ndarray):
        raise _no_array(image, name, wanted, "tensor.permute(1, 2, 0).cpu().numpy()")
    fix = ""
    if image.ndim == 3 and image.shape[2] in channels:
        fix = "; scale its values to 0..255 and use numpy.rint(image).astype(numpy.uint8)"
    elif image.ndim == 3 and image.shape[0] in CHANNELS:
        fix = "; if its first axis is the channels, give it as image.transpose(1, 2, 0)"
    elif image.ndim == 3 and image.shape[2] == 4:
        fix = "; leave alpha out with image[..., :3]"
    elif image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 1):
        fix = "; give a grey picture as numpy.dstack([image, image, image])"
    meaning = "" if last == "3" else f" with C {_numbers(channels)}"
    raise ValueError(f"{name} is {_described(image)}, but must be {wanted}{meaning}{fix}")


def check_batch(images: object, name: str) -> None:
    """Check that something is a batch of images: a NumPy array (N, H, W, C) of any type.

    Args:
        images: What to check.
        name: What messages call it.

    Raises:
        TypeError: It is no NumPy array.
        ValueError: It is an array of another shape; C must be 1, 3 or 4.

    Example:
        >>> check_batch(np.zeros((5, 2, 4, 3), np.float32), "the batch")
        >>> check_batch(np.zeros((5, 3, 2, 8), np.float32), "the batch")
        Traceback (most recent call last):
            ...
        ValueError: the batch is float32 (5, 3, 2, 8), but must be (N, H, W, C) with C 1, 3 or 4; \
give NCHW as images.transpose(0, 2, 3, 1)
    """
    wanted = f"(N, H, W, C) with C {_numbers(CHANNELS)}"
    if not isinstance(images, np.ndarray):
        raise _no_array(images, name, wanted, "tensor.permute(0, 2, 3, 1).cpu().numpy()")
    if images.ndim != 4 or images.shape[3] not in CHANNELS:
        nchw = images.ndim == 4 and images.shape[1] in CHANNELS
        fix = "; give NCHW as images.transpose(0, 2, 3, 1)" if nchw else ""
        raise ValueError(f"{name} is {_described(images)}, but must be {wanted}{fix}")


def _no_array(value: object, name: str, wanted: str, from_tensor: str) -> TypeError:
    kind = type(value)
    is_tensor = kind.__name__.endswith("Tensor")
    fix = f"give a tensor as {from_tensor}" if is_tensor else "numpy.asarray may make one of it"
    return TypeError(
        f"{name} is a {kind.__module__}.{kind.__qualname__}, but must be a NumPy array {wanted}; "
        f"{fix}"
    )


def _described(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> str:
    return f"{array.dtype} {array.shape}"


def _numbers(channels: Sequence[int]) -> str:
    *first, last = map(str, channels)
    return f"{', '.join(first)} or {last}" if first else last
