"""Amounts: how many outputs each source gets.

Each class is filled up evenly: all of its sources get as many outputs, and a few of them one more.
Those few are chosen by a hash, so that a larger amount only adds outputs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from augcli.rng import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from augcli.data.stores.sources import Sources

MOST_COPIES = 1_000_000
"""Outputs that one source can get."""


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """How many outputs are wanted.

    Attributes:
        copies: For each source, where nothing else is said.
        per_class: For each class: a number, that of the largest class, or the median of all.
            With originals, these count too.
        total: In all. With originals, these count too.
        copies_of: For each source of single classes, by class.
        only_classes: Classes that are augmented; all where empty.
        skip_classes: Classes that are not.
        with_originals: Whether the originals are outputs too.
    """

    copies: int = 1
    per_class: int | Literal["max", "median"] | None = None
    total: int | None = None
    copies_of: Mapping[str, int] = field(default_factory=dict)
    only_classes: frozenset[str] = frozenset()
    skip_classes: frozenset[str] = frozenset()
    with_originals: bool = False

    @property
    def are_even(self) -> bool:
        """Whether all sources that are augmented get as many outputs."""
        of_classes = (self.per_class, self.copies_of, self.only_classes, self.skip_classes)
        return self.total is None and not any(of_classes)


def class_numbers(sources: Sources) -> NDArray[np.int32]:
    """Return the number of each source's class, the heaviest of a soft label; -1 for none.

    Returns:
        int32 (n,): indices into ``sources.classes``.
    """
    number = {name: index for index, name in enumerate(sources.classes)}
    of_label = np.array([number.get(label.heaviest, -1) for label in sources.labels], np.int32)
    found: NDArray[np.int32] = of_label[np.asarray(sources.label_of)]
    return found


def copies_of_sources(
    sources: Sources, augmented: NDArray[np.bool_], amounts: Amounts, seed: int
) -> NDArray[np.int64]:
    """Return how many outputs each source gets.

    Args:
        sources: All of them.
        augmented: bool (n,): which of them are augmented, by their split.
        amounts: What is wanted; in each split anew, but a total in all splits together.
        seed: Another seed chooses others.

    Returns:
        int64 (n,).

    Example:
        >>> from array import array
        >>> from augcli.data.stores.sources import Sources
        >>> sources = Sources("", ["cat/a", "cat/b", "dog/a"])
        >>> sources.set_classes(["cat", "cat", "dog"])
        >>> copies_of_sources(sources, np.ones(3, bool), Amounts(per_class=4), 0).tolist()
        [2, 2, 4]
    """
    if amounts.are_even:
        return augmented * np.int64(amounts.copies)
    copies = np.zeros(len(sources), np.int64)
    numbers = class_numbers(sources)
    included = augmented & _included(sources, amounts)[numbers]
    if amounts.total is not None:
        members = np.flatnonzero(included)
        total = amounts.total - (len(members) if amounts.with_originals else 0)
        copies[members] = _spread(sources, members, max(0, total), seed)
        return copies
    for split in range(max(1, len(sources.splits))):
        chosen = included & (np.array(sources.split_of, np.int64) == split if sources.splits else 1)
        _fill_split(sources, np.flatnonzero(chosen), numbers, amounts, seed, copies)
    return copies


def _included(sources: Sources, amounts: Amounts) -> NDArray[np.bool_]:
    """Return for each class whether it is augmented; the last value is for unlabelled sources."""
    only, skip = amounts.only_classes, amounts.skip_classes
    classes = [(not only or name in only) and name not in skip for name in sources.classes]
    return np.array([*classes, not only], np.bool_)


def _fill_split(
    sources: Sources,
    chosen: NDArray[np.int64],
    numbers: NDArray[np.int32],
    amounts: Amounts,
    seed: int,
    copies: NDArray[np.int64],
) -> None:
    """Set the outputs of the sources of one split."""
    if not len(chosen):
        return  # a split that is not augmented, or of which all classes are skipped
    if amounts.per_class is None and not amounts.copies_of:
        copies[chosen] = amounts.copies
        return
    by_class = chosen[np.argsort(numbers[chosen], kind="stable")]
    present, starts = np.unique(numbers[by_class], return_index=True)
    groups = np.split(by_class, starts[1:])
    target = _target(amounts, [len(members) for members in groups])
    for number, members in zip(present.tolist(), groups, strict=True):
        name = sources.classes[number] if number >= 0 else ""
        if name in amounts.copies_of:
            copies[members] = amounts.copies_of[name]
        elif target is None:
            copies[members] = amounts.copies
        else:
            total = target - (len(members) if amounts.with_originals else 0)
            copies[members] = _spread(sources, members, max(0, total), seed)


def _target(amounts: Amounts, counts: list[int]) -> int | None:
    """Return how many outputs each class is to have; None where classes don't matter."""
    match amounts.per_class:
        case "max":
            return max(counts, default=0)
        case "median":
            return int(np.median(counts)) if counts else 0
        case number:
            return number


def _spread(
    sources: Sources, members: NDArray[np.int64], total: int, seed: int
) -> NDArray[np.int64]:
    """Return how many outputs each member gets, so that they sum to a total."""
    if not len(members):
        return np.zeros(0, np.int64)
    each, left = divmod(total, len(members))
    copies = np.full(len(members), each, np.int64)
    if left:
        key_of = Digest(seed, "amount", each, size=8)
        keys = b"".join([key_of(sources.paths[index]) for index in members.tolist()])
        copies[np.argsort(np.frombuffer(keys, ">u8"), kind="stable")[:left]] += 1
    return copies
