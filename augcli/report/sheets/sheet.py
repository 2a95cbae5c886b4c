"""What is on a sheet: rows of tiles, each a small picture with words and a label bar."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    """

    image: Image | None
    caption: str = ""
    parts: tuple[Part, ...] = ()


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
