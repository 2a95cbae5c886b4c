"""A sheet in coloured characters: two pixels in each, upper and lower half-blocks."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.color import Color
from rich.console import Console, Group
from rich.style import Style
from rich.table import Table
from rich.text import Text

from augcli.pixels.frame import Frame
from augcli.pixels.resize import resize
from augcli.report.sheets.draw import PARTS
from augcli.report.sheets.lettering import cut
from augcli.report.sheets.sheet import wrapped

if TYPE_CHECKING:
    from rich.align import VerticalAlignMethod
    from rich.console import RenderableType

    from augcli.pixels.frame import Image
    from augcli.report.sheets.sheet import Sheet, Tile

WIDEST: Final = 40
NARROWEST: Final = 18
"""Characters of a picture; where more columns do not fit, rows become several."""
GAP: Final = 2
TALLEST: Final = 22
"""Lines of a picture."""


def half_blocks(sheet: Sheet, columns: int, *, many: bool) -> str:
    """Return a sheet as text with colours.

    Args:
        sheet: The sheet.
        columns: Characters of a line.
        many: Whether there are 24 bits of colour, else 256 colours.
    """
    across = max(1, min(len(sheet.headings), (columns + GAP) // (NARROWEST + GAP)))
    width = min(WIDEST, max(4, (columns + GAP) // across - GAP))
    lines = wrapped(sheet, across)
    text = io.StringIO()
    console = Console(
        file=text,
        width=max(columns, 8),
        force_terminal=True,
        color_system="truecolor" if many else "256",
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        no_color=False,
    )
    console.print(Text(sheet.title, "bold", overflow="ellipsis", no_wrap=True))
    if sheet.subtitle:
        console.print(Text(sheet.subtitle, overflow="ellipsis", no_wrap=True))
    for row in lines.rows:
        grid = _grid(len(row), width)
        titles = (
            lines.headings if any(lines.headings) else [tile.title if tile else "" for tile in row]
        )
        grid.add_row(*(Text(title, "bold", overflow="ellipsis") for title in titles))
        grid.add_row(*(_picture(tile, width) for tile in row))
        console.print(grid)
        grid = _grid(len(row), width, "top")
        grid.add_row(*(_words(tile, width) for tile in row))
        console.print(grid)
        console.print()
    for note in sheet.notes:
        console.print(Text(note, overflow="ellipsis", no_wrap=True))
    return text.getvalue().rstrip("\n")


def _grid(columns: int, width: int, vertical: VerticalAlignMethod = "bottom") -> Table:
    grid = Table.grid(padding=(0, GAP, 0, 0))
    for _ in range(columns):
        grid.add_column(width=width, no_wrap=True, vertical=vertical)
    return grid


def _picture(tile: Tile | None, width: int) -> RenderableType:
    """Return the picture of a tile, as wide as there is room, or as high."""
    if tile is None:
        return ""
    if tile.image is None:
        return Text("no picture", "dim")
    tall, wide = tile.image.shape[:2]
    scale = min(width / wide, 2 * TALLEST / tall)
    # Each character is two pixels high.
    frame = Frame(2 * max(1, round(tall * scale / 2)), max(1, round(wide * scale)))
    return _blocks(resize(tile.image, frame))


def _blocks(image: Image) -> Text:
    """Return a picture of an even height."""
    text = Text(no_wrap=True, end="")
    rows = image.tolist()
    for number in range(0, len(rows), 2):
        if number:
            text.append("\n")
        for upper, lower in zip(rows[number], rows[number + 1], strict=True):
            style = Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower))
            text.append("▀", style)
    return text


def _words(tile: Tile | None, width: int) -> RenderableType:
    """Return what stands below a picture."""
    if tile is None:
        return ""
    lines: list[RenderableType] = []
    if tile.parts:
        bar = Text(no_wrap=True)
        for part, colour in zip(tile.parts, PARTS, strict=False):
            start, end = round(part.start * width), round((part.start + part.share) * width)
            bar.append("▄" * (end - start), colour)
        lines.append(bar)
    for part, colour in zip(tile.parts, PARTS, strict=False):
        weight = f" {part.weight:.4f}"
        name = Text(cut(part.name, width - 2 - len(weight), cell_len), no_wrap=True)
        name.truncate(max(1, width - 2 - len(weight)), pad=True)
        lines.append(Text.assemble(("■ ", colour), name, weight, no_wrap=True))
    if tile.caption:
        lines.append(Text(cut(tile.caption, width, cell_len), "dim", no_wrap=True))
    return Group(*lines)
