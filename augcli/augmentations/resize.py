"""Resize: every picture is resized to one size.

Source: none; does what ``torchvision.transforms.Resize`` does with both sides given.

Differs from torchvision's in the interpolation: an area average if neither side grows, else
bilinear. Both give the same bytes in every version of OpenCV.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from augcli import pixels
from augcli.augmentations.base import Augmentation, Draw
from augcli.augmentations.size import SIZE, size_frame
from augcli.pixels.frame import Frame

if TYPE_CHECKING:
    from augcli.pixels.frame import HeatMap, Image, Mask
    from augcli.rng import Stream


@dataclass(frozen=True)
class ResizeDraw(Draw):
    """(width, height) of the result."""

    size: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Resize(Augmentation[ResizeDraw]):
    """Squash or stretch each picture to one size.

    With ``size="224x224"`` a picture of 640 x 480 pixels is shrunk to 35% of its width and 47%
    of its height.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> from augcli.rng import Stream
        >>> Resize(size="64x48").draw(Frame(480, 640), Stream(1, "example"))
        ResizeDraw(size=(64, 48))
    """

    name = "resize"
    paper = "none; as torchvision's Resize"
    draw_type = ResizeDraw

    size: Annotated[str, SIZE] = "224x224"

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> ResizeDraw:
        """Return the size; nothing is drawn."""
        height, width = size_frame(self.size)
        return ResizeDraw((width, height))

    def apply(self, images: tuple[Image, ...], draw: ResizeDraw) -> Image:
        """Resize the picture."""
        width, height = draw.size
        return pixels.crop_resized(images[0], None, Frame(height, width))

    def apply_to_mask(self, mask: Mask, draw: ResizeDraw) -> Mask:
        """Resize a mask by the nearest neighbour."""
        width, height = draw.size
        return pixels.crop_resized_mask(mask, None, Frame(height, width))
