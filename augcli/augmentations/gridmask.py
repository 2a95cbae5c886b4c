"""GridMask: a lattice of squares is dropped, and the stripes between them are kept.

Source: Chen, Liu, Zhao & Jia 2020, "GridMask Data Augmentation" (arXiv 2001.04086). Reference
code: dvlab-research/GridMask, ``imagenet_grid/utils/grid.py``, with ``mode`` 1.

Differs from the reference code in:

- Its default ``mode`` 0 drops the stripes; the paper, and all of its runs, drop the squares.
- A turned lattice reaches all corners of any picture. There the mask is cut out of one of 1.5
  times the picture's size, which does not reach the ends of a long one.
- A stripe is at least one pixel wide, and so is a square.
- The unit's default is a share of the shorter side: 0.43 to 1 is the paper's 96 to 224 pixels
  on pictures of 224. A turn is off by default; the paper's ImageNet runs have 360.
- The probability does not rise over epochs, because there are none here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from augcli import pixels
from augcli.augmentations.base import Augmentation, Draw
from augcli.augmentations.fill import FILL, DrawnFill, draw_fill, fill_pixels
from augcli.augmentations.sides import Range, parse_units
from augcli.params import Param
from augcli.pixels.frame import Frame

if TYPE_CHECKING:
    from augcli.pixels.frame import HeatMap, Image, Mask
    from augcli.rng import Stream

SMALLEST_UNIT = 2
"""One pixel of stripe and one of square."""


@dataclass(frozen=True)
class GridMaskDraw(Draw):
    """The lattice: its unit, the kept stripe in it, its place and turn, and the fill."""

    unit: int
    kept: int
    offset: tuple[int, int]
    angle: int
    fill: DrawnFill

    def mask(self, frame: Frame) -> Mask:
        """Return uint8 (H, W): 1 where dropped."""
        return pixels.lattice_mask(frame, self.unit, self.kept, self.offset, self.angle)


@dataclass(frozen=True, kw_only=True)
class GridMask(Augmentation[GridMaskDraw]):
    """Drop a lattice of squares and keep the stripes.

    The squares show the fill; the label stays.

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
        Param(
            "Unit of the lattice, drawn from low to high - 1: in pixels, or as shares of the "
            "image's shorter side when low is below 1.",
            parse=parse_units,
            metavar="LOW,HIGH",
        ),
    ] = Range(0.43, 1)
    ratio: Annotated[
        float, Param("Share of a unit's edge that is kept; 1 - (1 - ratio)² is kept in all.", 0, 1)
    ] = 0.6
    rotate: Annotated[
        int,
        Param("Turn the lattice by 0 to ROTATE - 1 degrees, drawn; 0 does not turn it.", 0, 360),
    ] = 0
    fill: Annotated[str, FILL] = "mean"

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> GridMaskDraw:
        """Decide the lattice."""
        low, high = self._units(frame)
        unit = low + stream.integer(max(1, high - low))
        kept = min(max(int(self.ratio * unit + 0.5), 1), unit - 1)
        offset = (stream.integer(unit), stream.integer(unit))
        angle = stream.integer(max(1, self.rotate))
        return GridMaskDraw(unit, kept, offset, angle, draw_fill(self.fill, stream))

    def apply(self, images: tuple[Image, ...], draw: GridMaskDraw) -> Image:
        """Fill the squares."""
        image = images[0]
        mask = draw.mask(Frame.of(image))
        return pixels.fill_mask(image, mask, fill_pixels(draw.fill, image))

    def remark(self, draw: GridMaskDraw, frame: Frame) -> str | None:
        """Say where a picture lies in one stripe or in one square."""
        # A disc of this diameter holds a whole unit, however it lies and is turned.
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
