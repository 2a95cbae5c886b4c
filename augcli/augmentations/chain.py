"""A chain of steps: augmentations applied one after the other to a source.

A command line is a chain of one step. At most one step mixes; the steps before it are applied
to base and donor alike, and a source's draws belong to the source, so one result serves both
roles.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from augcli.augmentations.base import Augmentation, Mixer, donor_pixels
from augcli.pixels.frame import Frame
from augcli.rng import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.pixels.frame import Colour, HeatMap, Image

    Score = Callable[[Image, int], HeatMap]


@dataclass(frozen=True)
class Step:
    """One augmentation of a chain.

    Attributes:
        augmentation: The method with its options.
        probability: Share of images that it is applied to.
    """

    augmentation: Augmentation[Any]
    probability: float = 1.0


@dataclass(slots=True)
class Result:
    """A picture on its way through a chain.

    Attributes:
        image: uint8 (H, W, 3), RGB.
        records: What each step decided, as JSON can hold it.
        remarks: What may surprise; counted and told.
        donated: Pixels that come from the donor, and all pixels; None while there is no donor.
    """

    image: Image
    records: list[dict[str, Any]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    donated: tuple[int, int] | None = None


@dataclass(frozen=True)
class Chain:
    """Steps applied one after the other, at most one of them a mixer.

    Attributes:
        name: The manifest's ``method``.
        steps: At least one.
        seed: Seed of all chance.
        copies: Outputs for each source.
    """

    name: str
    steps: tuple[Step, ...]
    seed: int
    copies: int = 1

    @property
    def mixer_at(self) -> int | None:
        """Index of the step that mixes, or None."""
        for index, step in enumerate(self.steps):
            if isinstance(step.augmentation, Mixer):
                return index
        return None

    @property
    def mixer(self) -> Mixer[Any] | None:
        """The augmentation that mixes, or None."""
        for step in self.steps:
            if isinstance(step.augmentation, Mixer):
                return step.augmentation
        return None

    @property
    def needs_mean_colour(self) -> bool:
        """Whether the data set's mean colour must be known before anything is drawn."""
        return any(step.augmentation.needs_mean_colour for step in self.steps)

    def with_mean_colour(self, colour: Colour) -> Chain:
        """Return the chain with the data set's mean colour where a step needs it."""
        steps = tuple(
            Step(step.augmentation.with_mean_colour(colour), step.probability)
            if step.augmentation.needs_mean_colour
            else step
            for step in self.steps
        )
        return replace(self, steps=steps)

    def mixes(self, path: str, copy: int) -> bool:
        """Return whether a base is mixed, or spared by the mixer's probability."""
        at = self.mixer_at
        return at is not None and not self._spares(at, path, copy)

    def before_mixing(self, image: Image, path: str, copy: int, score: Score) -> Result:
        """Apply the steps before the mixer, or all where nothing mixes."""
        result = Result(image)
        at = len(self.steps) if self.mixer_at is None else self.mixer_at
        for index in range(at):
            self._drop(index, result, path, copy, score)
        return result

    def from_mixing(
        self,
        base: Result,
        donor: Result | None,
        path: str,
        copy: int,
        score: Score,
        donor_map: Callable[[], HeatMap],
    ) -> Result:
        """Apply the mixer and the steps after it.

        Args:
            base: What :meth:`before_mixing` gave for the base; left unchanged.
            donor: The same of the donor; None leaves the base unmixed.
            path: Path of the base.
            copy: Copy number.
            score: Gives the heat map of an image for a number of rows and columns.
            donor_map: Gives the heat map of the donor, so that it is computed only once.
        """
        result = Result(base.image, list(base.records), list(base.remarks))
        at = self.mixer_at
        if at is None:
            return result
        if donor is None:
            spared = self._spares(at, path, copy)
            result.records.append({"spared": True} if spared else {"unmixed": True})
        else:
            self._mix(at, result, donor, path, copy, score, donor_map)
        for index in range(at + 1, len(self.steps)):
            self._drop(index, result, path, copy, score)
        return result

    def _mix(
        self,
        at: int,
        result: Result,
        donor: Result,
        path: str,
        copy: int,
        score: Score,
        donor_map: Callable[[], HeatMap],
    ) -> None:
        mixer = self.steps[at].augmentation.for_copy(copy, self.copies)
        assert isinstance(mixer, Mixer)
        frame = Frame.of(result.image)
        heat_map = donor_map() if mixer.scores == "donor" else None
        if mixer.scores == "base":
            heat_map = score(result.image, mixer.map_grid)
        draw = mixer.draw(frame, self._stream(at, path, copy), heat_map)
        result.image = mixer.apply((result.image, donor.image), draw)
        result.donated = donor_pixels(mixer, draw, frame)
        self._note(mixer, draw, frame, result)

    def _drop(self, index: int, result: Result, path: str, copy: int, score: Score) -> None:
        if self._spares(index, path, copy):
            result.records.append({"spared": True})
            return
        augmentation = self.steps[index].augmentation.for_copy(copy, self.copies)
        frame = Frame.of(result.image)
        heat_map = score(result.image, augmentation.map_grid) if augmentation.scores else None
        draw = augmentation.draw(frame, self._stream(index, path, copy), heat_map)
        result.image = augmentation.apply((result.image,), draw)
        self._note(augmentation, draw, frame, result)

    def _note(
        self, augmentation: Augmentation[Any], draw: Any, frame: Frame, result: Result
    ) -> None:
        result.records.append(draw.to_json())
        remark = augmentation.remark(draw, frame)
        if remark:
            result.remarks.append(remark)

    def _stream(self, index: int, path: str, copy: int) -> Stream:
        return Stream(self.seed, self.steps[index].augmentation.name, index, path, copy)

    def _spares(self, index: int, path: str, copy: int) -> bool:
        step = self.steps[index]
        if step.probability >= 1:
            return False
        stream = Stream(self.seed, "prob", step.augmentation.name, index, path, copy)
        return stream.uniform() >= step.probability
