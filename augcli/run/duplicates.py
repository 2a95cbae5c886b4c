"""Pictures that are there twice, and groups that are in two splits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from augcli.data.stores.sources import Sources

MOST_LISTED = 100
"""Sets of duplicates, and groups, that are listed; all are counted."""
MOST_PATHS = 20
"""Names of a set that are listed."""


@dataclass(frozen=True)
class DuplicateSet:
    """Pictures whose bytes are the same.

    Attributes:
        images: How many.
        paths: Their names, at most 20.
        across_splits: Whether they are in two splits.
        conflicting: Whether they have different labels.
    """

    images: int
    paths: list[str]
    across_splits: bool
    conflicting: bool


@dataclass(frozen=True)
class Duplicates:
    """All pictures whose bytes are the same as those of another one.

    Attributes:
        images: Pictures that could be removed: all of each set but the first.
        sets: How many sets there are.
        across_splits: How many of them are in two splits.
        conflicting: How many of them have different labels.
        examples: At most 100 sets, the worst first.
    """

    images: int = 0
    sets: int = 0
    across_splits: int = 0
    conflicting: int = 0
    examples: list[DuplicateSet] = field(default_factory=list)


@dataclass(frozen=True)
class Leaks:
    """Groups that are in two splits or more.

    Attributes:
        groups: How many.
        examples: The splits of each, at most 100 groups.
    """

    groups: int = 0
    examples: dict[str, list[str]] = field(default_factory=dict)


def duplicates_of(
    sources: Sources, digests: NDArray[np.uint64], is_known: NDArray[np.bool_]
) -> Duplicates:
    """Return the pictures whose bytes are the same.

    Args:
        sources: All of them.
        digests: uint64 (n, 2): a hash of the bytes of each.
        is_known: bool (n,): which of them are known.
    """
    known = np.flatnonzero(is_known)
    # Stable, so that the pictures of a set are in the order of their names.
    order = known[np.lexsort((digests[known, 1], digests[known, 0]))]
    if not len(order):
        return Duplicates()
    is_new = np.ones(len(order), np.bool_)
    is_new[1:] = (digests[order[1:]] != digests[order[:-1]]).any(axis=1)
    starts = np.flatnonzero(is_new)
    sizes = np.diff(np.append(starts, len(order)))

    def differ(values: object) -> NDArray[np.bool_]:
        """Return for each set whether its pictures differ in a value: bool (sets,)."""
        own = np.array(values, np.int64)[order]
        different: NDArray[np.bool_] = np.minimum.reduceat(own, starts) != np.maximum.reduceat(
            own, starts
        )
        return different

    across = differ(sources.split_of) if sources.splits else np.zeros(len(starts), np.bool_)
    conflicting = differ(sources.label_of)
    several = np.flatnonzero(sizes > 1)
    worst = np.lexsort((order[starts[several]], ~conflicting[several], ~across[several]))
    examples = []
    for number in several[worst[:MOST_LISTED]].tolist():
        start, size = int(starts[number]), int(sizes[number])
        members = order[start : start + min(size, MOST_PATHS)].tolist()
        paths = [sources.paths[index] for index in members]
        examples.append(DuplicateSet(size, paths, bool(across[number]), bool(conflicting[number])))
    return Duplicates(
        images=int(sizes.sum()) - len(sizes),
        sets=len(several),
        across_splits=int(across.sum()),
        conflicting=int(conflicting.sum()),
        examples=examples,
    )


def leaking_groups(sources: Sources) -> Leaks:
    """Return the groups that are in two splits or more.

    Example:
        >>> from augcli.data.stores.sources import Sources
        >>> sources = Sources("", ["a", "b", "c"])
        >>> sources.set_splits(["train", "val", "val"], [])
        >>> sources.set_groups(["anna", "anna", "ben"])
        >>> leaking_groups(sources).examples
        {'anna': ['train', 'val']}
    """
    if not (sources.splits and sources.groups):
        return Leaks()
    count = len(sources.splits)
    pairs = np.unique(np.array(sources.group_of, np.int64) * count + np.array(sources.split_of))
    numbers, starts, sizes = np.unique(pairs // count, return_index=True, return_counts=True)
    leaking = [at for at in np.flatnonzero(sizes > 1).tolist() if sources.groups[numbers[at]]]
    examples = {}
    for at in leaking[:MOST_LISTED]:
        own = pairs[starts[at] : starts[at] + sizes[at]] % count
        examples[sources.groups[numbers[at]]] = [sources.splits[split] for split in own.tolist()]
    return Leaks(len(leaking), examples)
