"""Cutout: square patches of an image are replaced by a fill.

Source: DeVries & Taylor 2017, "Improved Regularization of Convolutional Neural Networks with
Cutout" (arXiv 1708.04552). Reference code: uoguelph-mlrg/Cutout, ``util/cutout.py``.

Differs from the reference code in:

- An odd side is exact: the reference goes ``side // 2`` in both directions, one pixel less.
- The fill is the data set's mean colour by default. The reference sets normalised pixels to
  zero, which is the mean colour.
- ``at`` can place patches by a heat map. ``attended`` is the first idea of the Cutout paper:
  to erase what the network attends to most. ``background`` is the selective cut of Gong et al.
  2021, "KeepAugment" (arXiv 2011.11778), with a heat map instead of their gradients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from augcli import pixels
from augcli.augmentations.base import Augmentation, Draw
from augcli.augmentations.fill import FILL, DrawnFill, draw_fill, fill_pixels
from augcli.augmentations.sides import parse_side, side_pixels
from augcli.errors import ParameterError
from augcli.params import Param

if TYPE_CHECKING:
    from augcli.pixels.frame import Box, Frame, HeatMap, Image, Mask
    from augcli.rng import Stream


GRID = 7
"""Rows and columns of the heat map that places patches."""
CELLS = GRID * GRID
TRIES = 100
"""How often a patch is drawn before the best place is searched for."""


@dataclass(frozen=True)
class CutoutDraw(Draw):
    """The patches, their fill, and the cells that placed them.

    Attributes:
        boxes: The patches, clipped to the image.
        fill: What they show.
        cells: The best cells of the heat map, best first; empty if no heat map was used.
    """

    boxes: tuple[Box, ...]
    fill: DrawnFill
    cells: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the draw as a dictionary that JSON can hold, without cells if there are none."""
        record = super().to_json()
        if not self.cells:
            del record["cells"]
        return record


