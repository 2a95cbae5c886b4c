"""Dropout on pixels: each pixel, or each of its values, is dropped independently.

Source: Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov 2014, "Dropout: A Simple Way
to Prevent Neural Networks from Overfitting" (JMLR 15, 1929-1958); here on the input layer.

Differs from the paper in:

- Kept values are divided by the keep probability only with ``rescale``: 8-bit values would
  clip, and with the mean colour as the fill the mean brightness stays the same without it.
- A unit is a whole pixel by default; ``per_channel`` drops single values, as the paper does.
- The fill is the data set's mean colour by default; the paper's zero is the mean colour of
  normalised inputs.
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
    """The seed of the dropped pixels, the options that made them, and the fill."""

    seed: int
    drop: float
    per_channel: bool
    rescale: bool
    fill: DrawnFill

    def mask(self, frame: Frame) -> Mask:
        """Return uint8 (H, W), or (H, W, 3) if single values are dropped: 1 where dropped."""
        shape = (*frame, 3) if self.per_channel else tuple(frame)
        return bernoulli_mask(Stream("dropout", self.seed), self.drop, shape)


@dataclass(frozen=True, kw_only=True)
class Dropout(Augmentation[DropoutDraw]):
    """Drop single pixels at random.

    Dropped pixels show the fill. The label does not change.

    On 32 x 48 pixels a drop of 0.1 replaces 154 of the 1,536 pixels on average, with a standard
    deviation of 12.

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
        bool, Param("Drop red, green and blue values independently, not whole pixels.")
    ] = False
    rescale: Annotated[
        bool,
        Param("Divide kept values by the keep probability, as the paper does; bright values clip."),
    ] = False
    fill: Annotated[str, FILL] = "mean"

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> DropoutDraw:
        """Draw the seed of the dropped pixels."""
        seed = stream.integer(2**32)
        fill = draw_fill(self.fill, stream)
        return DropoutDraw(seed, self.drop, self.per_channel, self.rescale, fill)

    def apply(self, images: tuple[Image, ...], draw: DropoutDraw) -> Image:
        """Fill the pixels."""
        image = images[0]
        fill = fill_pixels(draw.fill, image)
        if draw.rescale and draw.drop < 1:
            image = pixels.divide_values(image, 1 - draw.drop)
        return pixels.fill_mask(image, draw.mask(Frame.of(image)), fill)

    def mask(self, draw: DropoutDraw, frame: Frame) -> Mask | None:
        """Return the mask uint8 (H, W): 1 where dropped; None where single values are dropped."""
        return None if draw.per_channel else draw.mask(frame)

    def remark(self, draw: DropoutDraw, frame: Frame) -> str | None:
        """Report that nothing is dropped."""
        # With 50 expected pixels or more, the probability of none is below 2**-72.
        expected = draw.drop * frame.height * frame.width
        if expected < 50 and not draw.mask(frame).any():
            return "nothing is dropped"
        return None
