"""The figures of a data set: what the page shows and JSON holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS: Final = 20
"""Bars of a histogram."""


@dataclass(frozen=True)
class ClassFigures:
    """How much of a class there is.

    Attributes:
        name: The class, as it is; empty for pictures without one.
        sources: Different bases of it. Of soft labels it is not known (None).
        outputs: Outputs of it, originals included; a mix counts for the class of its base, a soft
            label for its heaviest class.
        weight: The sum of its weights in all labels.
        by_split: The same weight in each split; empty where there are no splits or very many.
    """

    name: str
    sources: int | None
    outputs: int
    weight: float
    by_split: dict[str, float]


@dataclass(frozen=True)
class SplitFigures:
    """What a split holds.

    Attributes:
        name: The split; empty where there are none.
        outputs: Rows, originals included.
        originals: Rows of sources that came along.
        sources: Different bases.
    """

    name: str
    outputs: int
    originals: int
    sources: int


@dataclass(frozen=True)
class Histogram:
    """How often shares from 0 to 1 occur.

    Attributes:
        counts: Of each of the bars, which are of equal width.
        end: Where the last bar ends: 1, or a half or a quarter where no share is larger.
        mean: Of all shares; None where there are none.
        lowest: The smallest share; None where there are none.
        highest: The largest.
    """

    counts: list[int]
    end: float = 1.0
    mean: float | None = None
    lowest: float | None = None
    highest: float | None = None

    @classmethod
    def of(cls, shares: NDArray[np.float64]) -> Histogram:
        """Return the histogram of shares.

        Example:
            >>> histogram = Histogram.of(np.array([0.0, 0.02, 0.025, 0.5]))
            >>> histogram.end, histogram.counts[0], histogram.counts[1], histogram.counts[19]
            (0.5, 2, 1, 1)
        """
        if not len(shares):
            return cls([0] * BINS)
        highest = float(shares.max())
        end = next((end for end in (0.25, 0.5) if highest <= end), 1.0)
        # A share on the border of two bars belongs to the upper one, however it was rounded.
        places = np.minimum((shares * (BINS / end) + 1e-9).astype(np.int64), BINS - 1)
        counts = np.bincount(places, minlength=BINS).tolist()
        return cls(counts, end, float(shares.mean()), float(shares.min()), highest)

    @property
    def total(self) -> int:
        """How many shares there are."""
        return sum(self.counts)


@dataclass(frozen=True)
class Pairs:
    """Which class received from which.

    Attributes:
        classes: The classes with the most mixed outputs, and those together that are not listed.
        counts: Mixed outputs: of each base's class (rows), from each donor's class (columns).
        unknown: Mixed outputs whose classes the labels don't say.
    """

    classes: list[str]
    counts: list[list[int]]
    unknown: int = 0


@dataclass(frozen=True)
class Donors:
    """Who gave how often.

    Attributes:
        used: Different donors.
        median: Outputs that half of the donors gave to at most.
        most: The donors that gave to the most outputs, and how many these are.
    """

    used: int
    median: float
    most: list[tuple[str, int]]


@dataclass(frozen=True)
class FailureKind:
    """Failures that happened in the same way.

    Attributes:
        stage: Where, such as ``decode``.
        reason: Why.
        images: How many.
        examples: Names of the first few.
    """

    stage: str
    reason: str
    images: int
    examples: list[str]


@dataclass(frozen=True)
class Remark:
    """Something that may surprise.

    Attributes:
        text: What it is.
        images: How often it happened.
        examples: Names of the first few outputs, as far as they are known.
    """

    text: str
    images: int
    examples: list[str]


@dataclass(frozen=True)
class Duplicates:
    """Outputs whose files are the same.

    Attributes:
        images: How many could be removed: all of each set but the first.
        sets: How many sets there are.
        across_splits: Sets with files in two splits.
        conflicting: Sets whose files have different labels' heaviest or base's classes.
        examples: Names of the first few of some sets, the worst sets first.
    """

    images: int = 0
    sets: int = 0
    across_splits: int = 0
    conflicting: int = 0
    examples: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """All figures of a data set.

    Attributes:
        images: Rows, originals included.
        originals: Rows of sources that came along.
        mixed: Rows with a donor.
        methods: Rows of each method.
        sources: Different bases.
        soft: Whether labels are soft, so that pairs and donor weights are not known.
        classes: In the order of classes.txt.
        splits: In the order of the rows.
        imbalance_before: Bases of the largest class over those of the smallest; None where it is
            not known, or there are no two classes.
        imbalance_after: The same of the summed weights.
        donor_weights: Of outputs whose label has the donor's class beside the base's.
        slight: Those of them in which one of the two has less than 5 %.
        heavy: Those in which the donor has half or more.
        same_class: Mixed outputs whose label has one class only.
        areas: The share of the frame that was replaced, measured on a sample.
        places: How often each place of the frame was replaced, from 0 to 1, in a grid; empty where
            nothing was measured.
        measured: Rows that were measured.
        unreadable: Draws that could not be measured.
        pairs: Which class received from which; None where nothing was mixed.
        donors: Who gave how often; None where nothing was mixed.
        failures: The most frequent kinds first.
        failed: Images that failed.
        remarks: What may surprise, the most frequent first.
        duplicates: Files that are the same.
        shared_sources: Sources that are in two splits.
        shared_groups: Groups that are in two splits.
        unsound: Labels that are not shares, or do not sum to 1.
    """

    images: int
    originals: int
    mixed: int
    methods: dict[str, int]
    sources: int
    soft: bool
    classes: list[ClassFigures]
    splits: list[SplitFigures]
    imbalance_before: float | None
    imbalance_after: float | None
    donor_weights: Histogram
    slight: int
    heavy: int
    same_class: int
    areas: Histogram
    places: list[list[float]]
    measured: int
    unreadable: int
    pairs: Pairs | None
    donors: Donors | None
    failures: list[FailureKind]
    failed: int
    remarks: list[Remark]
    duplicates: Duplicates
    shared_sources: int
    shared_groups: int
    unsound: int

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        return asdict(self)
