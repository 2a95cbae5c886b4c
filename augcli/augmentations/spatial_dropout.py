"""Spatial Dropout on colours: each colour channel is dropped as a whole.

Source: Tompson, Goroshin, Jain, LeCun & Bregler 2015, "Efficient Object Localization Using
Convolutional Networks" (arXiv 1411.4280); here the feature maps are red, green and blue.

Differs from the paper in:

- At least one channel is kept unless ``allow_empty``: with three channels instead of
  hundreds, all would be dropped too often. The distribution is the paper's, given that not
  all channels are dropped.
- Kept values are not divided by the keep probability: 8-bit values would clip.
- A grey picture is refused: its channels are equal, so it has no colour to drop.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated

from augcli import pixels
from augcli.augmentations.base import Augmentation, Draw
from augcli.augmentations.chance import happens
from augcli.augmentations.fill import FILL, DrawnFill, draw_fill, fill_pixels
from augcli.errors import UnreadableImage
from augcli.params import Param

if TYPE_CHECKING:
    from augcli.pixels.frame import Frame, HeatMap, Image
    from augcli.rng import Stream

CHANNELS = 3


@dataclass(frozen=True)
class SpatialDropoutDraw(Draw):
    """The dropped channels (0 red, 1 green, 2 blue) and their fill."""

    channels: tuple[int, ...]
    fill: DrawnFill


@dataclass(frozen=True, kw_only=True)
class SpatialDropout(Augmentation[SpatialDropoutDraw]):
    """Drop whole colour channels at random.

    A dropped channel shows that channel of the fill. The label does not change.

    With a drop of 0.2, 52% of the pictures do not change, 39% lose one channel and 10% lose
    two.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> from augcli.rng import Stream
        >>> dropout = SpatialDropout(drop=0.5, fill="black")
        >>> dropout.draw(Frame(32, 48), Stream(1, "example"))
        SpatialDropoutDraw(channels=(0,), fill=(0, 0, 0))
    """

    name = "spatial-dropout"
    paper = "Tompson et al. 2015 (arXiv 1411.4280)"
    draw_type = SpatialDropoutDraw

    drop: Annotated[float, Param("Probability that a colour channel is dropped.", 0, 1)] = 0.2
    allow_empty: Annotated[bool, Param("Allow that all three channels are dropped.")] = False
    fill: Annotated[str, FILL] = "mean"

    def draw(
        self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None
    ) -> SpatialDropoutDraw:
        """Draw the channels that are dropped."""
        channels: list[int] = []
        for channel in range(CHANNELS):
            if happens(stream, self._chance(channel, dropped=len(channels))):
                channels.append(channel)
        return SpatialDropoutDraw(tuple(channels), draw_fill(self.fill, stream))

    def apply(self, images: tuple[Image, ...], draw: SpatialDropoutDraw) -> Image:
        """Fill the channels.

        Raises:
            UnreadableImage: The picture is grey.
        """
        image = images[0]
        if pixels.is_grey(image):
            raise UnreadableImage("is grey, but spatial-dropout takes colour channels away")
        return pixels.fill_channels(image, draw.channels, fill_pixels(draw.fill, image))

    def remark(self, draw: SpatialDropoutDraw, frame: Frame) -> str | None:
        """Report that nothing or everything is dropped."""
        if not draw.channels:
            return "nothing is dropped"
        return "all channels are dropped" if len(draw.channels) == CHANNELS else None

    def _chance(self, channel: int, dropped: int) -> Fraction:
        """Return the probability that a channel is dropped, given the channels before it.

        If all before it are dropped and one must be kept, this is p (1 - p**m) / (1 -
        p**(m + 1)) with the m channels after it, here in a form that also holds for p = 1.
        Drawing again until one is kept would give the same distribution, but without a bound
        on the number of draws.
        """
        probability = Fraction(self.drop)
        if self.allow_empty or dropped < channel:
            return probability
        powers = [probability**power for power in range(CHANNELS - channel)]
        return probability * sum(powers[:-1]) / sum(powers)
