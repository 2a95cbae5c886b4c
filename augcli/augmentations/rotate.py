"""Rotate: every picture is turned about its centre by a random angle, in its own size.

Source: none; does what ``torchvision.transforms.RandomRotation`` does.

Differs from torchvision's in:

- The angle is a whole number of hundredths of a degree.
- The corners show the mirrored picture by default; torchvision's are black.
- A fill is not blended with the picture: each pixel belongs either to the picture or to the
  fill.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from augcli import pixels
from augcli.augmentations.base import Augmentation, Draw
from augcli.augmentations.fill import FILL, DrawnFill, draw_fill, fill_pixels
from augcli.errors import UnreadableImage
from augcli.params import Param

if TYPE_CHECKING:
    from augcli.pixels.frame import Frame, HeatMap, Image, Mask
    from augcli.rng import Stream

_CORNERS = dataclasses.replace(
    FILL,
    help="With `border` fill, what the corners show: mean (the data set's mean colour), "
    "image-mean (the image's own mean colour), black, white, noise or #rrggbb.",
)


@dataclass(frozen=True)
class RotateDraw(Draw):
    """The angle and the fill.

    Attributes:
        angle: Hundredths of a degree, anticlockwise.
        fill: What the corners show; None for the mirrored picture.
    """

    angle: int
    fill: DrawnFill | None


@dataclass(frozen=True, kw_only=True)
class Rotate(Augmentation[RotateDraw]):
    """Turn each picture about its centre by a random angle.

    With ``degrees=15`` the angle is one of the 3,001 from -15.00 to 15.00 degrees, each
    equally likely; positive angles turn anticlockwise. The size does not change; the corners
    show the picture mirrored at its border, or a fill.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> from augcli.rng import Stream
        >>> Rotate(degrees=15).draw(Frame(480, 640), Stream(1, "example"))
        RotateDraw(angle=-390, fill=None)
    """

    name = "rotate"
    paper = "none; as torchvision's RandomRotation"
    draw_type = RotateDraw

    degrees: Annotated[float, Param("Largest angle to either side.", 0, 180, "degrees")] = 15.0
    border: Annotated[
        Literal["reflect", "fill"],
        Param("What the corners show: reflect (the mirrored picture) or fill."),
    ] = "reflect"
    fill: Annotated[str, _CORNERS] = "mean"

    @property
    def needs_mean_colour(self) -> bool:
        """Whether :meth:`with_mean_colour` must be called before :meth:`draw`."""
        return self.border == "fill" and self.fill == "mean"

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> RotateDraw:
        """Draw the angle."""
        if max(frame) > pixels.LONGEST_ROTATED:
            raise UnreadableImage(
                f"is {frame.width} x {frame.height} pixels, but rotating takes at most "
                f"{pixels.LONGEST_ROTATED} to a side"
            )
        largest = round(self.degrees * 100)
        angle = stream.integer(2 * largest + 1) - largest
        return RotateDraw(angle, draw_fill(self.fill, stream) if self.border == "fill" else None)

    def apply(self, images: tuple[Image, ...], draw: RotateDraw) -> Image:
        """Turn the picture."""
        fill = None if draw.fill is None else fill_pixels(draw.fill, images[0])
        return pixels.rotate(images[0], draw.angle, fill)

    def apply_to_mask(self, mask: Mask, draw: RotateDraw) -> Mask:
        """Turn a mask by the nearest neighbour; it is 0 where a fill shows."""
        return pixels.rotate_mask(mask, draw.angle, mirrors=draw.fill is None)
