"""Which rows are shown as pictures: the same for the same data set, spread over all of it.

Rows are chosen by the hashes of their files, which are as good as random and say nothing of the
order of the rows; and each class and method is shown, and the most and the least mixed outputs.
Sources that came along are shown where room is left, but for a few.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final, NamedTuple

from augcli.report.figures.table import ORIGINAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.data.manifest import Row

MOST: Final = 200
"""Pictures on a page; browsers and eyes take no more."""
EXTREMES: Final = 15
"""Of the most mixed outputs, and of the least mixed."""
ORIGINALS: Final = 12
"""Of the sources that came along, before other outputs."""
FOR_CLASSES: Final = 120
"""Pictures that are kept for classes that no other picture shows."""


class Chosen(NamedTuple):
    """A row that is shown.

    Attributes:
        row: The row.
        number: Its number in the manifest, from 0.
    """

    row: Row
    number: int


class Choice:
    """Chooses rows of a data set, row by row, in bounded memory.

    Args:
        most: How many rows are chosen at most.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._plain = Smallest(most)
        self._originals = Smallest(most)
        self._mixed = Smallest(EXTREMES)
        self._unmixed = Smallest(EXTREMES)
        self._of_class: dict[str, tuple[str, Chosen]] = {}
        self._of_method: dict[str, tuple[str, Chosen]] = {}

    def add(self, row: Row, number: int) -> None:
        """Take one row."""
        key, chosen = row.sha256, Chosen(row, number)
        _keep_smallest(self._of_method, row.method, key, chosen)
        if row.method == ORIGINAL:
            self._originals.add((key, number), chosen)
            return
        self._plain.add((key, number), chosen)
        weights = row.label.weights
        _keep_smallest(self._of_class, weights[0][0] if weights else "", key, chosen)
        if row.source_b and len(weights) > 1:
            even = abs(weights[1][1] - 0.5)
            self._mixed.add((even, key, number), chosen)
            self._unmixed.add((-even, key, number), chosen)

    def rows(self) -> list[Chosen]:
        """Return the rows that are shown, in the order of the manifest."""
        found: dict[int, Chosen] = {}
        for chosen in self._by_importance():
            if len(found) == self._most:
                break
            found.setdefault(chosen.number, chosen)
        return [found[number] for number in sorted(found)]

    def _by_importance(self) -> Iterator[Chosen]:
        yield from (chosen for _, chosen in self._of_method.values())
        yield from self._mixed.values()
        yield from self._unmixed.values()
        # Of more classes than there is room for, those whose hash is smallest.
        of_classes = sorted(self._of_class.values(), key=lambda pair: pair[0])
        yield from (chosen for _, chosen in of_classes[:FOR_CLASSES])
        originals = self._originals.values()
        yield from originals[:ORIGINALS]
        yield from self._plain.values()
        yield from originals


def _keep_smallest(
    kept: dict[str, tuple[str, Chosen]], name: str, key: str, chosen: Chosen
) -> None:
    before = kept.get(name)
    if before is None or key < before[0]:
        kept[name] = (key, chosen)


class Smallest:
    """Keeps the rows with the smallest keys, in bounded memory.

    Args:
        most: How many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[tuple[_Reversed, Chosen]] = []

    def add(self, key: tuple[float | str, ...], chosen: Chosen) -> None:
        """Take a value with its key."""
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, (_Reversed(key), chosen))
        elif key < self._heap[0][0].key:
            heapq.heapreplace(self._heap, (_Reversed(key), chosen))

    def values(self) -> list[Chosen]:
        """Return what was kept, the smallest key first."""
        return [chosen for _, chosen in sorted(self._heap, reverse=True)]


class _Reversed:
    """A key in reverse order: ``heapq`` has the smallest first, and the largest is replaced."""

    __slots__ = ("key",)

    def __init__(self, key: tuple[float | str, ...]) -> None:
        self.key = key

    def __lt__(self, other: _Reversed) -> bool:
        return bool(other.key < self.key)
