"""What every augmentation is: options, a draw, and pixels made from the draw.

``draw`` and ``apply`` are apart because the draw is what the manifest keeps: any output can
be made again from its sources and its row. Only ``draw`` uses chance; it touches no pixels.
``apply`` is pure and leaves its inputs unchanged.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from augcli import pixels
from augcli.params import Param, check

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from augcli.pixels.frame import Colour, Frame, HeatMap, Image, Mask
    from augcli.rng import Stream


@dataclass(frozen=True)
class Draw:
    """What one application decided: small, and as JSON enough to do it again."""

    def to_json(self) -> dict[str, Any]:
        """Return the draw as JSON can hold it."""
        return dict(vars(self))

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Return the draw that :meth:`to_json` gave, after a trip through JSON."""
        return cls(**{name: _as_tuple(value) for name, value in record.items()})


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(one) for one in value) if isinstance(value, list) else value


AnyDraw = TypeVar("AnyDraw", bound=Draw)


class Augmentation(ABC, Generic[AnyDraw]):
    """One method with its options: a frozen dataclass whose fields are declared parameters.

    Attributes:
        name: The command, the recipe key and the manifest's ``method``.
        paper: Authors, year and arXiv number.
        draw_type: The class of its draws.
        sources: How many images it takes; 1 drops, 2 mixes.
        version: Goes up when the same options and seed draw or make something else.
        can_score: Whether some of its options make it need a heat map.
    """

    name: ClassVar[str]
    paper: ClassVar[str]
    draw_type: ClassVar[type[Draw]]
    sources: ClassVar[int] = 1
    version: ClassVar[int] = 1
    can_score: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check(self)

    @property
    def scores(self) -> Literal["base", "donor", "both"] | None:
        """Whose heat map is needed, if any."""
        return None

    @property
    def map_grid(self) -> int:
        """Rows and columns of the heat map that ``draw`` needs."""
        return int(getattr(self, "grid", 7))

    def for_copy(self, copy: int, copies: int) -> Self:
        """Return the augmentation for one of several copies, where it changes over them.

        Args:
            copy: Copy number, 0 and up.
            copies: How many there are.
        """
        return self

    @property
    def needs_mean_colour(self) -> bool:
        """Whether the data set's mean colour must be known before anything is drawn."""
        return getattr(self, "fill", None) == "mean"

    def with_mean_colour(self, colour: Colour) -> Self:
        """Return this augmentation with the data set's mean colour as its fill."""
        # Every class with a ``fill`` field is a dataclass; ABC itself can't say so.
        return dataclasses.replace(self, fill=f"#{bytes(colour).hex()}")  # type: ignore[type-var]

    @abstractmethod
    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> AnyDraw:
        """Decide what happens to one picture.

        Args:
            frame: Height and width of the (base) picture.
            stream: Where all chance comes from.
            heat_map: float32 (grid, grid) of the picture named by ``scores``.

        Raises:
            UnreadableImage: The picture can't be augmented like this; it fails by name.
        """

    @abstractmethod
    def apply(self, images: tuple[Image, ...], draw: AnyDraw) -> Image:
        """Return the picture that the draw decided; ``images[0]`` is the base.

        Args:
            images: uint8 (H, W, 3), as many as ``sources``.
            draw: What was decided.

        Raises:
            UnreadableImage: The picture can't be augmented like this; it fails by name.
        """

    def apply_to_mask(self, mask: Mask, draw: AnyDraw) -> Mask:
        """Return a mask uint8 (H, W) moved as :meth:`apply` moves the picture.

        By default nothing moves. A step that moves pixels moves the mask by the nearest
        neighbour, so that every pixel still says who owns the picture's pixel there.

        Args:
            mask: uint8 (H, W) of the picture before; left unchanged.
            draw: What was decided.
        """
        return mask

    def remark(self, draw: AnyDraw, frame: Frame) -> str | None:
        """Return a short, fixed phrase where a result may surprise; it is counted and told."""
        return None


LabelMode = Literal["area", "attention"]
LABEL_MODE = Param(
    "What label weights count: area (pixels of each image in the output) or attention (what "
    "of each image's heat map is left to see).",
)
"""The ``label_mode`` option that all mixers share."""


@dataclass(frozen=True)
class MixDraw(Draw):
    """The draw of a mixer; its record may also tell the weights that followed from it."""

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Return the draw that :meth:`to_json` gave, after a trip through JSON."""
        return super().from_json({key: one for key, one in record.items() if key != "weights"})


class Mixer(Augmentation[AnyDraw]):
    """An augmentation of two images: a base and a donor, whose labels are mixed.

    Attributes:
        label_mode: What label weights count; each mixer declares it with ``LABEL_MODE``.
    """

    sources = 2
    can_score = True
    label_mode: LabelMode

    @property
    def scores(self) -> Literal["base", "donor", "both"] | None:
        """Whose heat map is needed; ``draw`` always gets the donor's."""
        return "both" if self.label_mode == "attention" else None

    @abstractmethod
    def mask(self, draw: AnyDraw, frame: Frame) -> Mask:
        """Return the mask uint8 (H, W): 1 where the output shows the donor."""

    def donor_mask(self, draw: AnyDraw, frame: Frame) -> Mask:
        """Return the mask uint8 (H, W) of the donor, resized to the base: 1 where it is shown.

        The same as :meth:`mask` for a mixer that leaves the donor's pixels where they are.
        """
        return self.mask(draw, frame)

    def opacity(self, draw: AnyDraw) -> tuple[int, int]:
        """Return the donor's share of each pixel of the mask: a numerator and a denominator."""
        return 1, 1


def donor_pixels(mixer: Mixer[AnyDraw], draw: AnyDraw, frame: Frame) -> tuple[int, int]:
    """Return how many pixels of the output come from the donor, and how many there are.

    Where label weights come from, for every mixer: the draw is rasterised to its mask and the
    mask is counted.
    """
    return shown_pixels(mixer.mask(draw, frame), mixer.opacity(draw))


def shown_pixels(mask: Mask, opacity: tuple[int, int]) -> tuple[int, int]:
    """Return how many pixels show the donor, and how many there are.

    Where the base shines through, both numbers are in parts of a pixel, which are whole
    numbers too.

    Args:
        mask: uint8 (H, W): 1 where the donor shows.
        opacity: Its share of each pixel there: a numerator and a denominator.
    """
    shown, every = pixels.count_mask(mask)
    part, whole = opacity
    return shown * part, every * whole
