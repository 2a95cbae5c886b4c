"""The base classes of augmentations: options, a draw, and pixels made from the draw.

``draw`` makes all random decisions and touches no pixels; ``apply`` makes the picture from
the draw and uses no chance. The manifest records the draw, so that any output can be made
again from its sources and its row.
"""

from __future__ import annotations

import dataclasses
import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from augcli import pixels
from augcli.params import ByName, Param, check

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from augcli.pixels.frame import Colour, Frame, HeatMap, Image, Mask
    from augcli.rng import Stream


@dataclass(frozen=True)
class Draw:
    """What was drawn for one picture: small, and enough to make the picture again."""

    def to_json(self) -> dict[str, Any]:
        """Return the draw as a dictionary that JSON can hold."""
        return dict(vars(self))

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Return the draw whose :meth:`to_json` was written as JSON and read back."""
        return cls(**{name: _as_tuple(value) for name, value in record.items()})


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list) else value


AnyDraw = TypeVar("AnyDraw", bound=Draw)


class Augmentation(ByName, ABC, Generic[AnyDraw]):
    """One method with its options: a frozen dataclass whose fields are declared parameters.

    Attributes:
        name: The command, the recipe key and the manifest's ``method``.
        paper: Authors, year and arXiv number.
        draw_type: The class of its draws.
        sources: How many images it takes: 1, or 2 for a mixer.
        version: Raised when the same options and seed give another draw or picture.
        can_score: Whether it needs a heat map with some of its options.
    """

    name: ClassVar[str]
    paper: ClassVar[str]
    draw_type: ClassVar[type[Draw]]
    sources: ClassVar[int] = 1
    version: ClassVar[int] = 1
    can_score: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "apply" in vars(cls):
            cls.apply_unchecked = cls.apply  # type: ignore[method-assign]
            cls.apply = _with_checked_images(cls.apply)  # type: ignore[method-assign]

    def __post_init__(self) -> None:
        check(self)

    @property
    def scores(self) -> Literal["base", "donor", "both"] | None:
        """The picture whose heat map is needed, if any."""
        return None

    @property
    def map_grid(self) -> int:
        """Number of rows and of columns of the heat map that ``draw`` needs."""
        return int(getattr(self, "grid", 7))

    def for_copy(self, copy: int, copies: int) -> Self:
        """Return the augmentation for one of a source's copies; the same one by default.

        Args:
            copy: Copy number, from 0.
            copies: How many copies are made.
        """
        return self

    @property
    def needs_mean_colour(self) -> bool:
        """Whether :meth:`with_mean_colour` must be called before :meth:`draw`."""
        return getattr(self, "fill", None) == "mean"

    def with_mean_colour(self, colour: Colour) -> Self:
        """Return this augmentation with the data set's mean colour as its fill."""
        # Every class with a ``fill`` field is a dataclass, which the type of ABC doesn't show.
        return dataclasses.replace(self, fill=f"#{bytes(colour).hex()}")  # type: ignore[type-var]

    @abstractmethod
    def draw(self, frame: Frame, stream: Stream, heat_map: HeatMap | None = None) -> AnyDraw:
        """Draw what happens to one picture.

        Args:
            frame: Height and width of the (base) picture.
            stream: The only source of chance.
            heat_map: float32 (grid, grid) of the picture named by ``scores``; a mixer always
                gets the donor's.

        Raises:
            UnreadableImage: This picture can't be augmented; it is listed in errors.csv.
        """

    @abstractmethod
    def apply(self, images: tuple[Image, ...], draw: AnyDraw) -> Image:
        """Return the picture that follows from the draw.

        Args:
            images: uint8 (H, W, 3), as many as ``sources``, the base first; left unchanged.
            draw: What was drawn.

        Raises:
            UnreadableImage: This picture can't be augmented; it is listed in errors.csv.
            TypeError: ``images`` is no tuple of NumPy arrays.
            ValueError: An array has another shape or type, or there are too few or too many.
        """

    def apply_unchecked(self, images: tuple[Image, ...], draw: AnyDraw) -> Image:
        """Do the same as :meth:`apply`, for arrays that need no check: each class has its own."""
        raise NotImplementedError

    def apply_over(self, images: tuple[Image, ...], draw: AnyDraw) -> Image:
        """Do the same as :meth:`apply`, where nobody needs the first image any more.

        A method that changes a part of a picture may change this one, which saves a copy.

        Args:
            images: As for :meth:`apply`, known to be right; the first one may be changed.
            draw: What was drawn.
        """
        return self.apply_unchecked(images, draw)

    def apply_to_mask(self, mask: Mask, draw: AnyDraw) -> Mask:
        """Return a mask uint8 (H, W) moved as :meth:`apply` moves the picture.

        By default nothing moves. A step that moves pixels moves the mask by the nearest
        neighbour, so that the mask still shows which pixels are the donor's.

        Args:
            mask: uint8 (H, W) of the picture before the step; left unchanged.
            draw: What was drawn.
        """
        return mask

    def mask(self, draw: AnyDraw, frame: Frame) -> Mask | None:
        """Return the mask uint8 (H, W): 1 where the result shows something else than the picture.

        That is the fill of a drop, or the donor of a mixer. None, the default, for methods that
        replace no region.

        Args:
            draw: What was drawn.
            frame: Height and width of the (base) picture.
        """
        return None

    def remark(self, draw: AnyDraw, frame: Frame) -> str | None:
        """Return a short, fixed phrase if the result may be unexpected; the summary counts them."""
        return None


