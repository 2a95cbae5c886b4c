"""A chain of steps: augmentations applied one after the other to a source.

A command line is a chain of one step. At most one step mixes; the steps before it are applied
to base and donor alike, and a source's draws belong to the source, so one result serves both
roles and each source is decoded once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from augcli.augmentations.base import Augmentation, Mixer
from augcli.augmentations.weights import weigh
from augcli.pixels.frame import Frame
from augcli.rng import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.pixels.frame import Colour, HeatMap, Image

    Score = Callable[[Image, int], HeatMap]


@dataclass(frozen=True)
class Step:
    """One place of a chain: an augmentation, or several of which one is drawn.

    Attributes:
        choices: Weight and augmentation; one of them is applied, drawn by weight.
        probability: Share of images that it is applied to.
        name: What the manifest calls it.
    """

    choices: tuple[tuple[float, Augmentation[Any]], ...]
    probability: float = 1.0
    name: str = ""

    @classmethod
    def of(cls, augmentation: Augmentation[Any], probability: float = 1.0) -> Step:
        """Return a step of one augmentation, named after it."""
        return cls(((1.0, augmentation),), probability, augmentation.name)

    @property
    def augmentations(self) -> tuple[Augmentation[Any], ...]:
        """All that the step may apply."""
        return tuple(augmentation for _, augmentation in self.choices)

    @property
    def mixes(self) -> bool:
        """Whether it takes a donor."""
        return any(augmentation.sources == 2 for augmentation in self.augmentations)


@dataclass(slots=True)
class Result:
    """A picture on its way through a chain.

    Attributes:
        image: uint8 (H, W, 3), RGB.
        records: What each step decided, as JSON can hold it.
        donor_records: The same of the steps that the donor went through before.
        remarks: What may surprise; counted and told.
        donated: What comes from the donor, and all there is, in pixels or in heat-map mass;
            None while there is no donor.
    """

    image: Image
    records: list[dict[str, Any]] = field(default_factory=list)
    donor_records: list[dict[str, Any]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    donated: tuple[float, float] | None = None


@dataclass(frozen=True)
class Chain:
    """Steps applied one after the other, at most one of them a mixer.

    Attributes:
        name: The manifest's ``method``.
        steps: At least one.
        seed: Seed of all chance.
        copies: Outputs for each source.
        survival: Probability that the last step is kept; None keeps all. Step l of L is kept
            with p_l = 1 - (l / L)(1 - survival): Stochastic Depth (Huang et al. 2016, arXiv
            1603.09382), applied to the steps of a chain instead of a network's blocks.
    """

    name: str
    steps: tuple[Step, ...]
    seed: int
    copies: int = 1
    survival: float | None = None

    @property
    def augmentations(self) -> tuple[Augmentation[Any], ...]:
        """All augmentations of all steps."""
        return tuple(one for step in self.steps for one in step.augmentations)

    @property
    def mixer_at(self) -> int | None:
        """Index of the step that mixes, or None."""
        return next((index for index, step in enumerate(self.steps) if step.mixes), None)

    @property
    def needs_mean_colour(self) -> bool:
        """Whether the data set's mean colour must be known before anything is drawn."""
        return any(augmentation.needs_mean_colour for augmentation in self.augmentations)

    def with_mean_colour(self, colour: Colour) -> Chain:
        """Return the chain with the data set's mean colour where a step needs it."""

        def known(augmentation: Augmentation[Any]) -> Augmentation[Any]:
            needs = augmentation.needs_mean_colour
            return augmentation.with_mean_colour(colour) if needs else augmentation

        steps = tuple(
            replace(step, choices=tuple((weight, known(one)) for weight, one in step.choices))
            for step in self.steps
        )
        return replace(self, steps=steps)

    def mixer_for(self, path: str, copy: int) -> Mixer[Any] | None:
        """Return what mixes a base; None where nothing does, or the base is spared."""
        if self.mixer_at is None:
            return None
        chosen = self._choose(self.mixer_at, path, copy)
        return chosen if isinstance(chosen, Mixer) else None

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
        base_map: Callable[[], HeatMap],
        donor_map: Callable[[], HeatMap],
    ) -> Result:
        """Apply the mixer and the steps after it.

        Args:
            base: What :meth:`before_mixing` gave for the base; left unchanged.
            donor: The same of the donor; None leaves the base unmixed.
            path: Path of the base.
            copy: Copy number.
            score: Gives the heat map of an image for a number of rows and columns.
            base_map: Gives the heat map of the base for the mixer, computed only once.
            donor_map: The same of the donor.
        """
        result = Result(base.image, list(base.records), remarks=list(base.remarks))
        at = self.mixer_at
        if at is None:
            return result
        chosen = self._choose(at, path, copy)
        if isinstance(chosen, str):
            self._record(at, result, {chosen: True})
        elif donor is None:
            self._record(at, result, {"unmixed": True})
        else:
            result.donor_records = donor.records
            self._mix(at, result, donor, path, copy, base_map, donor_map)
        for index in range(at + 1, len(self.steps)):
            self._drop(index, result, path, copy, score)
        return result

    def draw_of(self, result: Result) -> dict[str, Any]:
        """Return what the manifest records as the draw of a result.

        The draw itself for a chain of one plain step; else every step with what it decided,
        and those that the donor went through before it gave.
        """
        if self._plain:
            return result.records[0]
        donor = {"donor_steps": result.donor_records} if result.donor_records else {}
        return {"steps": result.records, **donor}

    def _mix(
        self,
        at: int,
        result: Result,
        donor: Result,
        path: str,
        copy: int,
        base_map: Callable[[], HeatMap],
        donor_map: Callable[[], HeatMap],
    ) -> None:
        mixer = self._choose(at, path, copy)
        assert isinstance(mixer, Mixer)
        frame = Frame.of(result.image)
        of_donor = donor_map() if mixer.scores else None
        maps = (base_map(), of_donor) if mixer.scores == "both" and of_donor is not None else None
        draw = mixer.draw(frame, self._stream(at, mixer, path, copy), of_donor)
        result.image = mixer.apply((result.image, donor.image), draw)
        weighed = weigh(mixer, draw, frame, maps)
        result.donated = weighed.donated
        if weighed.remark:
            result.remarks.append(weighed.remark)
        self._note(at, mixer, draw, frame, result, weighed.record)

    def _drop(self, index: int, result: Result, path: str, copy: int, score: Score) -> None:
        augmentation = self._choose(index, path, copy)
        if isinstance(augmentation, str):
            self._record(index, result, {augmentation: True})
            return
        frame = Frame.of(result.image)
        heat_map = score(result.image, augmentation.map_grid) if augmentation.scores else None
        stream = self._stream(index, augmentation, path, copy)
        draw = augmentation.draw(frame, stream, heat_map)
        result.image = augmentation.apply((result.image,), draw)
        self._note(index, augmentation, draw, frame, result)

    def _note(
        self,
        index: int,
        augmentation: Augmentation[Any],
        draw: Any,
        frame: Frame,
        result: Result,
        more: dict[str, Any] | None = None,
    ) -> None:
        decided = {**draw.to_json(), **(more or {})}
        if not self._plain:
            decided = {"method": augmentation.name, "draw": decided}
        self._record(index, result, decided)
        remark = augmentation.remark(draw, frame)
        if remark:
            result.remarks.append(remark)

    def _record(self, index: int, result: Result, decided: dict[str, Any]) -> None:
        named = {} if self._plain else {"step": self.steps[index].name}
        result.records.append({**named, **decided})

    @property
    def _plain(self) -> bool:
        """Whether this is what a command line makes: one step and no choice."""
        return len(self.steps) == 1 and len(self.augmentations) == 1 and self.survival is None

    def _stream(self, index: int, augmentation: Augmentation[Any], path: str, copy: int) -> Stream:
        return Stream(self.seed, augmentation.name, index, path, copy)

    def _choose(self, index: int, path: str, copy: int) -> Augmentation[Any] | str:
        """Return what a step applies to a picture, or in a word why it applies nothing."""
        step = self.steps[index]
        if self.survival is not None:
            kept = 1 - (index + 1) / len(self.steps) * (1 - self.survival)
            if self._uniform("depth", index, path, copy) >= kept:
                return "skipped"
        spares = step.probability < 1
        if spares and self._uniform("prob", index, path, copy) >= step.probability:
            return "spared"
        augmentation = step.augmentations[0]
        if len(step.choices) > 1:
            left = self._uniform("one_of", index, path, copy) * sum(one for one, _ in step.choices)
            for weight, augmentation in step.choices:  # noqa: B007 - the last one if none breaks
                left -= weight
                if left < 0:
                    break
        return augmentation.for_copy(copy, self.copies)

    def _uniform(self, purpose: str, index: int, path: str, copy: int) -> float:
        return Stream(self.seed, purpose, index, path, copy).uniform()
