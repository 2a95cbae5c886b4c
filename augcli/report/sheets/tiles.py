"""Tiles: small pictures, with heat maps over them and regions outlined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from augcli.pixels.overlay import outlined, overlay
from augcli.report.pictures.thumbnails import SMALL, fitted
from augcli.report.sheets.sheet import Tile

if TYPE_CHECKING:
    from augcli.pixels.frame import HeatMap, Image, Mask

SIDE: Final = 224
"""Pixels of the longer side of a picture on a sheet."""


def small(image: Image, side: int = SIDE) -> Image:
    """Return a picture as large as a tile; a tiny one enlarged, with its pixels as squares.

    Args:
        image: uint8 (H, W, 3).
        side: Pixels of the longer side, at most.

    Example:
        >>> import numpy as np
        >>> small(np.zeros((300, 600, 3), np.uint8)).shape
        (112, 224, 3)
        >>> small(np.zeros((32, 32, 3), np.uint8)).shape
        (224, 224, 3)
    """
    longer = max(image.shape[:2])
    if longer > SMALL:
        return fitted(image, side)
    times = max(1, side // longer)
    return image.repeat(times, axis=0).repeat(times, axis=1)


def source_tile(
    image: Image, caption: str, heat_map: HeatMap | None = None, region: Mask | None = None
) -> Tile:
    """Return a base or a donor.

    Args:
        image: uint8 (H, W, 3).
        caption: What stands below it.
        heat_map: float32 (grid, grid), which is laid over it.
        region: uint8, of any size: 1 where it is outlined.
    """
    shown = small(image)
    if heat_map is not None:
        shown = overlay(shown, heat_map, ())
    if region is not None and region.any() and not region.all():
        shown = outlined(shown, region)
    return Tile(shown, caption)
