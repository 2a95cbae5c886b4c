"""Names and labels of many pictures in a few arrays, which processes can share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from augcli.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Self

    from numpy.typing import NDArray

    from augcli.data.labels import Label


class PackedNames(NamedTuple):
    """Texts, one after the other.

    Attributes:
        letters: uint8: all of them in UTF-8.
        ends: int64 (n,): where each ends.

    Example:
        >>> names = PackedNames.of(["cat/a.jpg", "b"])
        >>> names.name(1), len(names.ends)
        ('b', 2)
    """

    letters: NDArray[np.uint8]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, names: Iterable[str]) -> Self:
        """Pack texts."""
        encoded = [name.encode("utf-8", "surrogateescape") for name in names]
        ends = np.cumsum([len(name) for name in encoded], dtype=np.int64)
        return cls(np.frombuffer(b"".join(encoded), np.uint8), ends)

    def name(self, index: int) -> str:
        """Return one of the texts, by its number from 0."""
        start = int(self.ends[index - 1]) if index else 0
        return bytes(self.letters[start : self.ends[index]]).decode("utf-8", "surrogateescape")


class PackedLabels(NamedTuple):
    """Labels, each as the numbers of its classes with their weights.

    Attributes:
        ends: int64 (n,): where the classes of each picture end.
        numbers: int32: numbers of classes, those of one picture after the other.
        weights: float32: the weight of each.

    Example:
        >>> from augcli.data.labels import Label
        >>> mixed = Label((("dog", 0.25), ("cat", 0.75)))
        >>> labels = PackedLabels.of([mixed, Label()], ["cat", "dog"], "OUT")
        >>> labels.row(0, 2).tolist(), labels.hard().tolist()
        ([0.75, 0.25], [0, -1])
    """

    ends: NDArray[np.int64]
    numbers: NDArray[np.int32]
    weights: NDArray[np.float32]

    @classmethod
    def of(cls, labels: Iterable[Label], classes: Sequence[str], where: str) -> Self:
        """Pack labels.

        Args:
            labels: One for each picture.
            classes: The names of all classes, in order.
            where: Names the data set in messages.

        Raises:
            InputError: A label has a class that is not among them.
        """
        number_of = {name: number for number, name in enumerate(classes)}
        ends, numbers, weights = [], [], []
        for label in labels:
            for name, weight in label.weights:
                if name not in number_of:
                    raise InputError(
                        f"{where}: classes.txt has no class {name!r}, which the manifest has; make "
                        "the output folder again, or look at it with augcli verify"
                    )
                numbers.append(number_of[name])
                weights.append(weight)
            ends.append(len(numbers))
        return cls(
            np.array(ends, np.int64), np.array(numbers, np.int32), np.array(weights, np.float32)
        )

    def row(self, index: int, classes: int) -> NDArray[np.float32]:
        """Return the weights of one picture, float32 (classes,)."""
        members = slice(self.ends[index - 1] if index else 0, self.ends[index])
        target = np.zeros(classes, np.float32)
        target[self.numbers[members]] = self.weights[members]
        return target

    def dense(self, classes: int) -> NDArray[np.float32]:
        """Return the weights of all pictures, float32 (n, classes)."""
        targets = np.zeros((len(self.ends), classes), np.float32)
        targets[self._rows, self.numbers] = self.weights
        return targets

    def hard(self) -> NDArray[np.int64]:
        """Return the number of each picture's heaviest class, -1 where it has none.

        Of equal weights the first counts: the base's.
        """
        # The last that is written stays: the heaviest, and of equal ones the first.
        order = np.lexsort((-np.arange(len(self.numbers)), self.weights, self._rows))
        hard = np.full(len(self.ends), -1, np.int64)
        hard[self._rows[order]] = self.numbers[order]
        return hard

    @property
    def _rows(self) -> NDArray[np.int64]:
        return np.repeat(np.arange(len(self.ends)), np.diff(self.ends, prepend=0))
