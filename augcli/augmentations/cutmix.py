"""CutMix: a region of a donor replaces the same region of a base, in four variants.

Source: Walawalkar, Shen, Liu & Savvides 2020, "Attentive CutMix: An Enhanced Data
Augmentation Approach for Deep Learning Based Image Classification" (arXiv 2003.13048), for
the regions ``attentive`` and, as its control, ``cells``; Yun et al. 2019, "CutMix:
Regularization Strategy to Train Strong Classifiers with Localizable Features" (arXiv
1905.04899, code clovaai/CutMix-PyTorch) for ``box``; Uddin et al. 2021, "SaliencyMix" (arXiv
2006.01791, code SaliencyMix/SaliencyMix) for ``peak``.

Differs from them in:

- All: each image has its own partner and region, not one region for a batch. No image is its
  own partner. The region of a donor of another size is resized to that of the base.
- ``attentive``: the paper's label weight is cells / grid² (6 / 49); here it is counted pixels,
  which is the same if the grid divides the picture's sides, and true if it does not. The paper
  scores with a pretrained ResNet-50; here any ONNX scorer can be used, by default a small one
  trained to find objects. The number of cells may be drawn, as in OpenMixup.
- ``box`` and ``peak``: sides are rounded; the authors' code truncates them, and makes odd
  sides one pixel shorter.
- ``peak``: the peak is the centre of the heat map's best cell, not the brightest pixel of
  OpenCV's fine-grained saliency.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from augcli import pixels
from augcli.augmentations.base import LABEL_MODE, LabelMode, MixDraw, Mixer
from augcli.augmentations.ranges import Range, parse_range
from augcli.errors import ParameterError
from augcli.params import Param
from augcli.pixels.frame import Frame

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from augcli.pixels.frame import Box, HeatMap, Image, Mask
    from augcli.rng import Stream


@dataclass(frozen=True)
class BetaLaw:
    """A share with a Beta distribution; as text ``beta:FIRST,SECOND``.

    Example:
        >>> print(BetaLaw(1, 2.5))
        beta:1,2.5
    """

    first: float
    second: float

    def __str__(self) -> str:
        return f"beta:{self.first:g},{self.second:g}"

    def part(self, total: int, stream: Stream) -> int:
        """Return a share of a total, rounded down, but at least 1."""
        return min(max(int(total * stream.beta(self.first, self.second)), 1), total)


def parse_top_n(value: Any) -> int | Range | BetaLaw:
    """Return a number of cells, or how it is drawn.

    Args:
        value: A whole number, a range of whole numbers (``"LOW..HIGH"``, ``"LOW,HIGH"`` or two
            numbers) or ``"beta:A,B"``, A and B from 0.01 to 1000 with six significant digits.

    Raises:
        ValueError: It is none of these.

    Example:
        >>> parse_top_n("6"), str(parse_top_n("3..9")), str(parse_top_n("beta:1,2.5"))
        (6, '3..9', 'beta:1,2.5')
    """
    text = str(value).strip()
    expected = "a number from 1 such as 6, a range such as 3..9, or beta:A,B such as beta:1,1"
    try:
        if text.startswith("beta:"):
            return _parse_beta(text.removeprefix("beta:"))
        if isinstance(value, list | tuple) or ".." in text or "," in text:
            low, high = parse_range(value, expected, lowest=1)
            if low.is_integer() and high.is_integer():
                return Range(int(low), int(high))
        elif int(text) >= 1:
            return int(text)
    except ValueError:
        pass
    raise ValueError(f"is {value!r}, but must be {expected}")


def _parse_beta(text: str) -> BetaLaw:
    # Rounded to the digits that are recorded, so that a record draws the same.
    first, second = (float(f"{float(number):g}") for number in text.split(","))
    if not (0.01 <= first <= 1000 and 0.01 <= second <= 1000):
        raise ValueError
    return BetaLaw(first, second)


@dataclass(frozen=True)
class CutMixDraw(MixDraw):
    """The region of the frame that comes from the donor."""

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Return a ``CellsDraw`` or a ``BoxDraw``, depending on the keys of the record."""
        if cls is not CutMixDraw:
            return super().from_json(record)
        kind = CellsDraw if "cells" in record else BoxDraw
        return kind.from_json(record)  # type: ignore[return-value]  # both are a CutMixDraw

    def mask(self, frame: Frame) -> Mask:
        """Return the mask uint8 (H, W): 1 in the region."""
        raise NotImplementedError

    def boxes(self, frame: Frame) -> list[Box]:
        """Return the boxes that make up the region."""
        raise NotImplementedError


