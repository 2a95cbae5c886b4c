"""GridMask: a lattice of squares is dropped, and the stripes between them are kept.

Source: Chen, Liu, Zhao & Jia 2020, "GridMask Data Augmentation" (arXiv 2001.04086). Reference
code: dvlab-research/GridMask, ``imagenet_grid/utils/grid.py``, with ``mode`` 1.

Differs from the reference code in:

- Its default ``mode`` 0 drops the stripes; the paper, and all of its runs, drop the squares.
- A turned lattice fills any picture. The reference cuts the mask out of one of 1.5 times the
  picture's size, which does not reach the ends of a long picture.
- A stripe is at least one pixel wide, and so is a square.
- The default unit is a share of the shorter side: 0.43 to 1 is the paper's 96 to 224 pixels
  on pictures of 224. Turning is off by default; the paper's ImageNet runs use 360.
- The probability does not rise over epochs, because there are no epochs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from augcli import pixels
from augcli.augmentations.base import Augmentation, Draw
from augcli.augmentations.fill import FILL, DrawnFill, draw_fill, fill_pixels
from augcli.augmentations.ranges import Range, parse_units, range_option
from augcli.params import Param
from augcli.pixels.frame import Frame

if TYPE_CHECKING:
    from augcli.pixels.frame import HeatMap, Image, Mask
    from augcli.rng import Stream

SMALLEST_UNIT = 2
"""A stripe of one pixel and a square of one pixel."""


@dataclass(frozen=True)
class GridMaskDraw(Draw):
    """The lattice and its fill.

    Attributes:
        unit: Edge of a unit in pixels.
        kept: Width of the kept stripe in each unit in pixels.
        offset: (x, y) of the lattice in pixels.
        angle: Turn in degrees, anticlockwise.
        fill: What the squares show.
    """

    unit: int
    kept: int
    offset: tuple[int, int]
    angle: int
    fill: DrawnFill

    def mask(self, frame: Frame) -> Mask:
        """Return uint8 (H, W): 1 where the picture is dropped."""
        return pixels.lattice_mask(frame, self.unit, self.kept, self.offset, self.angle)


@dataclass(frozen=True, kw_only=True)
class GridMask(Augmentation[GridMaskDraw]):
    """Drop a lattice of squares and keep the stripes.

    The squares show the fill. The label does not change.

    A ratio of 0.6 and a unit of 10 pixels drop squares of 4 x 4, which is 16% of the picture.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> from augcli.rng import Stream
        >>> GridMask(unit=(10, 20), fill="black").draw(Frame(32, 48), Stream(1, "example"))
        GridMaskDraw(unit=13, kept=8, offset=(12, 8), angle=0, fill=(0, 0, 0))
    """

    name = "gridmask"
    paper = "Chen et al. 2020 (arXiv 2001.04086)"
    draw_type = GridMaskDraw

    unit: Annotated[
        tuple[float, float],
        range_option(
            "Unit of the lattice, drawn from low to high - 1: in pixels, or as shares of the "
            "image's shorter side if low is below 1.",
            parse_units,
        ),
    ] = Range(0.43, 1)
    ratio: Annotated[
        float, Param("Share of a unit's edge that is kept; 1 - (1 - ratio)² is kept in all.", 0, 1)
    ] = 0.6
    rotate: Annotated[
        int,
        Param("Turn by a random angle of 0 to ROTATE - 1 degrees; 0 does not turn.", 0, 360),
    ] = 0
    fill: Annotated[str, FILL] = "mean"

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> GridMaskDraw:
        """Draw the lattice."""
        low, high = self._units(frame)
        unit = low + stream.integer(max(1, high - low))
        kept = min(max(int(self.ratio * unit + 0.5), 1), unit - 1)
        offset = (stream.integer(unit), stream.integer(unit))
        angle = stream.integer(max(1, self.rotate))
        return GridMaskDraw(unit, kept, offset, angle, draw_fill(self.fill, stream))

    def apply(self, images: tuple[Image, ...], draw: GridMaskDraw) -> Image:
        """Fill the squares."""
        image = images[0]
        mask = self.mask(draw, Frame.of(image))
        return pixels.fill_mask(image, mask, fill_pixels(draw.fill, image))

    def mask(self, draw: GridMaskDraw, frame: Frame) -> Mask:
        """Return the mask uint8 (H, W): 1 in the squares."""
        return draw.mask(frame)

    def remark(self, draw: GridMaskDraw, frame: Frame) -> str | None:
        """Report that the picture lies in one stripe or in one square."""
        # A circle of this diameter always holds a whole unit, at any offset and angle.
        if min(frame) >= 3 * draw.unit:
            return None
        dropped, total = pixels.count_mask(draw.mask(frame))
        if dropped == 0:
            return "nothing is dropped"
        return "the whole image is dropped" if dropped == total else None

    def _units(self, frame: Frame) -> tuple[int, int]:
        """Return the range of the unit in pixels, half-open."""
        low, high = self.unit
        if low >= 1:
            return int(low), int(high)
        shorter = min(frame)
        return max(SMALLEST_UNIT, round(low * shorter)), round(high * shorter)
