"""DropBlock on pixels: squares whose upper left corners are drawn at random are dropped.

Source: Ghiasi, Lin & Le 2018, "DropBlock: A regularization method for convolutional networks"
(arXiv 1810.12890); here on the picture, with one mask for all channels.

Differs from the paper in:

- Kept pixels are not scaled up: 8-bit values would clip.
- The linear schedule runs over an image's copies, because there are no training steps.
- A picture need not be a square: in gamma, H x W takes the place of the squared side.
- The fill is the data set's mean colour by default; in the paper it is zero.

As in the paper, blocks may overlap, so a little less than 1 - keep is dropped.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Literal

from augcli import pixels
from augcli.augmentations.base import Augmentation, Draw
from augcli.augmentations.chance import bernoulli_mask
from augcli.augmentations.fill import FILL, DrawnFill, draw_fill, fill_pixels
from augcli.augmentations.sides import parse_side, side_pixels
from augcli.params import Param
from augcli.pixels.frame import Frame
from augcli.rng import Stream

if TYPE_CHECKING:
    from typing import Self

    from augcli.pixels.frame import HeatMap, Image, Mask


@dataclass(frozen=True)
class DropBlockDraw(Draw):
    """The seed of the blocks, their side in pixels, the share to keep, and the fill."""

    seed: int
    block: int
    keep: float
    fill: DrawnFill

    def gamma(self, frame: Frame) -> Fraction:
        """Return the probability that a block starts at a pixel, as the paper defines it."""
        places = (frame.height - self.block + 1) * (frame.width - self.block + 1)
        share = Fraction(frame.height * frame.width, self.block**2 * places)
        return (1 - Fraction(self.keep)) * share

    def seeds(self, frame: Frame) -> Mask:
        """Return uint8 (H - block + 1, W - block + 1): 1 where a block starts."""
        shape = (frame.height - self.block + 1, frame.width - self.block + 1)
        return bernoulli_mask(Stream("dropblock", self.seed), self.gamma(frame), shape)


@dataclass(frozen=True, kw_only=True)
class DropBlock(Augmentation[DropBlockDraw]):
    """Drop square blocks at random places.

    The blocks show the fill. The label does not change.

    On 224 x 224 pixels, blocks of 32 and a keep of 0.9 replace 9.4% of the pixels on average,
    not 10%, because blocks overlap.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> from augcli.rng import Stream
        >>> draw = DropBlock(block=7, fill="black").draw(Frame(32, 48), Stream(1, "example"))
        >>> draw
        DropBlockDraw(seed=1588983967, block=7, keep=0.9, fill=(0, 0, 0))
        >>> round(float(draw.gamma(Frame(32, 48))), 6)
        0.002871
    """

    name = "dropblock"
    paper = "Ghiasi et al. 2018 (arXiv 1810.12890)"
    draw_type = DropBlockDraw

    block: Annotated[
        int | float,
        Param(
            "Side of the square blocks, in pixels, or as a share of the image's shorter side "
            "if below 1; at most the shorter side.",
            parse=parse_side,
            metavar="PIXELS|0.SHARE",
        ),
    ] = 7
    keep: Annotated[float, Param("Share of pixels to keep, if blocks did not overlap.", 0, 1)] = 0.9
    schedule: Annotated[
        Literal["constant", "linear"],
        Param(
            "With linear, the share falls from 1 at an image's first copy to `keep` at its last."
        ),
    ] = "constant"
    fill: Annotated[str, FILL] = "mean"

    def for_copy(self, copy: int, copies: int) -> Self:
        """Return the augmentation with the ``keep`` of one copy."""
        if self.schedule == "constant" or copies == 1:
            return self
        return dataclasses.replace(self, keep=1 - (1 - self.keep) * copy / (copies - 1))

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> DropBlockDraw:
        """Draw the seed of the blocks."""
        seed = stream.integer(2**32)
        block = min(side_pixels(self.block, frame), *frame)
        return DropBlockDraw(seed, block, self.keep, draw_fill(self.fill, stream))

    def apply(self, images: tuple[Image, ...], draw: DropBlockDraw) -> Image:
        """Fill the blocks."""
        image = images[0]
        mask = self.mask(draw, Frame.of(image))
        return pixels.fill_mask(image, mask, fill_pixels(draw.fill, image))

    def mask(self, draw: DropBlockDraw, frame: Frame) -> Mask:
        """Return the mask uint8 (H, W): 1 in the blocks."""
        return pixels.grow_blocks(draw.seeds(frame), draw.block)

    def remark(self, draw: DropBlockDraw, frame: Frame) -> str | None:
        """Report that a block is larger than the image, or that nothing is dropped."""
        if draw.block < side_pixels(self.block, frame):
            return "the block is larger than the image and was cut to its shorter side"
        # With 50 expected blocks or more, the probability of no block is below 2**-72.
        expected = (1 - draw.keep) * frame.height * frame.width / draw.block**2
        if expected < 50 and not draw.seeds(frame).any():
            return "nothing is dropped"
        return None
