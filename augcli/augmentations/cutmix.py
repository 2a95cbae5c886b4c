"""CutMix: a part of a donor replaces the same part of a base, as four papers' regions.

Source: Walawalkar, Shen, Liu & Savvides 2020, "Attentive CutMix: An Enhanced Data
Augmentation Approach for Deep Learning Based Image Classification" (arXiv 2003.13048), for
the regions ``attentive`` and, as its control, ``cells``; Yun et al. 2019, "CutMix:
Regularization Strategy to Train Strong Classifiers with Localizable Features" (arXiv
1905.04899, code clovaai/CutMix-PyTorch) for ``box``; Uddin et al. 2021, "SaliencyMix" (arXiv
2006.01791, code SaliencyMix/SaliencyMix) for ``peak``.

Differs from them in:

- All: every image has a partner and a region of its own, not one region for a batch. An image
  is no partner of itself. A donor of unequal size is resized to the base.
- ``attentive``: the paper's label weight is cells / grid² (6 / 49); here it is counted pixels,
  which is the same where the grid divides the picture and true where it does not. The paper
  scores with a pretrained ResNet-50; here any ONNX scorer does, by default a small one trained
  to find objects. The number of cells may be drawn, as OpenMixup does.
- ``box`` and ``peak``: sides are rounded and exact; the authors' code truncates them and
  loses a pixel of odd sides.
- ``peak``: the peak is the centre of the heat map's best cell, not of a pixel of OpenCV's
  fine-grained saliency.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from augcli import pixels
from augcli.augmentations.base import LABEL_MODE, LabelMode, MixDraw, Mixer
from augcli.errors import ParameterError
from augcli.params import Param
from augcli.pixels.frame import Frame

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from augcli.pixels.frame import Box, HeatMap, Image, Mask
    from augcli.rng import Stream


def parse_top_n(found: Any) -> int | str:
    """Return a number of cells, ``LOW..HIGH`` or ``beta:A,B``.

    Raises:
        ValueError: It is none of them.

    Example:
        >>> parse_top_n("6"), parse_top_n("3..9"), parse_top_n("beta:1,2.5")
        (6, '3..9', 'beta:1,2.5')
    """
    try:
        return _parsed_top_n(str(found).replace(" ", ""))
    except ValueError:
        expected = "a number from 1 such as 6, a range such as 3..9, or beta:A,B such as beta:1,1"
        raise ValueError(f"is {found!r}, but must be {expected}") from None


def _parsed_top_n(text: str) -> int | str:
    if text.startswith("beta:"):
        first, second = (float(one) for one in text.removeprefix("beta:").split(","))
        if not (0.01 <= first <= 1000 and 0.01 <= second <= 1000):
            raise ValueError
        return f"beta:{first:g},{second:g}"
    low, _, high = text.partition("..")
    numbers = [int(low), int(high)] if ".." in text else [int(low)]
    if not 1 <= numbers[0] <= numbers[-1]:
        raise ValueError
    return "..".join(str(one) for one in numbers) if ".." in text else numbers[0]


@dataclass(frozen=True)
class CutMixDraw(MixDraw):
    """Which part of the frame comes from the donor."""

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Return the cells or the box that ``to_json`` gave, after a trip through JSON."""
        if cls is not CutMixDraw:
            return super().from_json(record)
        kind = CellsDraw if "cells" in record else BoxDraw
        return kind.from_json(record)  # type: ignore[return-value]  # both are a CutMixDraw

    def mask(self, frame: Frame) -> Mask:
        """Return the mask uint8 (H, W): 1 in the part."""
        raise NotImplementedError


@dataclass(frozen=True)
class CellsDraw(CutMixDraw):
    """Cells of a grid, in order of rank."""

    grid: int
    cells: tuple[int, ...]

    def mask(self, frame: Frame) -> Mask:
        """Return the mask uint8 (H, W): 1 in the cells."""
        return _cells_mask(self.cells, frame, self.grid)


@functools.lru_cache(maxsize=1)
def _cells_mask(cells: tuple[int, ...], frame: Frame, grid: int) -> Mask:
    """Return a mask that is asked for twice: to paste by, and to count for the label."""
    mask = pixels.cells_mask(cells, frame, grid)
    mask.flags.writeable = False
    return mask


@dataclass(frozen=True)
class BoxDraw(CutMixDraw):
    """A box, clipped to the frame."""

    box: Box

    def mask(self, frame: Frame) -> Mask:
        """Return the mask uint8 (H, W): 1 in the box."""
        return pixels.box_mask(self.box, frame)


