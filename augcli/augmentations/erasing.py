"""Random Erasing: one rectangle of random area and aspect is replaced by a fill.

Source: Zhong, Zheng, Kang, Li & Yang 2020, "Random Erasing Data Augmentation" (arXiv
1708.04896). Reference code: zhunzhong07/Random-Erasing, ``transforms.py``; the default law is
that of ``torchvision.transforms.RandomErasing``.

Differs from them in:

- A rectangle that does not fit is drawn again up to 100 times, as in the paper; torchvision
  stops after 10 and the reference code after one, and neither reports it.
- A rectangle has at least one pixel; both may round a side to 0.
- Every picture is erased. The paper's probability of 0.5 is the option ``prob`` of a run.
- The fill is noise by default, the paper's best; torchvision's default is zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from augcli import pixels
from augcli.augmentations.base import Augmentation, Draw
from augcli.augmentations.fill import FILL, DrawnFill, draw_fill, fill_pixels
from augcli.augmentations.ranges import Range, parse_quotients, parse_shares, range_option
from augcli.params import Param

if TYPE_CHECKING:
    from augcli.pixels.frame import Box, Frame, HeatMap, Image, Mask
    from augcli.rng import Stream

TRIES = 100
LAWS = {
    "torchvision": (Range(0.02, 0.33), Range(0.3, 3.3)),
    "paper": (Range(0.02, 0.4), Range(0.3, 1 / 0.3)),
}
"""Default ranges of area and aspect for each law."""


@dataclass(frozen=True)
class ErasingDraw(Draw):
    """The rectangle (none if none fits) and its fill."""

    boxes: tuple[Box, ...]
    fill: DrawnFill


@dataclass(frozen=True, kw_only=True)
class Erasing(Augmentation[ErasingDraw]):
    """Drop one rectangle of random size and shape.

    The rectangle shows the fill, by default noise. The label does not change.

    On 32 x 48 pixels the rectangle has 2% to 33% of the picture's 1,536 pixels, 31 to 507. It
    is at most 3.3 times as wide as high, and at most 3.3 times as high as wide.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> from augcli.rng import Stream
        >>> Erasing(fill="black").draw(Frame(32, 48), Stream(1, "example"))
        ErasingDraw(boxes=((36, 6, 45, 30),), fill=(0, 0, 0))
    """

    name = "erasing"
    paper = "Zhong et al. 2020 (arXiv 1708.04896)"
    draw_type = ErasingDraw

    area: Annotated[
        tuple[float, float] | None,
        range_option(
            "Share of the image's area, drawn uniformly; if left out 0.02..0.33, or 0.02..0.4 "
            "with `law` paper.",
            parse_shares,
        ),
    ] = None
    aspect: Annotated[
        tuple[float, float] | None,
        range_option(
            "Height divided by width; if left out 0.3..3.3, or 0.3..3.33 with `law` paper.",
            parse_quotients,
        ),
    ] = None
    law: Annotated[
        Literal["torchvision", "paper"],
        Param(
            "How the aspect is drawn: torchvision (its logarithm uniformly: as often wide as "
            "high) or paper (uniformly: three of four are higher than wide)."
        ),
    ] = "torchvision"
    fill: Annotated[str, FILL] = "noise"

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> ErasingDraw:
        """Draw the rectangle."""
        boxes: tuple[Box, ...] = ()
        for _ in range(TRIES):
            height, width = self._sides(frame, stream)
            if 0 < height < frame.height and 0 < width < frame.width:
                top = stream.integer(frame.height - height + 1)
                left = stream.integer(frame.width - width + 1)
                boxes = ((left, top, left + width, top + height),)
                break
        return ErasingDraw(boxes, draw_fill(self.fill, stream))

    def apply(self, images: tuple[Image, ...], draw: ErasingDraw) -> Image:
        """Fill the rectangle."""
        return pixels.fill_boxes(images[0], draw.boxes, fill_pixels(draw.fill, images[0]))

    def mask(self, draw: ErasingDraw, frame: Frame) -> Mask:
        """Return the mask uint8 (H, W): 1 in the rectangle."""
        return pixels.boxes_mask(draw.boxes, frame)

    def apply_over(self, images: tuple[Image, ...], draw: ErasingDraw) -> Image:
        """Fill the boxes of the image itself."""
        image = images[0]
        return pixels.fill_boxes(image, draw.boxes, fill_pixels(draw.fill, image), over=True)

    def remark(self, draw: ErasingDraw, frame: Frame) -> str | None:
        """Report that no rectangle fits."""
        return None if draw.boxes else "no rectangle fits"

    def _sides(self, frame: Frame, stream: Stream) -> tuple[int, int]:
        """Draw a height and a width, which may be too large for the picture."""
        areas, aspects = LAWS[self.law]
        area = Range(*(self.area or areas)).uniform(stream) * frame.height * frame.width
        allowed = Range(*(self.aspect or aspects))
        aspect = allowed.uniform(stream) if self.law == "paper" else allowed.log_uniform(stream)
        return round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
