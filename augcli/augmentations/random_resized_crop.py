"""Random resized crop: a box of random area and aspect is cut out and gets one size.

Source: Szegedy et al. 2015, "Going Deeper with Convolutions" (arXiv 1409.4842), section 6; the
law is that of ``torchvision.transforms.RandomResizedCrop``.

Differs from torchvision's in:

- The interpolation is an area average where neither side grows, else bilinear.
- The centre crop where nothing fits has at least one pixel; torchvision's may have none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Annotated, Any

from augcli import pixels
from augcli.augmentations.base import Augmentation, Draw
from augcli.augmentations.sides import Range, parse_range, parse_shares
from augcli.augmentations.size import SIZE, size_frame
from augcli.params import Param
from augcli.pixels.frame import Frame

if TYPE_CHECKING:
    from augcli.pixels.frame import Box, HeatMap, Image, Mask
    from augcli.rng import Stream

TRIES = 10
_EXACT = Context(prec=30)
"""Decimal rounds exponentials and logarithms correctly; those of C libraries differ."""


def parse_ratios(found: Any) -> Range:
    """Return a range of quotients of width and height.

    Raises:
        ValueError: It is something else.

    Example:
        >>> print(parse_ratios("0.75,1.33333"))
        0.75,1.33333
    """
    return parse_range(found, "must be two quotients, the lower first, such as 0.75,1.33333")


@dataclass(frozen=True)
class CropDraw(Draw):
    """Which box is cut out, and width and height of the result."""

    box: Box
    size: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class RandomResizedCrop(Augmentation[CropDraw]):
    """Cut a random box out of each picture and give it one size.

    By default the box has 8% to 100% of the area, 24,576 to 307,200 of the pixels of a picture
    of 640 x 480, and is at most a third wider than high or higher than wide. After 10 boxes
    that don't fit it is the largest allowed one in the middle.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> from augcli.rng import Stream
        >>> crop = RandomResizedCrop(size="64x64")
        >>> crop.draw(Frame(480, 640), Stream(1, "example"))
        CropDraw(box=(213, 112, 621, 429), size=(64, 64))
    """

    name = "random-resized-crop"
    paper = "Szegedy et al. 2015 (arXiv 1409.4842), as torchvision's RandomResizedCrop"
    draw_type = CropDraw

    size: Annotated[str, SIZE] = "224x224"
    scale: Annotated[
        tuple[float, float],
        Param(
            "Share of the picture's area that is kept, drawn uniformly.",
            parse=parse_shares,
            metavar="LOW,HIGH",
        ),
    ] = Range(0.08, 1.0)
    ratio: Annotated[
        tuple[float, float],
        Param(
            "Width divided by height of the box, drawn uniformly in its logarithm.",
            parse=parse_ratios,
            metavar="LOW,HIGH",
        ),
    ] = Range(0.75, 1.33333)

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> CropDraw:
        """Decide which box is cut out."""
        wanted = size_frame(self.size)
        size = (wanted.width, wanted.height)
        for _ in range(TRIES):
            width, height = self._sides(frame, stream)
            if 0 < width <= frame.width and 0 < height <= frame.height:
                top = stream.integer(frame.height - height + 1)
                left = stream.integer(frame.width - width + 1)
                return CropDraw((left, top, left + width, top + height), size)
        return CropDraw(self._central(frame), size)

    def apply(self, images: tuple[Image, ...], draw: CropDraw) -> Image:
        """Cut out and resize the picture."""
        width, height = draw.size
        return pixels.crop_resized(images[0], draw.box, Frame(height, width))

    def apply_to_mask(self, mask: Mask, draw: CropDraw) -> Mask:
        """Cut out and resize a mask by the nearest neighbour."""
        width, height = draw.size
        return pixels.crop_resized_mask(mask, draw.box, Frame(height, width))

    def _sides(self, frame: Frame, stream: Stream) -> tuple[int, int]:
        """Draw a width and a height, which need not fit."""
        low, high = self.scale
        area = (low + (high - low) * stream.uniform()) * frame.height * frame.width
        start, end = (_EXACT.ln(Decimal(limit)) for limit in self.ratio)
        way = _EXACT.multiply(_EXACT.subtract(end, start), Decimal(stream.uniform()))
        ratio = float(_EXACT.exp(_EXACT.add(start, way)))
        return round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))

    def _central(self, frame: Frame) -> Box:
        """Return the largest box in the middle whose aspect is allowed."""
        low, high = self.ratio
        height, width = frame
        if width / height < low:
            height = max(1, round(width / low))
        elif width / height > high:
            width = max(1, round(height * high))
        left, top = (frame.width - width) // 2, (frame.height - height) // 2
        return (left, top, left + width, top + height)
