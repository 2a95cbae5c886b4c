"""A chain of steps: augmentations applied one after the other to a source.

A command line is a chain of one step. At most one step mixes; the steps before it are applied
to base and donor alike, and a source's draws belong to the source, so one result serves both
roles and each source is decoded once.

The record of a result is what the manifest keeps: the draw itself for a chain of one plain step;
else ``{"steps": [...], "donor_steps": [...]}`` with the name of each step, the method that was
applied and its draw, and the steps that the donor went through before it gave. Where a step has
several choices of one method, ``choice`` is the number of the one that was applied.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from augcli.augmentations.base import Augmentation, Mixer, shown_pixels
from augcli.pixels.frame import Frame
from augcli.recipes.decisions import Chance, Choice, Recorded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from augcli.augmentations.base import Draw
    from augcli.pixels.frame import Colour, Image, Mask
    from augcli.recipes.decisions import Decisions, MixMaps, Score, Subject
    from augcli.recipes.step import Step


@dataclass(slots=True)
class Result:
    """A picture on its way through a chain.

    Attributes:
        image: uint8 (H, W, 3), RGB.
        records: What each step decided, as JSON can hold it.
        donor_records: The same of the steps that the donor went through before.
        remarks: What may surprise; counted and reported.
        donated: What comes from the donor, and all there is, in pixels or in heat-map mass;
            None while there is no donor.
        shown: Where the donor shows, and its share of each pixel there, while later steps may
            still move pixels and labels count them.
        is_spare: Whether nobody else needs the image any more: then the last step may change it.
    """

    image: Image
    records: list[dict[str, Any]] = field(default_factory=list)
    donor_records: list[dict[str, Any]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    donated: tuple[float, float] | None = None
    shown: tuple[Mask, tuple[int, int]] | None = None
    is_spare: bool = False


class Region(NamedTuple):
    """Where a step replaced a picture.

    Attributes:
        mask: uint8 (H, W): 1 where it did.
        opacity: How much of each pixel there: a numerator and a denominator.
        donor_mask: uint8 (H, W) of the donor, resized to the base: 1 where it is shown; None for
            a step that is no mixer.
    """

    mask: Mask
    opacity: tuple[int, int] = (1, 1)
    donor_mask: Mask | None = None


class Stage(NamedTuple):
    """A picture after a step of a chain.

    Attributes:
        step: Name of the step.
        method: What was applied; None where nothing was.
        image: uint8 (H, W, 3), RGB: the picture after it.
        donor: The picture that gave, where the step mixed.
        region: Where the step replaced the picture; None where it replaces no region.
    """

    step: str
    method: Augmentation[Any] | None
    image: Image
    donor: Image | None = None
    region: Region | None = None


@dataclass(frozen=True)
class Chain:
    """Steps applied one after the other, at most one of them a mixer.

    Attributes:
        name: The manifest's ``method``.
        steps: None where pictures stay as they are.
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
        return tuple(augmentation for step in self.steps for augmentation in step.augmentations)

    @cached_property
    def mixer_at(self) -> int | None:
        """Index of the step that mixes, or None."""
        return next((index for index, step in enumerate(self.steps) if step.mixes), None)

    @cached_property
    def plain(self) -> bool:
        """Whether this is what a command line makes: one step and no choice."""
        return len(self.steps) == 1 and len(self.augmentations) == 1 and self.survival is None

    @property
    def keeps_size(self) -> bool:
        """Whether the result has the size of the base: no step moves pixels, or masks."""
        unmoved = Augmentation.apply_to_mask
        return all(type(each).apply_to_mask is unmoved for each in self.augmentations)

    @property
    def needs_mean_colour(self) -> bool:
        """Whether the data set's mean colour must be known before anything is drawn."""
        return any(augmentation.needs_mean_colour for augmentation in self.augmentations)

    def with_mean_colour(self, colour: Colour) -> Chain:
        """Return the chain with the data set's mean colour where a step needs it."""

        def coloured(augmentation: Augmentation[Any]) -> Augmentation[Any]:
            needs = augmentation.needs_mean_colour
            return augmentation.with_mean_colour(colour) if needs else augmentation

        steps = tuple(
            replace(
                step,
                choices=tuple(
                    (weight, coloured(augmentation)) for weight, augmentation in step.choices
                ),
            )
            for step in self.steps
        )
        return replace(self, steps=steps)

    def chance(self, subject: Subject, score: Score, maps: MixMaps | None = None) -> Chance:
        """Return the decisions that chance makes for a picture.

        Args:
            subject: Whose picture it is.
            score: Returns the heat map of an image for a number of rows and columns.
            maps: Heat maps for the mixer; not needed before it.
        """
        return Chance(self.steps, self.seed, self.copies, self.survival, subject, score, maps)

    def mixer(self, decisions: Decisions) -> Mixer[Any] | None:
        """Return what mixes a base; None where nothing does, or the step is not applied."""
        if self.mixer_at is None:
            return None
        choice = decisions.choose(self.mixer_at)
        if isinstance(choice, str) or not isinstance(choice.augmentation, Mixer):
            return None
        return choice.augmentation

    def lead(self, image: Image, decisions: Decisions, *, is_spare: bool = False) -> Result:
        """Apply the steps before the mixer, or all where nothing mixes.

        Args:
            image: uint8 (H, W, 3), RGB.
            decisions: What each step does.
            is_spare: Whether the image may be changed.
        """
        result = Result(image, is_spare=is_spare)
        for index in range(len(self.steps) if self.mixer_at is None else self.mixer_at):
            self._drop(index, result, decisions)
        return result

    def run(self, base: Result, donor: Result | None, decisions: Decisions) -> Result:
        """Apply the mixer and the steps after it.

        Args:
            base: What :meth:`lead` gave for the base; left unchanged, but for an image that is
                spare.
            donor: The same of the donor; None leaves the base unmixed.
            decisions: What each step does.
        """
        if self.mixer_at is None:
            return base
        result = Result(
            base.image, list(base.records), remarks=list(base.remarks), is_spare=base.is_spare
        )
        self._mix(self.mixer_at, result, donor, decisions)
        for index in range(self.mixer_at + 1, len(self.steps)):
            self._drop(index, result, decisions)
        return result

    def replay(self, record: Mapping[str, Any], base: Image, donor: Image | None) -> Result:
        """Make a picture again from its record, without chance and without a scorer.

        Args:
            record: What :meth:`record` gave, after a trip through JSON.
            base: uint8 (H, W, 3), RGB.
            donor: The same of the donor, if there was one.

        Raises:
            ValueError: The record is not of this chain.
            KeyError: The same: a key is missing.
        """
        decisions = self._recorded(record)
        giving = self._giving(record, donor)
        return self.run(self.lead(base, decisions), giving, decisions)

    def regions(self, record: Mapping[str, Any], frame: Frame) -> list[Region]:
        """Return where the steps of a record replaced a picture, in order.

        None are known where a step moves pixels, because the record does not have the size
        of the picture before it.

        Args:
            record: What :meth:`record` gave, after a trip through JSON.
            frame: Height and width of the result.

        Raises:
            ValueError: The record is not of this chain.
            KeyError: The same: a key is missing.
        """
        if not self.keeps_size:
            return []
        decisions = self._recorded(record)
        found = (_region(decisions, index, frame) for index in range(len(self.steps)))
        return [region for region in found if region]

    def stages(self, record: Mapping[str, Any], base: Image, donor: Image | None) -> list[Stage]:
        """Return the picture after each step of a record: what :meth:`replay` walks through.

        Args:
            record: What :meth:`record` gave, after a trip through JSON.
            base: uint8 (H, W, 3), RGB.
            donor: The same of the donor, if there was one.

        Raises:
            ValueError: The record is not of this chain.
            KeyError: The same: a key is missing.
        """
        decisions = self._recorded(record)
        giving = self._giving(record, donor)
        result = Result(base)
        found = []
        for index, step in enumerate(self.steps):
            frame = Frame.of(result.image)
            choice = decisions.choose(index)
            if index == self.mixer_at:
                self._mix(index, result, giving, decisions)
            else:
                self._drop(index, result, decisions)
            if isinstance(choice, str):
                found.append(Stage(step.name, None, result.image))
                continue
            gave = giving.image if giving and index == self.mixer_at else None
            region = _region(decisions, index, frame)
            found.append(Stage(step.name, choice.augmentation, result.image, gave, region))
        return found

    def record(self, result: Result) -> dict[str, Any]:
        """Return what the manifest keeps of a result: enough for :meth:`replay`."""
        if self.plain:
            return result.records[0]
        donor = {"donor_steps": result.donor_records} if result.donor_records else {}
        return {"steps": result.records, **donor}

    def _recorded(self, record: Mapping[str, Any]) -> Recorded:
        """Return the decisions of a record, which must be of this chain."""
        records = [record] if self.plain else record["steps"]
        if len(records) != len(self.steps):
            raise ValueError(f"it has {len(records)} steps, but the recipe {len(self.steps)}")
        return Recorded(self.steps, records, self.plain)

    def _giving(self, record: Mapping[str, Any], donor: Image | None) -> Result | None:
        """Return the donor of a record after the steps before the mixer."""
        if donor is None:
            return None
        led = Recorded(self.steps, record.get("donor_steps", ()), self.plain)
        if len(led.records) != (self.mixer_at or 0):
            raise ValueError("it has another number of steps for the donor than the recipe")
        return self.lead(donor, led)

    def _mix(self, at: int, result: Result, donor: Result | None, decisions: Decisions) -> None:
        choice = decisions.choose(at)
        if isinstance(choice, str) or donor is None:
            self._record(at, result, {choice if isinstance(choice, str) else "unmixed": True})
            return
        mixer = choice.augmentation
        assert isinstance(mixer, Mixer)
        result.donor_records = donor.records
        frame = Frame.of(result.image)
        draw, weighed = decisions.mix(at, choice, frame)
        result.image = self._applied(at, mixer, (result.image, donor.image), draw, result)
        result.donated = weighed.donated
        if mixer.label_mode == "area" and at + 1 < len(self.steps):
            result.shown = (mixer.mask(draw, frame), mixer.opacity(draw))
        if weighed.remark:
            result.remarks.append(weighed.remark)
        self._note(at, choice, draw, frame, result, weighed.record)

    def _drop(self, index: int, result: Result, decisions: Decisions) -> None:
        choice = decisions.choose(index)
        if isinstance(choice, str):
            self._record(index, result, {choice: True})
            return
        augmentation = choice.augmentation
        frame = Frame.of(result.image)
        draw = decisions.draw(index, choice, result.image)
        result.image = self._applied(index, augmentation, (result.image,), draw, result)
        if result.shown:
            # A crop, say, may leave more or less of the donor: labels stay counts of pixels.
            mask, opacity = result.shown
            result.shown = (augmentation.apply_to_mask(mask, draw), opacity)
            result.donated = shown_pixels(*result.shown)
        self._note(index, choice, draw, frame, result)

    def _applied(
        self,
        index: int,
        augmentation: Augmentation[Any],
        images: tuple[Image, ...],
        draw: Draw,
        result: Result,
    ) -> Image:
        # Not before the last step: a heat map belongs to a picture, which must stay what it was
        # while it may still be asked for.
        if result.is_spare and index + 1 == len(self.steps):
            return augmentation.apply_over(images, draw)
        return augmentation.apply_unchecked(images, draw)

    def _note(
        self,
        index: int,
        choice: Choice,
        draw: Draw,
        frame: Frame,
        result: Result,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        augmentation, number = choice
        decided = {**draw.to_json(), **(more or {})}
        if not self.plain:
            ambiguous = len(self.steps[index].choice_numbers(augmentation.name)) > 1
            which = {"choice": number} if ambiguous else {}
            decided = {"method": augmentation.name, **which, "draw": decided}
        self._record(index, result, decided)
        remark = augmentation.remark(draw, frame)
        if remark:
            result.remarks.append(remark)

    def _record(self, index: int, result: Result, decided: dict[str, Any]) -> None:
        named = {} if self.plain else {"step": self.steps[index].name}
        result.records.append({**named, **decided})


def _region(decisions: Recorded, index: int, frame: Frame) -> Region | None:
    """Return where a step replaced a picture; None where it did not, or replaces no region."""
    choice = decisions.choose(index)
    if isinstance(choice, str):
        return None
    method, draw = choice.augmentation, decisions.drawn(index, choice)
    mask = method.mask(draw, frame)
    if mask is None:
        return None
    if isinstance(method, Mixer):
        return Region(mask, method.opacity(draw), method.donor_mask(draw, frame))
    return Region(mask)
