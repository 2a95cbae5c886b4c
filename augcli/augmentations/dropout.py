"""Dropout on pixels: each pixel, or each of its values, is dropped on its own.

Source: Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov 2014, "Dropout: A Simple Way
to Prevent Neural Networks from Overfitting" (JMLR 15, 1929-1958); here on the input layer.

Differs from the paper in:

- What is kept is not divided by the keep probability unless asked for: 8-bit values would
  clip, and the mean colour as the fill keeps the mean brightness without it.
- A unit is a whole pixel by default; ``per_channel`` drops single values, as the paper does.
- The fill is the data set's mean colour by default, which is what the paper's zero is for
  inputs that were normalised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from augcli import pixels
from augcli.augmentations.base import Augmentation, Draw
from augcli.augmentations.chance import bernoulli_mask
from augcli.augmentations.fill import FILL, DrawnFill, draw_fill, fill_pixels
from augcli.params import Param
from augcli.pixels.frame import Frame
from augcli.rng import Stream

if TYPE_CHECKING:
    from augcli.pixels.frame import HeatMap, Image, Mask


@dataclass(frozen=True)
class DropoutDraw(Draw):
    """The seed of the pixels that are dropped, and how."""

    seed: int
    drop: float
    per_channel: bool
    rescale: bool
    fill: DrawnFill

    def mask(self, frame: Frame) -> Mask:
        """Return uint8 (H, W), or (H, W, 3) where values are dropped: 1 where dropped."""
        shape = (*frame, 3) if self.per_channel else tuple(frame)
        return bernoulli_mask(Stream("dropout", self.seed), self.drop, shape)


@dataclass(frozen=True, kw_only=True)
class Dropout(Augmentation[DropoutDraw]):
    """Drop single pixels, each by chance.

    They show the fill; the label stays.

    On 32 x 48 pixels a drop of 0.1 replaces 154 of the 1,536 pixels on average, give or take
    12.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> dropout = Dropout(drop=0.1, fill="black")
        >>> draw = dropout.draw(Frame(32, 48), Stream(1, "example"))
        >>> draw.seed, int(draw.mask(Frame(32, 48)).sum())
        (1588983967, 162)
    """

    name = "dropout"
    paper = "Srivastava et al. 2014 (JMLR 15, 1929-1958)"
    draw_type = DropoutDraw

    drop: Annotated[float, Param("Probability that a pixel is dropped.", 0, 1)] = 0.1
    per_channel: Annotated[
        bool, Param("Drop red, green and blue values on their own, not whole pixels.")
    ] = False
    rescale: Annotated[
        bool,
        Param(
            "Divide what is kept by the keep probability, as the paper does; bright values clip."
        ),
    ] = False
    fill: Annotated[str, FILL] = "mean"

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> DropoutDraw:
        """Decide the seed of the pixels that are dropped."""
        seed = stream.integer(2**32)
        fill = draw_fill(self.fill, stream)
        return DropoutDraw(seed, self.drop, self.per_channel, self.rescale, fill)

    def apply(self, images: tuple[Image, ...], draw: DropoutDraw) -> Image:
        """Fill the pixels."""
        image = images[0]
        fill = fill_pixels(draw.fill, image)
        kept = image
        if draw.rescale and draw.drop < 1:
            kept = pixels.divide_values(image, 1 - draw.drop)
        return pixels.fill_mask(kept, draw.mask(Frame.of(image)), fill)

    def remark(self, draw: DropoutDraw, frame: Frame) -> str | None:
        """Say where nothing is dropped."""
        # Above 50 expected pixels, none at all has a chance below 2**-72.
        expected = draw.drop * frame.height * frame.width
        if expected < 50 and not draw.mask(frame).any():
            return "nothing is dropped"
        return None
