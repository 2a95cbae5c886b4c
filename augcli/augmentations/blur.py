"""Blur: every picture is blurred by a Gaussian of random width.

Source: none; the task of ``torchvision.transforms.GaussianBlur``.

Differs from torchvision's in:

- The kernel always reaches to 3 sigma; in torchvision its side is an option.
- Sigma is a whole number of hundredths of a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from augcli import pixels
from augcli.augmentations.base import Augmentation, Draw
from augcli.augmentations.ranges import Range, parse_sigmas, range_option

if TYPE_CHECKING:
    from augcli.pixels.frame import Frame, HeatMap, Image
    from augcli.rng import Stream


@dataclass(frozen=True)
class BlurDraw(Draw):
    """Standard deviation in 1/100 pixels."""

    sigma: int


@dataclass(frozen=True, kw_only=True)
class Blur(Augmentation[BlurDraw]):
    """Blur each picture by a Gaussian of random width.

    With ``sigma="0.1..2"`` the standard deviation is one of the 191 from 0.10 to 2.00 pixels,
    each equally likely. At 1.00 a single white pixel keeps 16% of its brightness, and the rest
    is spread over 7 x 7 pixels.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> from augcli.rng import Stream
        >>> Blur(sigma=(0.1, 2.0)).draw(Frame(480, 640), Stream(1, "example"))
        BlurDraw(sigma=80)
    """

    name = "blur"
    paper = "none; as torchvision's GaussianBlur"
    draw_type = BlurDraw

    sigma: Annotated[
        tuple[float, float],
        range_option("Standard deviation in pixels, drawn uniformly.", parse_sigmas),
    ] = Range(0.1, 2.0)

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> BlurDraw:
        """Draw the standard deviation."""
        low, high = (round(limit * 100) for limit in self.sigma)
        return BlurDraw(Range(low, high).integer(stream))

    def apply(self, images: tuple[Image, ...], draw: BlurDraw) -> Image:
        """Blur the picture."""
        return pixels.blur(images[0], draw.sigma)
