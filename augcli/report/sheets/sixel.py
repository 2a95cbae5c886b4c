"""Pictures as sixels, the graphics of DEC terminals that many terminals of today show.

Each character is a column of six pixels of one colour; a band of six rows is written once for each
of its colours. Source: DEC, VT330/VT340 Programmer Reference Manual, volume 2, chapter 14.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL.Image import Image as Picture

COLOURS: Final = 256
BAND: Final = 6
FEWEST_REPEATED: Final = 4
"""Equal characters that are written as a count: fewer are as short as they are."""


def sixels(picture: Picture) -> str:
    r"""Return what shows a picture in a terminal with sixel graphics, in 256 colours.

    Args:
        picture: RGB.

    Example:
        >>> from PIL import Image
        >>> print(repr(sixels(Image.new("RGB", (8, 6), "#ff0000"))))
        '\x1bP0;1q"1;1;8;6#0;2;100;0;0#0!8~-\x1b\\'
    """
    indexed = picture.quantize(COLOURS)
    levels = np.asarray(indexed, np.uint8)
    height, width = levels.shape
    flat = indexed.getpalette() or []
    palette = [flat[start : start + 3] for start in range(0, len(flat), 3)]
    colours = "".join(
        f"#{number};2;" + ";".join(str(round(value / 2.55)) for value in colour)
        for number, colour in enumerate(palette)
    )
    bands = "-".join(_band(levels[top : top + BAND]) for top in range(0, height, BAND))
    return f'\x1bP0;1q"1;1;{width};{height}{colours}{bands}-\x1b\\'


def _band(levels: NDArray[np.uint8]) -> str:
    """Return six rows, one colour after the other."""
    bits = np.left_shift(1, np.arange(len(levels)))[:, None]
    return "$".join(
        f"#{colour}" + "".join(_runs(((levels == colour) * bits).sum(axis=0).tolist()))
        for colour in np.unique(levels).tolist()
    )


def _runs(columns: list[int]) -> Iterator[str]:
    for value, group in itertools.groupby(columns):
        count = len(list(group))
        char = chr(63 + value)
        yield f"!{count}{char}" if count >= FEWEST_REPEATED else char * count