@dataclass(frozen=True)
class CellsDraw(CutMixDraw):
    """Cells of a grid, best first."""

    grid: int
    cells: tuple[int, ...]

    def mask(self, frame: Frame) -> Mask:
        """Return the mask uint8 (H, W): 1 in the cells."""
        return pixels.cells_mask(self.cells, frame, self.grid)

    def boxes(self, frame: Frame) -> list[Box]:
        """Return the boxes of the cells, those side by side as one."""
        return pixels.cell_runs(self.cells, frame, self.grid)


@dataclass(frozen=True)
class BoxDraw(CutMixDraw):
    """A box, clipped to the frame."""

    box: Box

    def mask(self, frame: Frame) -> Mask:
        """Return the mask uint8 (H, W): 1 in the box."""
        return pixels.box_mask(self.box, frame)

    def boxes(self, frame: Frame) -> list[Box]:
        """Return the box."""
        return [self.box]


@dataclass(frozen=True, kw_only=True)
class CutMix(Mixer[CutMixDraw]):
    """Paste a region of another image onto each image, and mix the labels.

    The region is the donor's best cells (attentive: Attentive CutMix), a box around a random
    place (box: CutMix) or around the donor's best cell (peak: SaliencyMix), or random cells
    (cells). It is pasted at the same place. A cat of 224 x 224 pixels that receives 6 of 49
    cells of a dog is labelled 43/49 cat and 6/49 dog.

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
    version = 3  # 1 and 2 had other shipped scorers; 1 resized the whole donor

    region: Annotated[
        Literal["attentive", "box", "peak", "cells"],
        Param(
            "What is pasted: attentive (the donor's best cells), box (around a random place), "
            "peak (a box around the donor's best cell) or cells (random ones)."
        ),
    ] = "attentive"
    top_n: Annotated[
        int | str | Range | BetaLaw,
        Param(
            "With `region` attentive or cells: how many cells, up to grid x grid; 3..9 draws a "
            "number for each image, beta:A,B a share of all cells.",
            parse=parse_top_n,
            metavar="INT|LOW..HIGH|beta:A,B",
        ),
    ] = 6
    alpha: Annotated[
        float,
        Param(
            "With `region` box or peak: the box covers a share of 1 - lambda, with lambda drawn "
            "from Beta(alpha, alpha).",
            0.01,
            1000,
        ),
    ] = 1.0
    grid: Annotated[int, Param("Rows and columns of the grid.", 1, 64)] = 7
    label_mode: Annotated[LabelMode, LABEL_MODE] = "area"

    def __post_init__(self) -> None:
        super().__post_init__()
        cells = self.grid * self.grid
        most = self.top_n.high if isinstance(self.top_n, Range) else self.top_n
        if isinstance(most, int) and most > cells:
            raise ParameterError(
                "top_n", f"is {self.top_n}, but a {self.grid} x {self.grid} grid has {cells} cells"
            )

    @property
    def scores(self) -> Literal["base", "donor", "both"] | None:
        """The donor is scored if its heat map decides the region."""
        needs_map = self.region in ("attentive", "peak")
        return super().scores or ("donor" if needs_map else None)

    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> CutMixDraw:
        """Draw the region.

        Args:
            frame: Height and width of the base.
            stream: The source of chance; not used by ``attentive`` with a fixed ``top_n``.
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
        """Paste the region of the donor onto the base."""
        base, donor = images
        return pixels.paste_boxes(base, donor, draw.boxes(Frame.of(base)))

    def apply_over(self, images: tuple[Image, ...], draw: CutMixDraw) -> Image:
        """Paste the region of the donor onto the base itself."""
        base, donor = images
        return pixels.paste_boxes(base, donor, draw.boxes(Frame.of(base)), over=True)

    def mask(self, draw: CutMixDraw, frame: Frame) -> Mask:
        """Return the mask uint8 (H, W): 1 in the pasted region."""
        return draw.mask(frame)

    def remark(self, draw: CutMixDraw, frame: Frame) -> str | None:
        """Report that a box hides the whole base, or nothing of it."""
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
        """Return how many cells one image receives."""
        if isinstance(self.top_n, Range):
            return self.top_n.integer(stream)
        if isinstance(self.top_n, BetaLaw):
            return self.top_n.part(self.grid * self.grid, stream)
        return int(self.top_n)


AttentiveCutMix = CutMix
"""Another name of :class:`CutMix`, whose defaults are those of this paper."""


def _span(centre: int, length: int, share: float) -> tuple[int, int]:
    """Return where a box starts and ends along one axis, clipped to the frame."""
    side = math.floor(length * math.sqrt(share) + 0.5)
    start = centre - side // 2
    return max(0, start), min(length, start + side)
