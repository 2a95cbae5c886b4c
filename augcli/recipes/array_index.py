"""Which of the tasks of an array job a command is: ``3/100``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

Item = TypeVar("Item")

_WRITTEN = re.compile(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*", re.ASCII)


@dataclass(frozen=True)
class ArrayIndex:
    """One of the tasks of an array job.

    Attributes:
        number: Which task, 0 and up.
        count: How many tasks there are.
    """

    number: int
    count: int

    @classmethod
    def parse(cls, value: Any) -> ArrayIndex:
        """Return the task that a text names.

        Raises:
            ValueError: It is not of the form ``3/100``, or there is no such task.

        Example:
            >>> ArrayIndex.parse("3/100")
            ArrayIndex(number=3, count=100)
        """
        match = _WRITTEN.fullmatch(str(value))
        if not match or int(match[2]) < 1:
            raise ValueError(f"is {str(value)!r}, but must be a task and their number, as in 3/100")
        index = cls(int(match[1]), int(match[2]))
        if index.number >= index.count:
            raise ValueError(
                f"is {str(value)!r}, but tasks are numbered from 0: it must be from "
                f"0/{index.count} to {index.count - 1}/{index.count}"
            )
        return index

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def slice(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return the items of this task: neighbours, about as many as those of any other task.

        Example:
            >>> [ArrayIndex(number, 3).slice("abcdefgh") for number in range(3)]
            ['ab', 'cde', 'fgh']
        """
        start = len(items) * self.number // self.count
        stop = len(items) * (self.number + 1) // self.count
        return items[start:stop]

    @classmethod
    def of(cls, position: int, total: int, count: int) -> ArrayIndex:
        """Return the task that has an item.

        Example:
            >>> [ArrayIndex.of(position, 8, 3).number for position in range(8)]
            [0, 0, 1, 1, 1, 2, 2, 2]
        """
        return cls(((position + 1) * count - 1) // total, count)


def parse_index(value: Any) -> str:
    """Return the task of an array job as text, checked; see :meth:`ArrayIndex.parse`.

    Example:
        >>> parse_index(" 3/100")
        '3/100'
    """
    return str(ArrayIndex.parse(value))
