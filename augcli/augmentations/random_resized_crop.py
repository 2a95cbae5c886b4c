"""Random resized crop: a box of random area and aspect is cut out and resized to one size.

Source: Szegedy et al. 2015, "Going Deeper with Convolutions" (arXiv 1409.4842), section 6; the
law is that of ``torchvision.transforms.RandomResizedCrop``.

Differs from torchvision's in:

- The interpolation is an area average where neither side grows, else bilinear.
- If no box fits, the crop in the centre has at least one pixel; torchvision's may have none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from augcli import pixels
from augcli.augmentations.base import Augmentation, Draw
from augcli.augmentations.ranges import Range, parse_quotients, parse_shares, range_option
from augcli.augmentations.size import SIZE, size_frame
from augcli.pixels.frame import Frame

if TYPE_CHECKING:
    from augcli.pixels.frame import Box, HeatMap, Image, Mask
    from augcli.rng import Stream

TRIES = 10


@dataclass(frozen=True)
class CropDraw(Draw):
    """The box that is cut out, and the result's (width, height)."""

    box: Box
    size: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class RandomResizedCrop(Augmentation[CropDraw]):
    """Cut a random box out of each picture and resize it to one size.

    By default the box has 8% to 100% of the area (24,576 to 307,200 pixels of a picture of
    640 x 480) and is at most a third wider than high or higher than wide. After 10 boxes that
    don't fit, the largest allowed box in the centre is taken.

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
        range_option("Share of the picture's area that is kept, drawn uniformly.", parse_shares),
    ] = Range(0.08, 1.0)
    ratio: Annotated[
        tuple[float, float],
        range_option(
            "Width divided by height of the box; its logarithm is drawn uniformly.",
            parse_quotients,
        ),
    ] = Range(0.75, 1.33333)

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> CropDraw:
        """Draw the box."""
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
        """Cut out the box and resize it."""
        width, height = draw.size
        return pixels.crop_resized(images[0], draw.box, Frame(height, width))

    def apply_to_mask(self, mask: Mask, draw: CropDraw) -> Mask:
        """Cut out the box of a mask and resize it by the nearest neighbour."""
        width, height = draw.size
        return pixels.crop_resized_mask(mask, draw.box, Frame(height, width))

    def _sides(self, frame: Frame, stream: Stream) -> tuple[int, int]:
        """Draw a width and a height, which may be too large for the picture."""
        area = Range(*self.scale).uniform(stream) * frame.height * frame.width
        ratio = Range(*self.ratio).log_uniform(stream)
        return round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))

    def _central(self, frame: Frame) -> Box:
        """Return the largest box in the centre whose aspect is allowed."""
        low, high = self.ratio
        height, width = frame
        if width / height < low:
            height = max(1, round(width / low))
        elif width / height > high:
            width = max(1, round(height * high))
        left, top = (frame.width - width) // 2, (frame.height - height) // 2
        return (left, top, left + width, top + height)
