"""The figures of a data set: what the page shows and JSON holds, computed from the table."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from augcli.report.table import NONE
from augcli.report.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from augcli.data.manifest import Failure
    from augcli.report.regions import Regions
    from augcli.report.table import Table

BINS: Final = 20
"""Bars of a histogram."""
SLIGHT: Final = 0.05
"""A picture of less weight than this is hardly seen in a mix."""
PAIRED: Final = 30
"""Classes of the pair matrix; the rest is one class more."""
OTHERS: Final = "(all others)"
MOST_SPLITS: Final = 20
"""Splits for which the weight of each class is told."""
MOST_DONORS: Final = 15
"""Donors that are named."""
EXAMPLES: Final = 5
"""Names that stand for many."""
MOST_KINDS: Final = 40
"""Kinds of failures that are listed."""
MOST_SETS: Final = 20
"""Sets of duplicates that are listed."""


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
        remarks: How often something happened that may surprise.
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
    remarks: dict[str, int]
    duplicates: Duplicates
    shared_sources: int
    shared_groups: int
    unsound: int

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        return asdict(self)


def figures_of(
    table: Table, regions: Regions, failures: Iterable[Failure], remarks: dict[str, int]
) -> Figures:
    """Return the figures of a data set.

    Args:
        table: Its rows.
        regions: What was measured of them.
        failures: The rows of errors.csv.
        remarks: What run.json counted.
    """
    classes = _classes(table)
    weights = table.donor_weight[~np.isnan(table.donor_weight)]
    kinds, failed = _failures(failures)
    in_splits = len(table.splits) > 1
    mixed = int(table.is_mixed.sum())
    return Figures(
        images=len(table),
        originals=int(table.is_original.sum()),
        mixed=mixed,
        methods=dict(
            zip(
                table.methods,
                np.bincount(table.method, minlength=len(table.methods)).tolist(),
                strict=True,
            )
        ),
        sources=len(np.unique(table.base)),
        soft=table.soft,
        classes=classes,
        splits=_splits(table),
        imbalance_before=_imbalance([one.sources or 0 for one in classes if one.name]),
        imbalance_after=_imbalance([one.weight for one in classes if one.name]),
        donor_weights=Histogram.of(weights),
        slight=int((np.minimum(weights, 1 - weights) < SLIGHT).sum()),
        heavy=int((weights >= 0.5).sum()),
        same_class=int((table.is_mixed & (table.members == 1)).sum()),
        areas=Histogram.of(np.array(regions.areas, np.float64)),
        places=regions.places.tolist() if regions.measured else [],
        measured=regions.measured,
        unreadable=regions.unreadable,
        pairs=_pairs(table) if mixed else None,
        donors=_donors(table) if mixed else None,
        failures=kinds,
        failed=failed,
        remarks=remarks,
        duplicates=_duplicates(table),
        shared_sources=_shared(_both_roles(table)) if in_splits else 0,
        shared_groups=_shared((table.group, table.split)) if in_splits else 0,
        unsound=table.unsound,
    )


def _classes(table: Table) -> list[ClassFigures]:
    names = [*table.classes, ""]
    count = len(names)
    # The last number, for pictures without a class, is also that of -1.
    outputs = np.bincount(table.base_class % count, minlength=count).tolist()
    sources: list[int | None] = [None] * count
    if not table.soft:
        _, first = np.unique(table.base, return_index=True)
        sources = np.bincount(table.base_class[first] % count, minlength=count).tolist()
    weights = np.bincount(table.numbers, table.weights, count).tolist()
    by_split: list[list[float]] = []
    if 1 < len(table.splits) <= MOST_SPLITS:
        split_of = table.split[table.row_of].astype(np.int64)
        spread = np.bincount(
            split_of * count + table.numbers, table.weights, len(table.splits) * count
        )
        by_split = spread.reshape(len(table.splits), count).tolist()
    found = [
        ClassFigures(
            name,
            sources[at],
            outputs[at],
            weights[at],
            {split: of[at] for split, of in zip(table.splits, by_split, strict=False) if split},
        )
        for at, name in enumerate(names)
    ]
    return found if outputs[-1] else found[:-1]


def _splits(table: Table) -> list[SplitFigures]:
    count = len(table.splits)
    outputs = np.bincount(table.split, minlength=count).tolist()
    originals = np.bincount(table.split[table.is_original], minlength=count).tolist()
    # Sorted, each base is counted where it first comes in its split.
    order = np.lexsort((table.base, table.split))
    split, base = table.split[order], table.base[order]
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = (split[1:] != split[:-1]) | (base[1:] != base[:-1])
    sources = np.bincount(split[is_first], minlength=count).tolist()
    return [
        SplitFigures(*of_split)
        for of_split in zip(table.splits, outputs, originals, sources, strict=True)
    ]


def _imbalance(amounts: list[float] | list[int]) -> float | None:
    """Return the largest over the smallest amount of those that are not zero.

    Example:
        >>> _imbalance([10, 0, 4]), _imbalance([3]), _imbalance([])
        (2.5, None, None)
    """
    there = [amount for amount in amounts if amount > 0]
    return max(there) / min(there) if len(there) > 1 else None


def _pairs(table: Table) -> Pairs:
    mixed = table.is_mixed
    known = mixed & (table.base_class != NONE) & (table.donor_class != NONE)
    bases, donors = table.base_class[known], table.donor_class[known]
    unknown = int((mixed & ~known).sum())
    if not len(bases):
        return Pairs([], [], unknown)
    count = len(table.classes)
    used = np.bincount(bases, minlength=count) + np.bincount(donors, minlength=count)
    order = [int(at) for at in np.argsort(-used, kind="stable") if used[at]]
    chosen, rest = sorted(order[:PAIRED]), order[PAIRED:]
    place = np.full(count, len(chosen), np.int64)
    place[chosen] = np.arange(len(chosen))
    size = len(chosen) + bool(rest)
    counts = np.bincount(place[bases] * size + place[donors], minlength=size * size)
    names = [table.classes[at] for at in chosen] + [OTHERS] * bool(rest)
    return Pairs(names, counts.reshape(size, size).tolist(), unknown)


def _donors(table: Table) -> Donors:
    rows = np.flatnonzero(table.is_mixed)
    _, first, uses = np.unique(table.donor[rows], return_index=True, return_counts=True)
    # Of equally used donors the first in the table comes first, whatever its hash.
    order = np.lexsort((first, -uses))[:MOST_DONORS]
    most = [(table.donors[int(rows[first[at]])], int(uses[at])) for at in order]
    return Donors(len(uses), float(np.median(uses)), most)


def _failures(failures: Iterable[Failure]) -> tuple[list[FailureKind], int]:
    """Return the kinds of failures, and how many images failed."""
    counts: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], list[str]] = {}
    for failure in failures:
        kind = (failure.stage, failure.reason)
        counts[kind] += 1
        names = examples.setdefault(kind, [])
        if len(names) < EXAMPLES:
            names.append(shown(failure.source))
    kinds = [
        FailureKind(stage, shown(reason), count, examples[stage, reason])
        for (stage, reason), count in counts.most_common(MOST_KINDS)
    ]
    return kinds, counts.total()


def _duplicates(table: Table) -> Duplicates:
    order = np.argsort(table.digest, kind="stable")
    digests = table.digest[order]
    starts = np.flatnonzero(np.concatenate(([True], digests[1:] != digests[:-1])))
    if not len(digests):
        return Duplicates()
    sizes = np.diff(np.append(starts, len(digests)))
    twice = np.flatnonzero(sizes > 1)
    sets = []
    crossing = conflicting = 0
    for at in twice.tolist():
        rows = order[starts[at] : starts[at] + sizes[at]]
        crosses = bool((table.split[rows] != table.split[rows[0]]).any())
        conflicts = bool((table.base_class[rows] != table.base_class[rows[0]]).any())
        crossing += crosses
        conflicting += conflicts
        sets.append((not crosses, not conflicts, int(rows[0]), rows[:EXAMPLES].tolist()))
    sets.sort()
    examples = [[table.names[row] for row in rows] for *_, rows in sets[:MOST_SETS]]
    images = int((sizes[twice] - 1).sum())
    return Duplicates(images, len(twice), crossing, conflicting, examples)


def _both_roles(table: Table) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return what tells sources apart, of bases and donors, and their splits."""
    return np.concatenate((table.base, table.donor)), np.concatenate((table.split, table.split))


def _shared(things: tuple[NDArray[np.int64], NDArray[np.int32]]) -> int:
    """Return how many things are in two splits; 0 is no thing."""
    keys, splits = things
    order = np.flatnonzero(keys != 0)
    order = order[np.argsort(keys[order], kind="stable")]
    if not len(order):
        return 0
    keys, splits = keys[order], splits[order]
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    lowest, highest = np.minimum.reduceat(splits, starts), np.maximum.reduceat(splits, starts)
    return int((lowest != highest).sum())


def places_at_most(figures: Figures) -> float:
    """Return how often the most frequent place is replaced, of all measured rows."""
    return max((share for row in figures.places for share in row), default=0.0)
