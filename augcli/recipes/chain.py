"""A chain of steps: augmentations applied one after the other to a source.

A command line is a chain of one step. At most one step mixes; the steps before it are applied
to base and donor alike, and a source's draws belong to the source, so one result serves both
roles and each source is decoded once.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from augcli.augmentations.base import Augmentation, Mixer, shown_pixels
from augcli.augmentations.weights import weigh
from augcli.pixels.frame import Frame
from augcli.rng import Digest, Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.pixels.frame import Colour, HeatMap, Image, Mask

    Score = Callable[[Image, int], HeatMap]


class Subject(NamedTuple):
    """Whom a draw belongs to.

    Attributes:
        path: The source, relative to INPUT.
        copy: Copy number, 0 and up.
    """

    path: str
    copy: int


class Maps(NamedTuple):
    """The heat maps that a mixer may need, each computed when it is asked for.

    Attributes:
        base: Gives that of the base.
        donor: Gives that of the donor.
    """

    base: Callable[[], HeatMap]
    donor: Callable[[], HeatMap]


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

    @cached_property
    def augmentations(self) -> tuple[Augmentation[Any], ...]:
        """All that the step may apply."""
        return tuple(augmentation for _, augmentation in self.choices)

    @cached_property
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
        shown: Where the donor shows, and its share of each pixel there, while later steps may
            still move pixels and labels count them.
    """

    image: Image
    records: list[dict[str, Any]] = field(default_factory=list)
    donor_records: list[dict[str, Any]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    donated: tuple[float, float] | None = None
    shown: tuple[Mask, tuple[int, int]] | None = None


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

    @cached_property
    def augmentations(self) -> tuple[Augmentation[Any], ...]:
        """All augmentations of all steps."""
        return tuple(one for step in self.steps for one in step.augmentations)

    @cached_property
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

    def mixer_for(self, subject: Subject) -> Mixer[Any] | None:
        """Return what mixes a base; None where nothing does, or the base is spared."""
        if self.mixer_at is None:
            return None
        chosen = self._choose(self.mixer_at, subject)
        return chosen if isinstance(chosen, Mixer) else None

    def before_mixing(self, image: Image, subject: Subject, score: Score) -> Result:
        """Apply the steps before the mixer, or all where nothing mixes.

        Args:
            image: uint8 (H, W, 3), RGB.
            subject: Whose picture it is.
            score: Gives the heat map of an image for a number of rows and columns.
        """
        result = Result(image)
        for index in range(len(self.steps) if self.mixer_at is None else self.mixer_at):
            self._drop(index, result, subject, score)
        return result

    def from_mixing(
        self, base: Result, donor: Result | None, subject: Subject, score: Score, maps: Maps
    ) -> Result:
        """Apply the mixer and the steps after it.

        Args:
            base: What :meth:`before_mixing` gave for the base; left unchanged.
            donor: The same of the donor; None leaves the base unmixed.
            subject: Whose picture the base is.
            score: Gives the heat map of an image for a number of rows and columns.
            maps: Give the heat maps of base and donor for the mixer, computed only once.
        """
        at = self.mixer_at
        if at is None:
            return base
        result = Result(base.image, list(base.records), remarks=list(base.remarks))
        chosen = self._choose(at, subject)
        if isinstance(chosen, str):
            self._record(at, result, {chosen: True})
        elif donor is None:
            self._record(at, result, {"unmixed": True})
        else:
            assert isinstance(chosen, Mixer)
            result.donor_records = donor.records
            self._mix(at, chosen, result, donor, subject, maps)
        for index in range(at + 1, len(self.steps)):
            self._drop(index, result, subject, score)
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
        mixer: Mixer[Any],
        result: Result,
        donor: Result,
        subject: Subject,
        maps: Maps,
    ) -> None:
        frame = Frame.of(result.image)
        of_donor = maps.donor() if mixer.scores else None
        both = (maps.base(), of_donor) if mixer.scores == "both" and of_donor is not None else None
        draw = mixer.draw(frame, self._stream(at, mixer, subject), of_donor)
        result.image = mixer.apply((result.image, donor.image), draw)
        weighed = weigh(mixer, draw, frame, both)
        result.donated = weighed.donated
        if mixer.label_mode == "area" and at + 1 < len(self.steps):
            result.shown = (mixer.mask(draw, frame), mixer.opacity(draw))
        if weighed.remark:
            result.remarks.append(weighed.remark)
        self._note(at, mixer, draw, frame, result, weighed.record)

    def _drop(self, index: int, result: Result, subject: Subject, score: Score) -> None:
        augmentation = self._choose(index, subject)
        if isinstance(augmentation, str):
            self._record(index, result, {augmentation: True})
            return
        frame = Frame.of(result.image)
        heat_map = score(result.image, augmentation.map_grid) if augmentation.scores else None
        draw = augmentation.draw(frame, self._stream(index, augmentation, subject), heat_map)
        result.image = augmentation.apply((result.image,), draw)
        if result.shown:
            # A crop, say, may leave more or less of the donor: labels stay counts of pixels.
            mask, opacity = result.shown
            result.shown = (augmentation.apply_to_mask(mask, draw), opacity)
            result.donated = shown_pixels(*result.shown)
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

    @cached_property
    def _plain(self) -> bool:
        """Whether this is what a command line makes: one step and no choice."""
        return len(self.steps) == 1 and len(self.augmentations) == 1 and self.survival is None

    def _stream(self, index: int, augmentation: Augmentation[Any], subject: Subject) -> Stream:
        return self._chance(augmentation.name, index, subject)

    def _choose(self, index: int, subject: Subject) -> Augmentation[Any] | str:
        """Return what a step applies to a picture, or in a word why it applies nothing."""
        step = self.steps[index]
        if self.survival is not None:
            kept = 1 - (index + 1) / len(self.steps) * (1 - self.survival)
            if self._uniform("depth", index, subject) >= kept:
                return "skipped"
        spares = step.probability < 1
        if spares and self._uniform("prob", index, subject) >= step.probability:
            return "spared"
        augmentation = step.augmentations[0]
        if len(step.choices) > 1:
            left = self._uniform("one_of", index, subject) * sum(one for one, _ in step.choices)
            for weight, augmentation in step.choices:  # noqa: B007 - the last one if none breaks
                left -= weight
                if left < 0:
                    break
        return augmentation.for_copy(subject.copy, self.copies)

    def _uniform(self, purpose: str, index: int, subject: Subject) -> float:
        return self._chance(purpose, index, subject).uniform()

    def _chance(self, purpose: str, index: int, subject: Subject) -> Stream:
        return Stream.keyed(_keys(self.seed, purpose, index)(*subject))


@functools.lru_cache(maxsize=1024)
def _keys(seed: int, purpose: str, index: int) -> Digest:
    """Return what gives the keys of a step's streams, for each picture."""
    return Digest(seed, purpose, index)
