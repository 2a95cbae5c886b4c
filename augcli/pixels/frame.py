"""The types of images, masks, heat maps, boxes, colours and frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Image: TypeAlias = NDArray[np.uint8]
    """uint8 (H, W, 3), RGB, upright."""
    Mask: TypeAlias = NDArray[np.uint8]
    """uint8 (H, W), 0 or 1."""
    HeatMap: TypeAlias = NDArray[np.float32]
    """float32 (grid, grid): higher means more of the object."""

Box: TypeAlias = tuple[int, int, int, int]
"""(x0, y0, x1, y1) in pixels, half-open."""
Colour: TypeAlias = tuple[int, int, int]
"""(red, green, blue), each 0 to 255."""


class Frame(NamedTuple):
    """Height and width of a picture in pixels."""

    height: int
    width: int

    @classmethod
    def of(cls, image: Image) -> Frame:
        """Return the frame of an image (H, W, 3)."""
        return cls(image.shape[0], image.shape[1])
