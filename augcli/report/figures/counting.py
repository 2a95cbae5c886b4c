"""Counting: the figures follow from the table of rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from augcli.report.figures.figures import (
    ClassFigures,
    Donors,
    Duplicates,
    FailureKind,
    Figures,
    Histogram,
    Pairs,
    SplitFigures,
)
from augcli.report.figures.table import NONE
from augcli.report.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from augcli.data.manifest import Failure
    from augcli.report.figures.figures import Remark
    from augcli.report.figures.regions import Regions
    from augcli.report.figures.table import Table

MOST_SPLITS: Final = 20
"""Splits for which the weight of each class is told."""
PAIRED: Final = 30
"""Classes of the pair matrix; the rest is one class more."""
OTHERS: Final = "(all others)"
MOST_DONORS: Final = 15
"""Donors that are named."""
EXAMPLES: Final = 5
"""Names that stand for many."""
MOST_KINDS: Final = 40
"""Kinds of failures that are listed."""
MOST_SETS: Final = 20
"""Sets of duplicates that are listed."""
SLIGHT: Final = 0.05
"""A picture of less weight than this is hardly seen in a mix."""


def figures_of(
    table: Table, regions: Regions, failures: Iterable[Failure], remarks: list[Remark]
) -> Figures:
    """Return the figures of a data set.

    Args:
        table: Its rows.
        regions: What was measured of them.
        failures: The rows of errors.csv.
        remarks: What may surprise.
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
    by_split: Any = []
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
