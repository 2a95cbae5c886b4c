"""Flip: every picture is mirrored; the step's ``prob`` makes it a share of them.

Source: none; does what ``torchvision.transforms.RandomHorizontalFlip`` and
``RandomVerticalFlip`` do.

Differs from them in: it has no probability of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from augcli import pixels
from augcli.augmentations.base import Augmentation, Draw
from augcli.params import Param

if TYPE_CHECKING:
    from augcli.pixels.frame import Frame, HeatMap, Image, Mask
    from augcli.rng import Stream


@dataclass(frozen=True)
class FlipDraw(Draw):
    """The direction in which pixels are swapped."""

    direction: Literal["horizontal", "vertical"]


@dataclass(frozen=True, kw_only=True)
class Flip(Augmentation[FlipDraw]):
    """Mirror each picture.

    A horizontal flip moves the pixel (0, 5) of a picture 640 pixels wide to (639, 5).

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> from augcli.rng import Stream
        >>> Flip().draw(Frame(480, 640), Stream(1, "example"))
        FlipDraw(direction='horizontal')
    """

    name = "flip"
    paper = "none; as torchvision's RandomHorizontalFlip and RandomVerticalFlip"
    draw_type = FlipDraw

    direction: Annotated[
        Literal["horizontal", "vertical"],
        Param("What is swapped: horizontal (left and right) or vertical (top and bottom)."),
    ] = "horizontal"

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> FlipDraw:
        """Return the direction; nothing is drawn."""
        return FlipDraw(self.direction)

    def apply(self, images: tuple[Image, ...], draw: FlipDraw) -> Image:
        """Mirror the picture."""
        return pixels.mirror(images[0], draw.direction)

    def apply_to_mask(self, mask: Mask, draw: FlipDraw) -> Mask:
        """Mirror a mask."""
        return pixels.mirror(mask, draw.direction)
