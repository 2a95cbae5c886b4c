"""Tables for people: aligned columns that fit on a terminal of 80 columns, with a margin of two."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from augcli.run.showing.lines import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 78
LEAST_NAME: Final = 16
"""Columns that the names have at least; columns of numbers that don't fit beside them are cut."""
GAP: Final = "  "
CUT: Final = "…"
UNLABELLED: Final = "(unlabelled)"
"""Stands for the class of a picture that has none."""


def table_lines(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table: names on the left, numbers aligned on the right.

    Args:
        header: The titles of the columns; the first is that of the names.
        rows: The cells of each row. Long names are shortened, and columns for which there is no
            room are left out.

    Example:
        >>> for line in table_lines(["class", "has"], [["cat", "1,000"], ["dog", "7"]]):
        ...     print(line)
        class    has
        cat    1,000
        dog        7
    """
    cells = [[printable(cell) for cell in row] for row in (header, *rows)]
    widths = [max(_columns(row[at]) for row in cells) for at in range(len(header))]
    left = WIDTH - min(widths[0], LEAST_NAME)
    shown = 1
    # The sign for what is left out needs some room itself.
    while shown < len(widths) and sum(widths[1 : shown + 1]) + len(GAP) * shown <= left - 3:
        shown += 1
    names = min(widths[0], WIDTH - sum(widths[1:shown]) - len(GAP) * shown)
    more = f"{GAP}{CUT}" if shown < len(widths) else ""
    return [
        GAP.join(
            [
                _padded(_shortened(row[0], names), names),
                *(
                    f"{cell:>{width}}"
                    for cell, width in zip(row[1:shown], widths[1:], strict=False)
                ),
            ]
        )
        + more
        for row in cells
    ]


def _columns(text: str) -> int:
    """Return how many columns of a terminal a text takes.

    Example:
        >>> _columns("cat"), _columns("猫")
        (3, 2)
    """
    return sum(
        2 if unicodedata.east_asian_width(letter) in "WF" else not unicodedata.combining(letter)
        for letter in text
    )


def _shortened(text: str, width: int) -> str:
    if _columns(text) <= width:
        return text
    while text and _columns(text) > width - 1:
        text = text[:-1]
    return text + CUT


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _columns(text))