def _with_checked_images(apply: Callable[..., Image]) -> Callable[..., Image]:
    """Return an ``apply`` that refuses arrays of which OpenCV would make a wrong picture."""

    @functools.wraps(apply)
    def checked(self: Augmentation[Any], images: tuple[Image, ...], draw: Any) -> Image:
        if not isinstance(images, tuple | list):
            raise TypeError(f"images is a {type(images).__name__}, but must be a tuple of arrays")
        if len(images) != self.sources:
            plural = "s" if self.sources > 1 else ""
            raise ValueError(f"{self.name} takes {self.sources} image{plural}, not {len(images)}")
        for image in images:
            pixels.check_image(image)
        return apply(self, images, draw)

    return checked


LabelMode = Literal["area", "attention"]
LABEL_MODE = Param(
    "What label weights count: area (pixels of each image in the output) or attention (the "
    "part of each image's heat map that is visible in the output).",
)
"""The ``label_mode`` option that all mixers share."""


@dataclass(frozen=True)
class MixDraw(Draw):
    """The draw of a mixer; its record may also hold the label weights that follow from it."""

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Return the draw whose :meth:`to_json` was written as JSON and read back."""
        drawn = {name: value for name, value in record.items() if name != "weights"}
        return super().from_json(drawn)


class Mixer(Augmentation[AnyDraw]):
    """An augmentation of two images: a base and a donor, whose labels are mixed.

    Attributes:
        label_mode: What label weights count; each mixer declares it with :data:`LABEL_MODE`.
    """

    sources = 2
    can_score = True
    label_mode: LabelMode

    @property
    def scores(self) -> Literal["base", "donor", "both"] | None:
        """The pictures whose heat maps are needed, if any."""
        return "both" if self.label_mode == "attention" else None

    @abstractmethod
    def mask(self, draw: AnyDraw, frame: Frame) -> Mask:
        """Return the mask uint8 (H, W) of the output: 1 where it shows the donor."""

    def donor_mask(self, draw: AnyDraw, frame: Frame) -> Mask:
        """Return the mask uint8 (H, W) of the donor, resized to the base: 1 where it is shown.

        By default the same as :meth:`mask`, which is right if the donor's pixels don't move.
        """
        return self.mask(draw, frame)

    def opacity(self, draw: AnyDraw) -> tuple[int, int]:
        """Return the donor's share of each pixel of the mask: a numerator and a denominator."""
        return 1, 1


def donor_pixels(mixer: Mixer[AnyDraw], draw: AnyDraw, frame: Frame) -> tuple[int, int]:
    """Return how many pixels of the output come from the donor, and how many there are.

    Their quotient is the donor's label weight by area, for every mixer: the mask of the draw
    is made and its pixels are counted.
    """
    return shown_pixels(mixer.mask(draw, frame), mixer.opacity(draw))


def shown_pixels(mask: Mask, opacity: tuple[int, int]) -> tuple[int, int]:
    """Return how many pixels show the donor, and how many there are.

    With an opacity below 1 both numbers count parts of a pixel, so that they are whole
    numbers.

    Args:
        mask: uint8 (H, W): 1 where the donor shows.
        opacity: The donor's share of each pixel there: a numerator and a denominator.
    """
    shown, total = pixels.count_mask(mask)
    part, whole = opacity
    return shown * part, total * whole
