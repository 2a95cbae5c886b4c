"""A photo with its heat map laid over it, to judge a scorer by eye."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from augcli.pixels.frame import Frame
from augcli.pixels.grid import edges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from augcli.pixels.frame import HeatMap, Image, Mask

CHOSEN = (90, 255, 120)
"""Colour of the outlines of chosen cells."""
DARK = (0, 0, 0)
"""Colour of their edges, where a picture may be as bright as they are."""


def overlay(image: Image, heat_map: HeatMap, cells: Sequence[int]) -> Image:
    """Return a photo with its heat map, the grid and outlines of the chosen cells over it.

    Args:
        image: uint8 (H, W, 3), RGB.
        heat_map: float32 (grid, grid); its lowest value is shown dark, its highest bright.
        cells: Indices of the chosen cells, 0 to grid² - 1.

    Example:
        >>> overlay(np.zeros((14, 14, 3), np.uint8), np.eye(7, dtype=np.float32), [0]).shape
        (14, 14, 3)
    """
    grid = len(heat_map)
    frame = Frame.of(image)
    smooth = cv2.resize(
        heat_levels(heat_map), (frame.width, frame.height), interpolation=cv2.INTER_LINEAR
    )
    heat = heat_colours(np.asarray(smooth, np.uint8))
    shown = np.asarray(cv2.addWeighted(image, 0.5, heat, 0.5, 0), np.uint8)
    rows, columns = edges(frame.height, grid).tolist(), edges(frame.width, grid).tolist()
    for row in rows[1:-1]:
        shown[row : row + 1] = 255 - (255 - shown[row : row + 1]) // 2
    for column in columns[1:-1]:
        shown[:, column : column + 1] = 255 - (255 - shown[:, column : column + 1]) // 2
    for cell in cells:
        top, left = rows[cell // grid], columns[cell % grid]
        bottom, right = rows[cell // grid + 1], columns[cell % grid + 1]
        cv2.rectangle(shown, (left, top), (right - 1, bottom - 1), CHOSEN, 2)
    return shown


def outlined(image: Image, region: Mask) -> Image:
    """Return a picture with the outline of a region, bright on a dark edge.

    Args:
        image: uint8 (H, W, 3), RGB.
        region: uint8, of any size: 1 in the region, which is stretched to the picture.

    Example:
        >>> region = np.zeros((2, 2), np.uint8)
        >>> region[0, 0] = 1
        >>> outlined(np.zeros((20, 20, 3), np.uint8), region)[0, 4].tolist()
        [90, 255, 120]
    """
    frame = Frame.of(image)
    mask = cv2.resize(region, (frame.width, frame.height), interpolation=cv2.INTER_NEAREST)
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    shown = image.copy()
    for colour, width in ((DARK, 4), (CHOSEN, 2)):
        cv2.drawContours(shown, contours, -1, colour, width)
    return shown


def heat_levels(heat_map: HeatMap) -> NDArray[np.uint8]:
    """Return uint8 (grid, grid): 0 for the lowest value of a heat map, 255 for its highest."""
    low, span = float(heat_map.min()), float(np.ptp(heat_map))
    return ((heat_map - low) / (span or 1.0) * 255).astype(np.uint8)


def heat_colours(levels: NDArray[np.uint8]) -> Image:
    """Return levels uint8 (H, W) as colours (H, W, 3): low ones dark, high ones bright."""
    colours = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    return np.asarray(colours, np.uint8)
