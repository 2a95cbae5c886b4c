"""Outlines of regions, for a page."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from augcli.pixels.frame import Mask

LONGEST: Final = 3_000
"""Characters of an outline; dropped pixels and fine lattices have too many corners to be drawn."""


class Outline(NamedTuple):
    """The outline of a region, as the path of an SVG.

    Attributes:
        path: Its commands; empty where it has too many corners.
        width: Of the frame that the path lies in.
        height: The same.
    """

    path: str
    width: int
    height: int


def outline(mask: Mask | None) -> Outline | None:
    """Return the outline of a mask; None where there is nothing to outline.

    Args:
        mask: uint8 (H, W), 1 in the region; None where there is none.

    Example:
        >>> mask = np.zeros((4, 8), np.uint8)
        >>> mask[1:3, 2:6] = 1
        >>> outline(mask)
        Outline(path='M2 1V3H6V1z', width=8, height=4)
    """
    if mask is None or not mask.any() or mask.all():
        return None
    height, width = mask.shape
    # Twice as large and with a margin, so that a contour runs between pixels and not through them.
    doubled = np.pad(mask.repeat(2, axis=0).repeat(2, axis=1), 1)
    contours, _ = cv2.findContours(doubled, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    path = "".join(_path([(x, y) for x, y in one[:, 0].tolist()]) for one in contours)
    return Outline(path if len(path) <= LONGEST else "", width, height)


def _path(corners: list[tuple[int, int]]) -> str:
    """Return a closed path through corners of pixels, which were doubled and moved by one."""
    points = [(x // 2, y // 2) for x, y in corners]
    text = f"M{points[0][0]} {points[0][1]}"
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if x0 == x1 and y0 != y1:
            text += f"V{y1}"
        elif y0 == y1 and x0 != x1:
            text += f"H{x1}"
        elif (x0, y0) != (x1, y1):
            text += f"L{x1} {y1}"
    return f"{text}z"
