"""How many pictures each class has: of what is there, and of what will be made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from augcli.data.stores.sources import Sources


@dataclass(slots=True)
class ClassCount:
    """How much of a class there is.

    Attributes:
        images: Pictures of the class: by the heaviest class of a soft label, and by all of its
            classes where a label holds several.
        mass: The sum of the class's weights.
    """

    images: int = 0
    mass: float = 0.0


def class_counts(
    sources: Sources, times: NDArray[np.int64] | None = None
) -> dict[tuple[str, str], ClassCount]:
    """Count the pictures of each class in each split.

    Args:
        sources: All of them.
        times: int64 (n,): how often each source counts; once where None.

    Returns:
        By split and class, in the order of both; the empty class, of unlabelled pictures, comes
        last in its split. A split is the empty name where there are none.

    Example:
        >>> from augcli.data.stores.sources import Sources
        >>> sources = Sources("", ["a", "b", "c"])
        >>> sources.set_classes(["cat", "cat", ""])
        >>> {name: count.images for (_, name), count in class_counts(sources).items()}
        {'cat': 2, '': 1}
    """
    splits = sources.splits or [""]
    keys = np.array(sources.label_of, np.int64) * len(splits)
    if sources.splits:
        keys += np.array(sources.split_of, np.int64)
    # Most sources share their label and split with others.
    present, at = np.unique(keys, return_inverse=True)
    totals = np.bincount(at, times, len(present)).astype(np.int64)
    counts: dict[tuple[str, str], ClassCount] = {}
    for key, total in zip(present.tolist(), totals.tolist(), strict=True):
        label, split = sources.labels[key // len(splits)], splits[key % len(splits)]
        weights = [(name, weight) for name, weight in label.weights if weight]
        shown = {name for name, _ in weights} if sources.are_many else {label.heaviest}
        for name in shown or {""}:
            counts.setdefault((split, name), ClassCount()).images += total
        for name, weight in weights:
            counts.setdefault((split, name), ClassCount()).mass += weight * total
    place = {name: number for number, name in enumerate([*sources.classes, ""])}
    order = {name: number for number, name in enumerate(splits)}
    return dict(sorted(counts.items(), key=lambda item: (order[item[0][0]], place[item[0][1]])))


def of_all_splits(counts: dict[tuple[str, str], ClassCount]) -> dict[str, ClassCount]:
    """Return the counts of each class in all splits together, in no particular order."""
    sums: dict[str, ClassCount] = {}
    for (_, name), count in counts.items():
        total = sums.setdefault(name, ClassCount())
        total.images += count.images
        total.mass += count.mass
    return sums
