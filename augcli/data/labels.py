"""Labels: the weights of classes, and how two of them mix."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


SUM_TOLERANCE = 1e-6
_WHOLE = re.compile(r"-?[0-9]{1,18}(\.0*)?")
"""Numbers of classes in a table; those that pandas wrote may end in ``.0``."""


def class_order(names: Iterable[str]) -> list[str]:
    """Return the names of classes in order: by number where all are whole numbers, else by text.

    Example:
        >>> class_order(["10", "9"]), class_order(["10", "9", "cat"])
        (['9', '10'], ['10', '9', 'cat'])
    """
    in_order = sorted(names)
    if all(map(_WHOLE.fullmatch, in_order)):
        in_order.sort(key=lambda name: int(name.partition(".")[0]))
    return in_order


@dataclass(frozen=True, slots=True)
class Label:
    """What a picture shows: a weight for each class.

    They sum to 1, but where a picture may show several classes at once.

    Attributes:
        weights: Class and weight, the base's classes first; empty for an unlabelled picture.

    Example:
        >>> print(Label.of("cat").mixed(Label.of("dog"), 6, 49))
        cat 0.877551, dog 0.122449
    """

    weights: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(cls, name: str) -> Label:
        """Return the label of one class; an empty name gives the empty label."""
        return cls(((name, 1.0),)) if name else cls()

    @classmethod
    def from_json(cls, weights: Mapping[str, float]) -> Label:
        """Return the label that :meth:`to_json` gave."""
        return cls(tuple(weights.items()))

    def to_json(self) -> dict[str, float]:
        """Return the weights by class, in order."""
        return dict(self.weights)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in order."""
        return tuple(name for name, _ in self.weights)

    @property
    def is_sound(self) -> bool:
        """Whether the weights of a label are shares that sum to 1, or there are none.

        Example:
            >>> Label((("cat", 0.25), ("dog", 0.75))).is_sound, Label((("cat", 2.0),)).is_sound
            (True, False)
        """
        weights = [weight for _, weight in self.weights]
        # Written so that NaN fails as well.
        return not weights or (min(weights) >= 0 and abs(sum(weights) - 1) <= SUM_TOLERANCE)

    @property
    def are_parts(self) -> bool:
        """Whether each weight is from 0 to 1, as it is where several classes are there at once.

        Example:
            >>> Label((("cat", 1.0), ("dog", 1.0))).are_parts, Label((("cat", 2.0),)).are_parts
            (True, False)
        """
        return all(0 <= weight <= 1 for _, weight in self.weights)

    @property
    def heaviest(self) -> str:
        """The class of the largest weight, the first of equals; empty where there is none."""
        return max(self.weights, key=lambda member: member[1])[0] if self.weights else ""

    def mixed(self, donor: Label, given: float, total: float) -> Label:
        """Return the convex combination of this label, the base's, and the donor's.

        Args:
            donor: The label of the donor.
            given: What of the output is the donor's, in pixels or in heat-map mass.
            total: All there is.
        """
        if self.weights == donor.weights:
            return self
        if len(self.weights) == len(donor.weights) == 1:
            # The usual case, in a tenth of the time.
            ((ours_only, own),), ((theirs_only, other),) = self.weights, donor.weights
            if ours_only != theirs_only:
                return Label(
                    (
                        (ours_only, own * (total - given) / total),
                        (theirs_only, other * given / total),
                    )
                )
        ours, theirs = dict(self.weights), dict(donor.weights)

        def share(name: str) -> float:
            # From counts and not from a rounded share, so that each weight is the nearest
            # number to its true value.
            return (ours.get(name, 0.0) * (total - given) + theirs.get(name, 0.0) * given) / total

        return Label(tuple((name, share(name)) for name in {**ours, **theirs}))

    def __str__(self) -> str:
        if len(self.weights) == 1 and self.weights[0][1] == 1:
            return self.weights[0][0]
        return ", ".join(f"{name} {weight:.6g}" for name, weight in self.weights) or "(unlabelled)"
