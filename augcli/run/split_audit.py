"""Do the splits of an output folder stay apart? No source and no group may be in two of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.data.manifest import Row
    from augcli.data.stores.sources import Sources

ORIGINAL = "original"


class _Place(NamedTuple):
    """Where a source or a group was seen first.

    Attributes:
        split: The split.
        file_name: An output of it there.
        is_known: Whether it certainly belongs there: its original is there too.
    """

    split: str
    file_name: str
    is_known: bool


@dataclass(slots=True)
class SplitAudit:
    """Compares the splits of rows.

    Attributes:
        sources: INPUT, where it is given and its splits are known; they decide.
    """

    sources: Sources | None = None
    _of_source: dict[str, _Place] = field(default_factory=dict)
    _of_group: dict[str, _Place] = field(default_factory=dict)

    def problems(self, row: Row) -> Iterator[tuple[str, str]]:
        """Yield the file and what is wrong where a row shares something with another split.

        Of two rows that don't fit, the one is named that is not the original.
        """
        if not row.split:
            return
        is_original = row.method == ORIGINAL
        for role, source in (("source_a", row.source_a), ("source_b", row.source_b)):
            if not source:
                continue
            true_split = self._true_split(source)
            if true_split is not None and true_split != row.split:
                yield row.file_name, _crossing(row.split, role, source, true_split)
            elif true_split is None:
                mine = _Place(row.split, row.file_name, is_original)
                yield from _compared(self._of_source, source, mine, f"{role} {source!r}")
        if row.group:
            mine = _Place(row.split, row.file_name, is_original)
            yield from _compared(self._of_group, row.group, mine, f"group {row.group!r}")

    def _true_split(self, source: str) -> str | None:
        """Return the split of a source of INPUT; None where it is not known."""
        index = self.sources.find(source) if self.sources else None
        return None if index is None or not self.sources else self.sources.split(index)


def _compared(
    places: dict[str, _Place], name: str, mine: _Place, what: str
) -> Iterator[tuple[str, str]]:
    """Remember where a source or a group is; yield what is wrong where it is in two splits."""
    before = places.setdefault(name, mine)
    if before.split == mine.split:
        if mine.is_known and not before.is_known:
            places[name] = mine
        return
    wrong, right = mine, before
    if mine.is_known and not before.is_known:
        wrong, right = before, mine
        places[name] = mine
    yield (
        wrong.file_name,
        f"is in split {wrong.split!r}, but {what} is also in split {right.split!r} "
        f"({right.file_name})",
    )


def _crossing(split: str, role: str, source: str, true_split: str) -> str:
    return f"is in split {split!r}, but {role} {source!r} belongs to split {true_split!r}"
