"""Labels: the weights of classes, how two of them mix, and tables that give them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from augcli.errors import InputError, near_miss

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from augcli.data.stores.sources import Sources

HEADER = ["file_name", "label"]


@dataclass(frozen=True, slots=True)
class Label:
    """What a picture shows: a weight for each class, which sum to 1.

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


def read_labels(table: Path, data: bytes) -> dict[str, str]:
    """Return the class of each file that a CSV table names.

    Args:
        table: The table, for messages.
        data: Its content, with the columns ``file_name`` (relative to INPUT, with ``/``) and
            ``label``.

    Raises:
        InputError: It is no such table, a column is missing, or it names a file twice.
    """
    labels: dict[str, str] = {}
    try:
        text = data.decode("utf-8-sig")
        rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        header = next(rows, [])
        if not set(HEADER) <= set(header):
            raise InputError(
                f"`labels` {table}: the first line is {','.join(header)!r}, "
                "but must name the columns file_name and label"
            )
        name_at, label_at = (header.index(column) for column in HEADER)
        for row in rows:
            if not row:
                continue
            if len(row) != len(header):
                raise InputError(
                    f"`labels` {table}: line {rows.line_num} has {len(row)} cells, "
                    f"but the header has {len(header)}"
                )
            name, label = row[name_at], row[label_at]
            if not label:
                raise InputError(f"`labels` {table}: line {rows.line_num} has no label")
            if labels.setdefault(name, label) != label:
                raise InputError(f"`labels` {table}: {name} has two different labels")
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"`labels` {table}: is not a CSV table in UTF-8 ({error}); "
            "give one with the columns file_name,label"
        ) from None
    return labels


def apply_labels(sources: Sources, table: Path, data: bytes) -> None:
    """Give the sources the labels of a table; see :func:`read_labels`.

    Raises:
        InputError: The table names a file that is not there, or has no row for a source.
    """
    labels = read_labels(table, data)
    unknown = sorted(labels.keys() - set(sources.paths))
    if unknown:
        hint = near_miss(unknown[0], sources.paths) if len(sources.paths) < 100_000 else ""
        raise InputError(
            f"`labels` {table}: {len(unknown)} of its files are not images in INPUT, "
            f"first {unknown[0]!r}{hint}"
        )
    missing = [path for path in sources.paths if path not in labels]
    if missing:
        raise InputError(
            f"`labels` {table}: has no row for {len(missing)} images of INPUT, first {missing[0]!r}"
        )
    sources.set_classes([labels[path] for path in sources.paths])
