"""Who decides what a chain does to a picture: chance, or the record of an earlier run."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from augcli.augmentations.weights import Weighed, weigh
from augcli.pixels.frame import Frame
from augcli.rng import Digest, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from augcli.augmentations.base import Augmentation, Draw, Mixer
    from augcli.pixels.frame import HeatMap, Image
    from augcli.recipes.step import Step

    Score = Callable[[Image, int], HeatMap]

NOT_APPLIED = ("skipped", "spared", "unmixed")
"""Words of a record for a step that was not applied: by stochastic depth, by its probability,
or because a mixer had no donor."""


class Choice(NamedTuple):
    """What a step applies to a picture.

    Attributes:
        augmentation: One of the step's choices.
        number: Its number among them, counted from 0.
    """

    augmentation: Augmentation[Any]
    number: int


class Decisions(Protocol):
    """Decides what each step of a chain does to one picture."""

    def choose(self, index: int) -> Choice | str:
        """Return what a step applies, or a word of :data:`NOT_APPLIED`."""
        ...

    def draw(self, index: int, choice: Choice, image: Image) -> Draw:
        """Return the draw of a step that takes one picture.

        Args:
            index: Number of the step.
            choice: What it applies.
            image: uint8 (H, W, 3): the picture before the step.
        """
        ...

    def mix(self, index: int, choice: Choice, frame: Frame) -> tuple[Draw, Weighed]:
        """Return the draw of a mixer, and what the mixed labels weigh.

        Args:
            index: Number of the step.
            choice: What it applies.
            frame: Height and width of the base.
        """
        ...


class Subject(NamedTuple):
    """Whom a draw belongs to.

    Attributes:
        path: Name of the source.
        copy: Copy number, 0 and up.
    """

    path: str
    copy: int


class MixMaps(NamedTuple):
    """The heat maps that a mixer may need, each computed when it is asked for.

    Attributes:
        base: Returns the heat map of the base.
        donor: Returns the heat map of the donor.
    """

    base: Callable[[], HeatMap]
    donor: Callable[[], HeatMap]


class Chance:
    """Decisions drawn from streams of chance that belong to the seed, step, source and copy.

    Args:
        steps: Of the chain.
        seed: Seed of all chance.
        copies: Outputs for each source.
        survival: See :class:`augcli.recipes.chain.Chain`.
        subject: Whose picture it is.
        score: Returns the heat map of an image for a number of rows and columns.
        maps: Heat maps for the mixer; not needed before it.

    Attributes:
        maps: The same; may be set when the donor is known.
    """

    __slots__ = ("_copies", "_score", "_seed", "_steps", "_subject", "_survival", "maps")

    def __init__(
        self,
        steps: Sequence[Step],
        seed: int,
        copies: int,
        survival: float | None,
        subject: Subject,
        score: Score,
        maps: MixMaps | None = None,
    ) -> None:
        self._steps = steps
        self._seed = seed
        self._copies = copies
        self._survival = survival
        self._subject = subject
        self._score = score
        self.maps = maps

    def choose(self, index: int) -> Choice | str:
        """Return what a step applies, or why it is not applied."""
        step = self._steps[index]
        if self._survival is not None:
            survives = 1 - (index + 1) / len(self._steps) * (1 - self._survival)
            if self._stream("depth", index).uniform() >= survives:
                return "skipped"
        if step.probability < 1 and self._stream("prob", index).uniform() >= step.probability:
            return "spared"
        number = 0
        if len(step.choices) > 1:
            total = sum(weight for weight, _ in step.choices)
            left = self._stream("one_of", index).uniform() * total
            for number, (weight, _) in enumerate(step.choices):  # noqa: B007 - the last one stays
                left -= weight
                if left < 0:
                    break
        augmentation = step.augmentations[number]
        return Choice(augmentation.for_copy(self._subject.copy, self._copies), number)

    def draw(self, index: int, choice: Choice, image: Image) -> Draw:
        """Return a new draw of a step that takes one picture."""
        augmentation = choice.augmentation
        heat_map = self._score(image, augmentation.map_grid) if augmentation.scores else None
        stream = self._stream(augmentation.name, index)
        drawn: Draw = augmentation.draw(Frame.of(image), stream, heat_map)
        return drawn

    def mix(self, index: int, choice: Choice, frame: Frame) -> tuple[Draw, Weighed]:
        """Return a new draw of a mixer, and the weights that follow from it."""
        mixer: Mixer[Any] = choice.augmentation  # type: ignore[assignment]  # it mixes
        assert self.maps
        donor_map = self.maps.donor() if mixer.scores else None
        both = None
        if mixer.scores == "both" and donor_map is not None:
            both = (self.maps.base(), donor_map)
        draw = mixer.draw(frame, self._stream(mixer.name, index), donor_map)
        return draw, weigh(mixer, draw, frame, both)

    def _stream(self, purpose: str, index: int) -> Stream:
        return Stream.keyed(stream_keys(self._seed, purpose, index)(*self._subject))


@functools.lru_cache(maxsize=1024)
def stream_keys(seed: int, purpose: str, index: int) -> Digest:
    """Return what gives the keys of a step's streams: for the path and copy of a picture.

    Args:
        seed: Seed of all chance.
        purpose: Name of the augmentation, or what else is drawn.
        index: Number of the step.
    """
    return Digest(seed, purpose, index)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The decisions that a record holds.

    Attributes:
        steps: Of the chain, as many as the record has.
        records: What each step decided.
        plain: Whether a record is the draw alone, see :attr:`augcli.recipes.chain.Chain.plain`.
    """

    steps: Sequence[Step]
    records: Sequence[Mapping[str, Any]]
    plain: bool

    def choose(self, index: int) -> Choice | str:
        """Return what a step applied, or the word for not being applied.

        Raises:
            ValueError: The record names a step or a method that the chain doesn't have.
        """
        step, record = self.steps[index], self.records[index]
        word = next((word for word in NOT_APPLIED if record.get(word) is True), None)
        if word:
            return word
        if self.plain:
            return Choice(step.augmentations[0], 0)
        if record["step"] != step.name:
            raise ValueError(f"it has a step {record['step']!r} where the recipe has {step.name!r}")
        numbers = step.choice_numbers(record["method"])
        number = record.get("choice", numbers[0] if len(numbers) == 1 else None)
        if number not in numbers:
            raise ValueError(f"step {step.name!r} has no method {record['method']!r}")
        return Choice(step.augmentations[number], number)

    def draw(self, index: int, choice: Choice, image: Image) -> Draw:
        """Return the draw that was recorded."""
        return self.drawn(index, choice)

    def mix(self, index: int, choice: Choice, frame: Frame) -> tuple[Draw, Weighed]:
        """Return the mixer's draw that was recorded; weights by area are counted again."""
        mixer: Mixer[Any] = choice.augmentation  # type: ignore[assignment]  # it mixes
        draw = self.drawn(index, choice)
        weighed = weigh(mixer, draw, frame, None)
        weights = self._decided(index).get("weights")
        if weights:
            share = weights["attention"]
            donated = weighed.donated if share is None else (share, 1.0)
            weighed = Weighed(donated, {"weights": weights}, None)
        return draw, weighed

    def drawn(self, index: int, choice: Choice) -> Draw:
        """Return the draw that was recorded; unlike new ones, it needs no picture."""
        return choice.augmentation.draw_type.from_json(self._decided(index))

    def _decided(self, index: int) -> Mapping[str, Any]:
        record = self.records[index]
        decided: Mapping[str, Any] = record if self.plain else record["draw"]
        return decided
