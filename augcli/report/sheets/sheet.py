"""What is on a sheet: rows of tiles, each a small picture with words and a label bar."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from augcli.pixels.frame import Image
    from augcli.report.pictures.gallery import Part


@dataclass(frozen=True)
class Tile:
    """One picture of a sheet.

    Attributes:
        image: uint8 (H, W, 3), as large as it is shown; None where there is none.
        caption: What stands below it, in printable characters.
        parts: Of its label bar; none where it is no result.
        title: What stands above it.
    """

    image: Image | None
    caption: str = ""
    parts: tuple[Part, ...] = ()
    title: str = ""


@dataclass(frozen=True)
class Sheet:
    """Rows of tiles, the same columns in each.

    Attributes:
        title: What it shows, such as the method.
        subtitle: More of it, such as the options.
        headings: Over the columns; empty texts where there is nothing to say.
        rows: Of tiles; None where a row has nothing in a column.
        notes: What stands below, such as pictures that failed.
    """

    title: str
    subtitle: str
    headings: tuple[str, ...]
    rows: list[list[Tile | None]]
    notes: list[str] = field(default_factory=list)


def wrapped(sheet: Sheet, most: int) -> Sheet:
    """Return a sheet with at most so many columns: longer rows become several.

    Args:
        sheet: The sheet.
        most: Columns that there is room for, at least 1.

    Example:
        >>> sheet = Sheet("cutmix", "", ("base", "donor", "result"), [[Tile(None)] * 3])
        >>> [[tile.title for tile in row] for row in wrapped(sheet, 2).rows]
        [['base', 'donor'], ['result']]
    """
    if len(sheet.headings) <= most:
        return sheet
    rows = []
    for row in sheet.rows:
        titled = [
            tile and replace(tile, title=heading)
            for tile, heading in zip(row, sheet.headings, strict=False)
        ]
        rows += [titled[start : start + most] for start in range(0, len(titled), most)]
    return replace(sheet, headings=("",) * most, rows=rows)
