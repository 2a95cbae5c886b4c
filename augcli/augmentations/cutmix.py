"""Attentive CutMix: the best cells of a donor's heat map replace the same cells of a base.

Source: Walawalkar, Shen, Liu & Savvides 2020, "Attentive CutMix: An Enhanced Data
Augmentation Approach for Deep Learning Based Image Classification" (arXiv 2003.13048).

Differs from the paper in:

- The paper's label weight is cells / grid² (6 / 49); here it is counted pixels, which is the
  same where the grid divides the picture and true where it does not.
- The paper scores with a pretrained ResNet-50; here any ONNX scorer does, by default a small
  one trained to find objects.
- Two images of unequal size are not treated there: here the donor is resized to the base.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from augcli import pixels
from augcli.augmentations.base import Draw, Mixer
from augcli.errors import ParameterError
from augcli.params import Param

if TYPE_CHECKING:
    from augcli.pixels.frame import Frame, HeatMap, Image, Mask
    from augcli.rng import Stream


@dataclass(frozen=True)
class CellsDraw(Draw):
    """Which cells come from the donor, in order of rank."""

    grid: int
    cells: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class AttentiveCutMix(Mixer[CellsDraw]):
    """Paste the donor's most telling grid cells onto each image, and mix the labels.

    A cat that receives 6 of 49 cells of a dog at 224 x 224 pixels becomes 43/49 cat and
    6/49 dog.

    Example:
        >>> import numpy as np
        >>> from augcli.pixels.frame import Frame
        >>> from augcli.rng import Stream
        >>> heat_map = np.float32([[0, 1], [3, 2]])
        >>> mixer = AttentiveCutMix(top_n=2, grid=2)
        >>> mixer.draw(Frame(32, 48), Stream(1, "example"), heat_map)
        CellsDraw(grid=2, cells=(2, 3))
    """

    name = "cutmix"
    paper = "Walawalkar et al. 2020 (arXiv 2003.13048)"
    draw_type = CellsDraw
    can_score = True

    top_n: Annotated[
        int, Param("How many of the donor's best cells are pasted, up to grid x grid.", 1)
    ] = 6
    grid: Annotated[int, Param("Rows and columns of the grid.", 1, 64)] = 7

    def __post_init__(self) -> None:
        super().__post_init__()
        cells = self.grid * self.grid
        if self.top_n > cells:
            raise ParameterError(
                "top_n", f"is {self.top_n}, but a {self.grid} x {self.grid} grid has {cells} cells"
            )

    @property
    def scores(self) -> Literal["donor"]:
        """The donor is scored."""
        return "donor"

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> CellsDraw:
        """Take the donor's best cells.

        Args:
            frame: Height and width of the base.
            stream: Not used: the heat map alone decides.
            heat_map: float32 (grid, grid) of the donor.
        """
        if heat_map is None or heat_map.shape != (self.grid, self.grid):
            raise ValueError(f"a heat map ({self.grid}, {self.grid}) of the donor is needed")
        return CellsDraw(self.grid, pixels.ranked_cells(heat_map, self.top_n))

    def apply(self, images: tuple[Image, ...], draw: CellsDraw) -> Image:
        """Paste the cells of the donor onto the base."""
        base, donor = images
        return pixels.paste_cells(base, donor, draw.cells, draw.grid)

    def mask(self, draw: CellsDraw, frame: Frame) -> Mask:
        """Return 1 in the pasted cells."""
        return pixels.cells_mask(draw.cells, frame, draw.grid)
