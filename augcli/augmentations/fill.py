"""The ``fill`` option that all drop methods share: what a dropped region shows instead."""

from __future__ import annotations

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
"""A colour, ``image-mean``, or ``noise:SEED``: what the manifest records."""


def parse_fill(found: Any) -> str:
    """Return the fill that a person wrote, checked.

    Raises:
        ValueError: It is neither one of the words nor a colour.

    Example:
        >>> parse_fill("#FF8000")
        '#ff8000'
    """
    text = str(found).lower()
    if text in WORDS:
        return text
    if text.startswith("#"):
        pixels.parse_colour(text)
        return text
    expected = ", ".join(WORDS) + " or #rrggbb"
    raise ValueError(f"is {found!r}, but must be {expected}{near_miss(text, WORDS)}")


FILL = Param(
    "What the dropped region shows: mean (the data set's mean colour, which is what the "
    "papers' zero is after normalisation), image-mean (that of the image itself), black, "
    "white, noise or #rrggbb.",
    parse=parse_fill,
    metavar="FILL",
)


def draw_fill(fill: str, stream: Stream) -> DrawnFill:
    """Decide a fill.

    Args:
        fill: A parsed fill; ``mean`` must have been replaced by a colour.
        stream: Gives the seed of ``noise``.

    Raises:
        ValueError: The data set's mean colour is not known here.
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
    return _COLOURS.get(fill) or pixels.parse_colour(fill)


def fill_pixels(drawn: DrawnFill, image: Image) -> Colour | NDArray[np.uint8]:
    """Return what shows through where the image is dropped: a colour or a picture (H, W, 3)."""
    if not isinstance(drawn, str):
        return drawn
    if drawn == "image-mean":
        return pixels.mean_colour(image)
    words = Stream("noise", drawn).words(-(-image.size // 8))
    # The order of bytes in a word is fixed, or big-endian machines would see other noise.
    noise: NDArray[np.uint8] = words.astype("<u8").view("u1")
    return noise[: image.size].reshape(image.shape)
