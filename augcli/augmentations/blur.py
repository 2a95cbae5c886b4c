"""Blur: every picture is blurred by a Gaussian of random width.

Source: none; the task of ``torchvision.transforms.GaussianBlur``.

Differs from torchvision's in:

- The kernel reaches to 3 sigma, whatever sigma is; torchvision's side is an option.
- Sigma is a whole number of hundredths of a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from augcli import pixels
from augcli.augmentations.base import Augmentation, Draw
from augcli.augmentations.sides import Range, parse_range
from augcli.params import Param

if TYPE_CHECKING:
    from augcli.pixels.frame import Frame, HeatMap, Image
    from augcli.rng import Stream


def parse_sigmas(found: Any) -> Range:
    """Return a range of standard deviations in pixels, 0.01 to 100.

    Raises:
        ValueError: It is something else.

    Example:
        >>> print(parse_sigmas("0.1,2"))
        0.1,2
    """
    expected = "must be two numbers of 0.01 to 100 px, the lower first, such as 0.1,2.0"
    sigmas = parse_range(found, expected)
    if sigmas.low < 0.01 or sigmas.high > 100:
        raise ValueError(f"is {sigmas}, but {expected}")
    return sigmas


@dataclass(frozen=True)
class BlurDraw(Draw):
    """Standard deviation in 1/100 pixels."""

    sigma: int


@dataclass(frozen=True, kw_only=True)
class Blur(Augmentation[BlurDraw]):
    """Blur each picture by a Gaussian of random width.

    With ``sigma="0.1,2.0"`` the standard deviation is one of the 191 from 0.10 to 2.00 pixels,
    each as likely. With 1.00 a lone white pixel keeps 16% of its light, spread over 7 x 7.

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
        Param(
            "Standard deviation in pixels, drawn uniformly.", parse=parse_sigmas, metavar="LOW,HIGH"
        ),
    ] = Range(0.1, 2.0)

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> BlurDraw:
        """Decide how much is blurred."""
        low, high = (round(limit * 100) for limit in self.sigma)
        return BlurDraw(low + stream.integer(high - low + 1))

    def apply(self, images: tuple[Image, ...], draw: BlurDraw) -> Image:
        """Blur the picture."""
        return pixels.blur(images[0], draw.sigma)
