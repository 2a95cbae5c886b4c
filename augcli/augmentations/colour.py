"""Colour: brightness, contrast and saturation of every picture are changed at random.

Source: none; the definitions are Pillow's (``ImageEnhance``), the distribution is that of
``torchvision.transforms.ColorJitter``.

Differs from them in:

- The order is always brightness, contrast, saturation; ColorJitter draws the order.
- Values are rounded to the nearest; Pillow and torchvision cut the fraction off.
- The hue is not changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from augcli import pixels
from augcli.augmentations.base import Augmentation, Draw
from augcli.params import Param

if TYPE_CHECKING:
    from augcli.pixels.frame import Frame, HeatMap, Image
    from augcli.rng import Stream


@dataclass(frozen=True)
class ColourDraw(Draw):
    """The three factors in 1/1,000."""

    brightness: int
    contrast: int
    saturation: int


@dataclass(frozen=True, kw_only=True)
class Colour(Augmentation[ColourDraw]):
    """Change brightness, contrast and saturation of each picture at random.

    Each factor is drawn uniformly from 1 - a … 1 + a in steps of 0.001, where a is the option.
    With 0.2 a value of 100 becomes 80 to 120 by brightness. Then it moves by up to a fifth of
    its distance to the picture's mean grey (contrast), and by up to a fifth of its distance to
    its own pixel's grey (saturation).

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> from augcli.rng import Stream
        >>> Colour().draw(Frame(480, 640), Stream(1, "example"))
        ColourDraw(brightness=948, contrast=1175, saturation=1073)
    """

    name = "colour"
    paper = "none; as torchvision's ColorJitter"
    draw_type = ColourDraw

    brightness: Annotated[
        float, Param("Largest change of the factor that scales all values.", 0, 1)
    ] = 0.2
    contrast: Annotated[
        float, Param("Largest change of the factor of the distance to the mean grey.", 0, 1)
    ] = 0.2
    saturation: Annotated[
        float, Param("Largest change of the factor of the distance to the pixel's grey.", 0, 1)
    ] = 0.2

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> ColourDraw:
        """Draw the factors."""
        return ColourDraw(
            brightness=_factor(self.brightness, stream),
            contrast=_factor(self.contrast, stream),
            saturation=_factor(self.saturation, stream),
        )

    def apply(self, images: tuple[Image, ...], draw: ColourDraw) -> Image:
        """Change the picture's colours."""
        brighter = pixels.change_brightness(images[0], draw.brightness)
        steeper = pixels.change_contrast(brighter, draw.contrast)
        return pixels.change_saturation(steeper, draw.saturation)


def _factor(amplitude: float, stream: Stream) -> int:
    """Draw a factor in 1/1,000."""
    largest = round(amplitude * 1000)
    return 1000 - largest + stream.integer(2 * largest + 1)
