"""Colour: brightness, contrast and saturation of every picture are changed at random.

Source: none; the definitions of Pillow's ``ImageEnhance`` and the law of
``torchvision.transforms.ColorJitter``.

Differs from them in:

- The order is always brightness, contrast, saturation; ColorJitter draws it.
- Values are rounded to the nearest; Pillow and torchvision cut the fraction off.
- There is no hue.
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

    Each factor is uniform over 1 - a … 1 + a in steps of 0.001. With 0.2 a value of 100 is
    between 80 and 120 after the brightness, then moves by up to a fifth of its distance to the
    picture's mean grey, then by up to a fifth of that to its own pixel's grey.

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
        """Decide the factors."""
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
