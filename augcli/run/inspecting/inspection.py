"""What ``augcli inspect`` reports: counts, sizes, duplicates and faults of INPUT."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from augcli.data.manifest import Failure
from augcli.errors import EXIT_OK, EXIT_SOME_FAILED
from augcli.run.inspecting.duplicates import Duplicates, Leaks

if TYPE_CHECKING:
    pass

Labels = Literal["none", "single", "soft", "several"]


@dataclass(frozen=True)
class Sized:
    """A picture and its size in pixels."""

    path: str
    width: int
    height: int


@dataclass(frozen=True)
class Sides:
    """How long a side of the pictures is, in pixels: the smallest, the quartiles, the largest."""

    smallest: int
    quarter: int
    median: int
    three_quarters: int
    largest: int


@dataclass(frozen=True)
class SplitCount:
    """What a split holds.

    Attributes:
        images: How many pictures.
        unlabelled: How many of them have no class.
        classes: How many of each class.
    """

    images: int = 0
    unlabelled: int = 0
    classes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What INPUT holds.

    Attributes:
        input: INPUT, absolute.
        kind: What it is, such as ``folder``.
        images: Pictures that were found.
        failed: Pictures that can't be used, those among the files that were refused included.
        labels: ``none``; ``single``, one class each; ``soft``, weights that sum to 1; or
            ``several``, several classes at once.
        unlabelled: Pictures without a class.
        classes: Pictures of each class: by the heaviest class of a soft label, and by all of its
            classes where a label holds several.
        mass: The summed weights of each class; empty where each picture has one class.
        imbalance: The largest class over the smallest; None where there are no two.
        splits: What each split holds; empty where there are none.
        formats: Pictures by format.
        grey: Pictures whose file stores greys only.
        width: Of the upright pictures; None where none can be read.
        height: The same.
        smallest: The picture of the fewest pixels.
        largest: The picture of the most pixels.
        sizes: The most frequent sizes, such as ``640x480``, and how many pictures have each.
        black: Pictures that are nearly black all over.
        one_colour: Pictures of one colour that is not black.
        blank: Names of pictures that are either, at most 1,000.
        duplicates: Pictures whose bytes are the same.
        groups: How many groups there are.
        leaks: Groups that are in two splits.
        notes: How often something is simplified in a picture, or odd.
        skipped: Files that were not considered: what they are and why, and how many.
        notices: What a person should know of the classes and splits.
        failures: Pictures that can't be used, and why; at most 1,000.
        seconds: How long it took.
    """

    input: str
    kind: str
    images: int
    failed: int
    labels: Labels
    unlabelled: int
    classes: dict[str, int]
    mass: dict[str, float]
    imbalance: float | None
    splits: dict[str, SplitCount]
    formats: dict[str, int]
    grey: int
    width: Sides | None
    height: Sides | None
    smallest: Sized | None
    largest: Sized | None
    sizes: dict[str, int]
    black: int
    one_colour: int
    blank: list[str]
    duplicates: Duplicates
    groups: int
    leaks: Leaks
    notes: dict[str, int]
    skipped: dict[str, int]
    notices: list[str]
    failures: list[Failure]
    seconds: float

    @property
    def exit_code(self) -> int:
        """0 where all pictures can be used, 1 where some can't."""
        return EXIT_SOME_FAILED if self.failed else EXIT_OK

    def to_json(self) -> dict[str, Any]:
        """Return all of it as one JSON object."""
        failures = [failure._asdict() for failure in self.failures]
        return {**asdict(self), "failures": failures}