@dataclass(frozen=True, kw_only=True)
class CutMix(Mixer[CutMixDraw]):
    """Paste a part of another image onto each image, and mix the labels.

    The part is the donor's most telling cells (attentive: Attentive CutMix), a box around a
    place drawn at random (box: CutMix) or around the donor's best cell (peak: SaliencyMix), or
    cells drawn at random (cells). It keeps its place. A cat that receives 6 of 49 cells of a
    dog at 224 x 224 pixels becomes 43/49 cat and 6/49 dog.

    Example:
        >>> import numpy as np
        >>> from augcli.pixels.frame import Frame
        >>> from augcli.rng import Stream
        >>> heat_map = np.float32([[0, 1], [3, 2]])
        >>> CutMix(top_n=2, grid=2).draw(Frame(32, 48), Stream(1, "example"), heat_map)
        CellsDraw(grid=2, cells=(2, 3))
        >>> CutMix(region="box").draw(Frame(32, 48), Stream(1, "example"))
        BoxDraw(box=(26, 9, 48, 32))
    """

    name = "cutmix"
    paper = (
        "Walawalkar et al. 2020 (arXiv 2003.13048); box: Yun et al. 2019 (arXiv 1905.04899); "
        "peak: Uddin et al. 2021 (arXiv 2006.01791)"
    )
    draw_type = CutMixDraw

    region: Annotated[
        Literal["attentive", "box", "peak", "cells"],
        Param(
            "What is pasted: attentive (the donor's best cells), box (around any place), peak "
            "(a box around the donor's best cell) or cells (at random)."
        ),
    ] = "attentive"
    top_n: Annotated[
        int | str,
        Param(
            "Regions attentive and cells: how many cells, up to grid x grid; 3..9 draws a "
            "number for each image, beta:A,B a share of all cells.",
            parse=parse_top_n,
            metavar="INT|LOW..HIGH|beta:A,B",
        ),
    ] = 6
    alpha: Annotated[
        float,
        Param(
            "Regions box and peak: the box takes a share of 1 - lambda, with lambda drawn from "
            "Beta(alpha, alpha).",
            0.01,
            1000,
        ),
    ] = 1.0
    grid: Annotated[int, Param("Rows and columns of the grid.", 1, 64)] = 7
    label_mode: Annotated[LabelMode, LABEL_MODE] = "area"

    def __post_init__(self) -> None:
        super().__post_init__()
        cells = self.grid * self.grid
        law = str(self.top_n)
        if not law.startswith("beta:") and int(law.rpartition("..")[2]) > cells:
            raise ParameterError(
                "top_n", f"is {self.top_n}, but a {self.grid} x {self.grid} grid has {cells} cells"
            )

    @property
    def scores(self) -> Literal["base", "donor", "both"] | None:
        """The donor is scored where its heat map decides the region."""
        needs_map = self.region in ("attentive", "peak")
        return super().scores or ("donor" if needs_map else None)

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> CutMixDraw:
        """Decide which part of the frame comes from the donor.

        Args:
            frame: Height and width of the base.
            stream: Not used by ``attentive`` with a fixed number of cells.
            heat_map: float32 (grid, grid) of the donor, for ``attentive`` and ``peak``.
        """
        if self.region == "attentive":
            return CellsDraw(self.grid, self._best_cells(heat_map, self._count(stream)))
        if self.region == "cells":
            return CellsDraw(self.grid, stream.sample(self._count(stream), self.grid * self.grid))
        share = 1 - stream.beta(self.alpha, self.alpha)
        if self.region == "peak":
            x, y = pixels.cell_centre(self._best_cells(heat_map, 1)[0], frame, self.grid)
        else:
            x, y = stream.integer(frame.width), stream.integer(frame.height)
        left, right = _span(x, frame.width, share)
        top, bottom = _span(y, frame.height, share)
        return BoxDraw((left, top, right, bottom))

    def apply(self, images: tuple[Image, ...], draw: CutMixDraw) -> Image:
        """Paste the part of the donor onto the base."""
        base, donor = images
        return pixels.paste_mask(base, donor, draw.mask(Frame.of(base)))

    def mask(self, draw: CutMixDraw, frame: Frame) -> Mask:
        """Return 1 in the pasted part."""
        return draw.mask(frame)

    def remark(self, draw: CutMixDraw, frame: Frame) -> str | None:
        """Say where a box hides the whole base, or nothing of it."""
        if isinstance(draw, BoxDraw):
            left, top, right, bottom = draw.box
            if left == right or top == bottom:
                return "the box is smaller than a pixel: nothing was pasted"
            if draw.box == (0, 0, frame.width, frame.height):
                return "the box covers the whole image"
        return None

    def _best_cells(self, heat_map: HeatMap | None, count: int) -> tuple[int, ...]:
        if heat_map is None or heat_map.shape != (self.grid, self.grid):
            raise ValueError(f"a heat map ({self.grid}, {self.grid}) of the donor is needed")
        return pixels.ranked_cells(heat_map, count)

    def _count(self, stream: Stream) -> int:
        """Return how many cells one image gets."""
        if isinstance(self.top_n, int):
            return self.top_n
        if self.top_n.startswith("beta:"):
            first, second = (float(one) for one in self.top_n.removeprefix("beta:").split(","))
            cells = self.grid * self.grid
            return min(max(int(cells * stream.beta(first, second)), 1), cells)
        low, high = (int(one) for one in self.top_n.split(".."))
        return low + stream.integer(high - low + 1)


AttentiveCutMix = CutMix
"""What :class:`CutMix` does by default, by the name of its paper."""


def _span(centre: int, length: int, share: float) -> tuple[int, int]:
    """Return where a box begins and ends along one axis, clipped."""
    side = math.floor(length * math.sqrt(share) + 0.5)
    start = centre - side // 2
    return max(0, start), min(length, start + side)
