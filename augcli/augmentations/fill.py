"""The ``fill`` option of all methods that drop: what a dropped region shows instead."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeAlias

from augcli import pixels
from augcli.errors import near_miss
from augcli.params import Param
from augcli.rng import Stream

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from augcli.pixels.frame import Colour, Image

WORDS = ("mean", "image-mean", "black", "white", "noise")
_COLOURS: dict[str, Colour] = {"black": (0, 0, 0), "white": (255, 255, 255)}

DrawnFill: TypeAlias = "tuple[int, int, int] | str"
"""A fill as the manifest records it: a colour, ``image-mean`` or ``noise:SEED``."""


def parse_fill(value: Any) -> str:
    """Return a fill in lower case, checked.

    Raises:
        ValueError: It is neither one of the words nor a colour.

    Example:
        >>> parse_fill("#FF8000")
        '#ff8000'
    """
    text = str(value).lower()
    if text in WORDS:
        return text
    if text.startswith("#"):
        pixels.parse_colour(text)
        return text
    expected = ", ".join(WORDS) + " or #rrggbb"
    raise ValueError(f"is {value!r}, but must be {expected}{near_miss(text, WORDS)}")


FILL = Param(
    "What the dropped region shows: mean (the data set's mean colour: the papers' zero, after "
    "normalisation), image-mean (the image's own mean colour), black, white, noise or #rrggbb.",
    parse=parse_fill,
    metavar="FILL",
)


def draw_fill(fill: str, stream: Stream) -> DrawnFill:
    """Return a fill as it is recorded.

    Args:
        fill: A parsed fill, but not ``mean``: that must be replaced by a colour before.
        stream: Gives the seed of ``noise``.

    Raises:
        ValueError: The fill is ``mean``.
    """
    if fill == "mean":
        raise ValueError(
            "fill 'mean' is the mean colour of a data set, which is not known here: use "
            "with_mean_colour((red, green, blue)), or another fill"
        )
    if fill == "noise":
        return f"noise:{stream.integer(2**32)}"
    if fill == "image-mean":
        return fill
    return _colour(fill)


@functools.lru_cache(maxsize=16)
def _colour(fill: str) -> Colour:
    return _COLOURS.get(fill) or pixels.parse_colour(fill)


def fill_pixels(drawn: DrawnFill, image: Image) -> Colour | NDArray[np.uint8]:
    """Return what a recorded fill shows: a colour, or a picture uint8 (H, W, 3).

    Noise is grey, one value a pixel, where the picture is.
    """
    if not isinstance(drawn, str):
        return drawn
    if drawn == "image-mean":
        return pixels.mean_colour(image)
    # Colour in a grey picture is what a network would learn first. A row decides for most photos.
    grey = pixels.is_grey(image[:1]) and pixels.is_grey(image)
    height, width, channels = image.shape
    count = height * width * (1 if grey else channels)
    words = Stream("noise", drawn).words(-(-count // 8))
    # With a fixed order of bytes the noise is the same on big-endian machines.
    noise: NDArray[np.uint8] = words.astype("<u8").view("u1")[:count]
    return noise.reshape(height, width, 1).repeat(3, axis=2) if grey else noise.reshape(image.shape)