@dataclass(frozen=True, kw_only=True)
class Cutout(Augmentation[CutoutDraw]):
    """Replace square patches of each image by a fill; the label stays.

    The centre of a patch is drawn uniformly from all pixels, and a patch is clipped at the
    border, so a patch near the border is smaller. On 32 x 32 pixels a patch of 16 erases 19%
    on average, not 25%.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> from augcli.rng import Stream
        >>> cutout = Cutout(patch=16, fill="black")
        >>> cutout.draw(Frame(32, 48), Stream(1, "example"))
        CutoutDraw(boxes=((37, 3, 48, 19),), fill=(0, 0, 0), cells=())
    """

    name = "cutout"
    paper = "DeVries & Taylor 2017 (arXiv 1708.04552)"
    draw_type = CutoutDraw
    can_score = True

    patch: Annotated[
        int | float,
        Param(
            "Side of the square patch, in pixels, or as a share of the image's shorter side "
            "if below 1.",
            parse=parse_side,
            metavar="PIXELS|0.SHARE",
        ),
    ] = 16
    holes: Annotated[int, Param("Patches in each image; they may overlap.", 1, 10_000)] = 1
    at: Annotated[
        Literal["random", "attended", "background"],
        Param(
            "Where patches go: random (anywhere), attended (on the best cells of the image's own "
            "heat map, erasing what matters most) or background (where they touch none of its "
            "best cells)."
        ),
    ] = "random"
    keep_top: Annotated[
        int, Param("With `at` background: how many of the best cells no patch touches.", 1, CELLS)
    ] = 6
    inside: Annotated[
        bool, Param("Place each patch whole inside the image, instead of clipping it.")
    ] = False
    fill: Annotated[str, FILL] = "mean"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.at == "attended" and self.holes > CELLS:
            raise ParameterError(
                "holes", f"is {self.holes}, but a {GRID} x {GRID} heat map has {CELLS} cells"
            )

    @property
    def scores(self) -> Literal["base"] | None:
        """The image itself is scored, unless patches are placed at random."""
        return None if self.at == "random" else "base"

    @property
    def map_grid(self) -> int:
        """Number of rows and of columns of the heat map."""
        return GRID

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> CutoutDraw:
        """Draw the patches.

        Args:
            frame: Height and width of the image.
            stream: The only source of chance.
            heat_map: float32 (7, 7) of the image; not used if ``at`` is ``random``.
        """
        side = side_pixels(self.patch, frame)
        cells: tuple[int, ...] = ()
        if self.at == "random":
            boxes = tuple(self._box(frame, side, stream) for _ in range(self.holes))
        else:
            if heat_map is None or heat_map.shape != (GRID, GRID):
                raise ValueError(f"a heat map ({GRID}, {GRID}) of the image is needed")
            count = self.holes if self.at == "attended" else self.keep_top
            cells = pixels.ranked_cells(heat_map, count)
            if self.at == "attended":
                boxes = self._boxes_on(cells, frame, side)
            else:
                boxes = self._boxes_beside(cells, frame, side, stream, heat_map)
        return CutoutDraw(boxes, draw_fill(self.fill, stream), cells)

    def apply(self, images: tuple[Image, ...], draw: CutoutDraw) -> Image:
        """Fill the patches."""
        return pixels.fill_boxes(images[0], draw.boxes, fill_pixels(draw.fill, images[0]))

    def mask(self, draw: CutoutDraw, frame: Frame) -> Mask:
        """Return the mask uint8 (H, W): 1 in the patches."""
        return pixels.boxes_mask(draw.boxes, frame)

    def apply_over(self, images: tuple[Image, ...], draw: CutoutDraw) -> Image:
        """Fill the patches of the image itself."""
        image = images[0]
        return pixels.fill_boxes(image, draw.boxes, fill_pixels(draw.fill, image), over=True)

    def remark(self, draw: CutoutDraw, frame: Frame) -> str | None:
        """Report that a patch covers the whole image, or cells that it should not touch."""
        if (0, 0, frame.width, frame.height) in draw.boxes:
            return "a patch covers the whole image"
        if self.at == "background":
            best = pixels.cell_boxes(draw.cells, frame, GRID)
            if any(pixels.touches(box, best) for box in draw.boxes):
                return "a patch had to touch the best cells"
        return None

    def _boxes_on(self, cells: tuple[int, ...], frame: Frame, side: int) -> tuple[Box, ...]:
        """Return a patch at the centre of each cell, to half a pixel."""
        boxes = []
        for x0, y0, x1, y1 in pixels.cell_boxes(cells, frame, GRID):
            top, bottom = self._around(y0 + y1, frame.height, side)
            left, right = self._around(x0 + x1, frame.width, side)
            boxes.append((left, top, right, bottom))
        return tuple(boxes)

    def _around(self, twice_centre: int, length: int, side: int) -> tuple[int, int]:
        """Return where a patch around a centre starts and ends along one axis."""
        start = (twice_centre - side) // 2
        if self.inside:
            start = max(0, min(start, length - side))
        # In an image smaller than the grid a cell may be empty and lie on the border.
        start = max(1 - side, min(start, length - 1))
        return max(0, start), min(length, start + side)

    def _boxes_beside(
        self, cells: tuple[int, ...], frame: Frame, side: int, stream: Stream, heat_map: HeatMap
    ) -> tuple[Box, ...]:
        """Return random patches that touch none of the cells, or as little of them as possible."""
        best = pixels.cell_boxes(cells, frame, GRID)
        boxes = []
        for _ in range(self.holes):
            tries = (self._box(frame, side, stream) for _ in range(TRIES))
            clear = (box for box in tries if not pixels.touches(box, best))
            box = next(clear, None) or pixels.quietest_box(heat_map, cells, frame, side)
            boxes.append(box)
        return tuple(boxes)

    def _box(self, frame: Frame, side: int, stream: Stream) -> Box:
        top, bottom = self._span(frame.height, side, stream)
        left, right = self._span(frame.width, side, stream)
        return (left, top, right, bottom)

    def _span(self, length: int, side: int, stream: Stream) -> tuple[int, int]:
        """Draw where a patch starts and ends along one axis."""
        if self.inside:
            start = stream.integer(max(1, length - side + 1))
        else:
            start = stream.integer(length) - side // 2
        return max(0, start), min(length, start + side)


def cutout(
    image: Image,
    box: Box,
    fill: tuple[int, int, int] = (0, 0, 0),
) -> Image:
    """Return a copy of the image with one box filled.

    Args:
        image: uint8 (H, W, 3), RGB.
        box: (x0, y0, x1, y1) in pixels, half-open, inside the image.
        fill: (red, green, blue), each 0 to 255.

    Raises:
        TypeError: The image is no NumPy array.
        ValueError: It is an array of another shape or type.

    Source: DeVries & Taylor 2017 (arXiv 1708.04552).

    Example:
        >>> import numpy as np
        >>> cutout(np.full((2, 2, 3), 5, np.uint8), (0, 0, 1, 2))[..., 0].tolist()
        [[0, 5], [0, 5]]
    """
    pixels.check_image(image)
    return pixels.fill_boxes(image, [box], fill)
