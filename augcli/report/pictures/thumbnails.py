"""Thumbnails: pictures in a few kilobytes, as data URIs that a page holds itself."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from augcli.data.codecs.encoding import encode
from augcli.pixels.frame import Frame
from augcli.pixels.overlay import heat_colours, heat_levels
from augcli.pixels.resize import resize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from augcli.data.codecs.formats import Format
    from augcli.pixels.frame import HeatMap, Image

SMALL: Final = 64
"""Pixels of the longer side up to which a picture is kept exactly, as PNG."""
TRIES: Final = ((82, 1), (70, 1), (55, 1), (40, 1), (25, 1), (40, 2), (10, 2))
"""Qualities that are tried, and by what the sides are divided, until pictures fit their bytes."""


@dataclass(frozen=True)
class Thumbnail:
    """A picture as the page holds it.

    Attributes:
        uri: A ``data:`` URI.
        width: In pixels.
        height: In pixels.
    """

    uri: str
    width: int
    height: int

    @property
    def is_tiny(self) -> bool:
        """Whether it is shown enlarged, with its pixels as squares."""
        return max(self.width, self.height) <= SMALL


def fitted(image: Image, side: int) -> Image:
    """Return a picture that is no longer than a side; the same array where it fits.

    Args:
        image: uint8 (H, W, 3).
        side: Pixels of the longer side.

    Example:
        >>> import numpy as np
        >>> fitted(np.zeros((300, 600, 3), np.uint8), 200).shape
        (100, 200, 3)
    """
    height, width = image.shape[:2]
    longer = max(height, width)
    if longer <= side:
        return image
    frame = Frame(max(1, round(height * side / longer)), max(1, round(width * side / longer)))
    return resize(image, frame)


def thumbnails(images: Sequence[Image], limit: int) -> list[Thumbnail]:
    """Return pictures as data URIs that together have at most so many bytes, if that can be.

    Args:
        images: uint8 (H, W, 3), as large as they are to be.
        limit: Bytes that all URIs may have; the quality falls until they do.
    """
    found: list[Thumbnail] = []
    for quality, divisor in TRIES:
        smaller = [fitted(image, max(image.shape) // divisor) for image in images]
        found = [_encoded(image, quality) for image in smaller]
        if sum(len(one.uri) for one in found) <= limit:
            break
    return found


def heat_thumbnail(heat_map: HeatMap) -> Thumbnail:
    """Return a heat map with a pixel for each cell, dark where it is low; a browser smooths it.

    Args:
        heat_map: float32 (grid, grid).

    Example:
        >>> import numpy as np
        >>> thumbnail = heat_thumbnail(np.eye(7, dtype=np.float32))
        >>> thumbnail.width, thumbnail.uri[:22], len(thumbnail.uri) < 500
        (7, 'data:image/png;base64,', True)
    """
    return _encoded(heat_colours(heat_levels(heat_map)), 100)


def _encoded(image: Image, quality: int) -> Thumbnail:
    height, width = image.shape[:2]
    kind: Format = "png" if max(height, width) <= SMALL else "webp"
    data = encode(image, kind, quality=quality)
    text = base64.b64encode(data).decode("ascii")
    return Thumbnail(f"data:image/{kind};base64,{text}", width, height)
