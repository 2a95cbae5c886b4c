"""The types that every floor speaks in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Image: TypeAlias = NDArray[np.uint8]
    """uint8 (H, W, 3), RGB, upright."""
    Mask: TypeAlias = NDArray[np.uint8]
    """uint8 (H, W): 1 where a pixel comes from the donor, else 0."""
    HeatMap: TypeAlias = NDArray[np.float32]
    """float32 (grid, grid): higher means more of the object."""

Box: TypeAlias = tuple[int, int, int, int]
"""(x0, y0, x1, y1) in pixels, half-open."""
Colour: TypeAlias = tuple[int, int, int]
"""(red, green, blue), each 0 to 255."""


class Frame(NamedTuple):
    """Height and width in pixels of the picture that is worked on."""

    height: int
    width: int

    @classmethod
    def of(cls, image: Image) -> Frame:
        """Return the frame of an image (H, W, 3)."""
        return cls(image.shape[0], image.shape[1])
