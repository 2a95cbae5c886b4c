"""The manifest in arrays: what the figures need of each row, in about a hundred bytes a row.

A million rows are read once and fit in memory; no row is kept as an object.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from augcli.report.words import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from augcli.data.manifest import Row

ORIGINAL: Final = "original"
"""The method of a source that came along."""
NONE: Final = -1
"""The number of what is not there."""


class Texts:
    """Many texts in two arrays; each is kept as it is shown.

    Example:
        >>> texts = Texts()
        >>> texts.append("cat/a.jpg"), texts.append("b.jpg"), texts[1], len(texts)
        (None, None, 'b.jpg', 2)
    """

    def __init__(self) -> None:
        self._letters = bytearray()
        self._ends = array("q")

    def __len__(self) -> int:
        return len(self._ends)

    def append(self, text: str) -> None:
        """Add a text at the end."""
        self._letters += shown(text).encode("utf-8")
        self._ends.append(len(self._letters))

    def __getitem__(self, index: int) -> str:
        start = self._ends[index - 1] if index else 0
        return self._letters[start : self._ends[index]].decode("utf-8")


class Numbers(dict[str, int]):
    """Gives each name a number, in the order in which names come.

    Example:
        >>> numbers = Numbers(["cat"])
        >>> numbers["dog"], numbers["cat"], list(numbers)
        (1, 0, ['cat', 'dog'])
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        super().__init__({name: number for number, name in enumerate(names)})

    def __missing__(self, name: str) -> int:
        self[name] = len(self)
        return self[name]


@dataclass(frozen=True)
class Table:
    """The rows of a manifest, each array with an entry for each row unless it says otherwise.

    Attributes:
        classes: Names of the classes: those of classes.txt first.
        splits: Names of the splits, in the order of the rows; one empty name where there are none.
        methods: Names of the methods, in the order of the rows.
        names: The file of each row, as it is shown.
        donors: Its donor, as it is shown; empty where there is none.
        soft: Whether sources may have several classes, so that it is not known which of a mixed
            label came from the donor.
        unsound: Labels that are not shares, or do not sum to 1 where they must.
        split: int32: number of the split.
        method: int32: number of the method.
        digest: uint64: the first 64 bits of the file's SHA-256.
        base: int64: tells the bases apart.
        donor: int64: tells the donors apart; 0 where there is none.
        group: int64: tells the groups apart; 0 where there is none.
        members: int64: how many classes the label has.
        numbers: int32: numbers of the classes of all labels, one label after the other.
        weights: float64: the weight of each of these, 0 to 1.
    """

    classes: list[str]
    splits: list[str]
    methods: list[str]
    names: Texts
    donors: Texts
    soft: bool
    unsound: int
    split: NDArray[np.int32]
    method: NDArray[np.int32]
    digest: NDArray[np.uint64]
    base: NDArray[np.int64]
    donor: NDArray[np.int64]
    group: NDArray[np.int64]
    members: NDArray[np.int64]
    numbers: NDArray[np.int32]
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def is_original(self) -> NDArray[np.bool_]:
        """Bool (n,): whether a row is a source that came along."""
        there = self.methods.index(ORIGINAL) if ORIGINAL in self.methods else NONE
        return np.asarray(self.method == there)

    @cached_property
    def is_mixed(self) -> NDArray[np.bool_]:
        """Bool (n,): whether a row has a donor."""
        return np.asarray(self.donor != 0)

    @cached_property
    def base_class(self) -> NDArray[np.int64]:
        """int64 (n,): the first class of each label, the base's; -1 where there is none.

        Of soft labels the heaviest, because any may be the base's.
        """
        return self._heaviest() if self.soft else self._member(0)

    @cached_property
    def donor_class(self) -> NDArray[np.int64]:
        """int64 (n,): the donor's class; -1 where there is none, or it can't be known."""
        if self.soft:
            return np.full(len(self), NONE, np.int64)
        second = self._member(1)
        # Mixed within one class, the label has this class alone.
        return np.where(self.is_mixed & (second == NONE), self.base_class, second)

    @cached_property
    def donor_weight(self) -> NDArray[np.float64]:
        """float64 (n,): the weight of the donor's class; NaN where the label does not have it."""
        found = np.full(len(self), np.nan)
        if not self.soft:
            two = self.is_mixed & (self.members > 1)
            found[two] = self.weights[self._starts[two] + 1]
        return found

    @cached_property
    def row_of(self) -> NDArray[np.int64]:
        """int64: which row each of :attr:`numbers` belongs to."""
        return np.repeat(np.arange(len(self)), self.members)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        return np.cumsum(self.members) - self.members

    def _member(self, place: int) -> NDArray[np.int64]:
        """Return the number of the class at a place in each label; -1 where there is none."""
        found = np.full(len(self), NONE, np.int64)
        there = self.members > place
        found[there] = self.numbers[self._starts[there] + place]
        return found

    def _heaviest(self) -> NDArray[np.int64]:
        found = np.full(len(self), NONE, np.int64)
        # The last that is written stays: the heaviest, and of equal ones the first.
        order = np.lexsort((-np.arange(len(self.numbers)), self.weights, self.row_of))
        found[self.row_of[order]] = self.numbers[order]
        return found


class TableReader:
    """Takes rows one by one, and gives the table of all.

    Args:
        classes: Those of classes.txt, in order; labels may have others.
        many: Whether several classes may be there at once, with weights that need not sum to 1.
    """

    def __init__(self, classes: Sequence[str], *, many: bool) -> None:
        self._many = many
        self._unsound = 0
        self._classes = Numbers(classes)
        self._splits = Numbers()
        self._methods = Numbers()
        self._names = Texts()
        self._donors = Texts()
        self._split = array("i")
        self._method = array("i")
        self._digest = array("Q")
        self._base = array("q")
        self._donor = array("q")
        self._group = array("q")
        self._members = array("q")
        self._numbers = array("i")
        self._weights = array("d")

    def add(self, row: Row) -> None:
        """Take one row."""
        self._names.append(row.file_name)
        self._donors.append(row.source_b)
        self._split.append(self._splits[row.split])
        self._method.append(self._methods[row.method])
        self._digest.append(_number(row.sha256))
        # Hashes of texts differ from process to process, but nothing shown depends on their values.
        self._base.append(hash(row.source_a))
        self._donor.append(hash(row.source_b) if row.source_b else 0)
        self._group.append(hash(row.group) if row.group else 0)
        weights = row.label.weights
        self._members.append(len(weights))
        for name, weight in weights:
            self._numbers.append(self._classes[name])
            # What is no share, in a table that somebody changed, is counted and weighs nothing.
            self._weights.append(weight if 0 <= weight <= 1 else 0.0)
        self._unsound += not (row.label.are_parts if self._many else row.label.is_sound)

    def table(self, *, soft: bool) -> Table:
        """Return the table of all rows that were taken.

        Args:
            soft: See :class:`Table`.
        """
        return Table(
            list(self._classes),
            list(self._splits) or [""],
            list(self._methods),
            self._names,
            self._donors,
            soft,
            self._unsound,
            np.array(self._split, np.int32),
            np.array(self._method, np.int32),
            np.array(self._digest, np.uint64),
            np.array(self._base, np.int64),
            np.array(self._donor, np.int64),
            np.array(self._group, np.int64),
            np.array(self._members, np.int64),
            np.array(self._numbers, np.int32),
            np.array(self._weights, np.float64),
        )


def _number(sha256: str) -> int:
    """Return the first 64 bits of a hash; 0 for a text that is none."""
    try:
        return int(sha256[:16], 16) & (2**64 - 1)
    except ValueError:
        return 0
