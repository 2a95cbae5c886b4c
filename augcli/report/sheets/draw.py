"""A sheet as one picture: for documents, notebooks, and terminals that show pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PIL import Image as Pictures
from PIL import ImageDraw

from augcli.report.sheets.lettering import cut, lettered
from augcli.report.sheets.tiles import SIDE

if TYPE_CHECKING:
    from augcli.report.pictures.gallery import Part
    from augcli.report.sheets.sheet import Sheet, Tile

MARGIN: Final = 16
GAP: Final = 16
"""Between two columns."""
ROW_GAP: Final = 18
"""Between two rows."""
TITLE, TEXT, SMALL_TEXT = 18, 14, 13
"""Sizes of letters, in pixels."""
LINE: Final = 18
"""Height of a line of text below a picture."""
BAR: Final = 7
"""Height of a label bar."""
PAPER, INK, SOFT, WASH = "#ffffff", "#1c2128", "#57606a", "#eef1f4"
PARTS: Final = ("#2358c4", "#91abe1", "#b6c8ec", "#cfdbf2", "#e0e8f6")
"""Colours of the parts of a label bar, those of the report."""


def draw(sheet: Sheet) -> Pictures.Image:
    """Return a sheet as a picture, RGB on white.

    Example:
        >>> import numpy as np
        >>> from augcli.report.sheets.sheet import Sheet, Tile
        >>> tile = Tile(np.zeros((112, 224, 3), np.uint8), "cat/a.jpg")
        >>> draw(Sheet("cutout", "", ("base",), [[tile]])).size
        (256, 220)
    """
    columns = len(sheet.headings)
    page = MARGIN + (SIDE + GAP) * columns - GAP + MARGIN
    heights = [_row_height(row) for row in sheet.rows]
    top = MARGIN + TITLE + 12 + (LINE + 4 if sheet.subtitle else 0)
    first = top + (LINE + 6 if any(sheet.headings) else 0)
    height = first + sum(heights) + ROW_GAP * len(heights) + LINE * len(sheet.notes)
    picture = Pictures.new("RGB", (page, height + MARGIN - ROW_GAP), PAPER)
    pen = _Pen(ImageDraw.Draw(picture))
    inside = page - 2 * MARGIN
    pen.write(MARGIN, MARGIN, sheet.title, TITLE, inside)
    pen.write(MARGIN, MARGIN + TITLE + 8, sheet.subtitle, SMALL_TEXT, inside, SOFT)
    lefts = [MARGIN + (SIDE + GAP) * column for column in range(columns)]
    for left, heading in zip(lefts, sheet.headings, strict=True):
        pen.write(left, top, heading, TEXT, SIDE)
    top = first
    for row, tall in zip(sheet.rows, heights, strict=True):
        picture_height = _picture_height(row)
        titled = LINE if any(tile and tile.title for tile in row) else 0
        for left, tile in zip(lefts, row, strict=False):
            if tile is not None:
                pen.write(left, top - 4, tile.title, TEXT, SIDE)
                _draw_tile(picture, pen, tile, left, top + titled, picture_height)
        top += tall + ROW_GAP
    for note in sheet.notes:
        pen.write(MARGIN, top, note, SMALL_TEXT, inside, SOFT)
        top += LINE
    return picture


def fitting_columns(width: int) -> int:
    """Return how many columns fit into a picture, at least one.

    Args:
        width: Of the picture, in pixels.

    Example:
        >>> fitting_columns(800), fitting_columns(100)
        (3, 1)
    """
    return max(1, (width - 2 * MARGIN + GAP) // (SIDE + GAP))


class _Pen:
    """Writes on a picture."""

    def __init__(self, canvas: ImageDraw.ImageDraw) -> None:
        self.canvas = canvas

    def write(
        self, left: float, top: float, text: str, size: int, width: float, colour: str = INK
    ) -> None:
        """Write a line, cut to a width."""
        if text:
            text, font = lettered(text, size)
            fitted = cut(text, width, lambda one: float(font.getlength(one)))
            # On the baseline: letters of all fonts and heights stand on one line.
            self.canvas.text((left, top + size), fitted, fill=colour, font=font, anchor="ls")

    def length(self, text: str, size: int) -> float:
        """Return how wide a text is, in pixels."""
        text, font = lettered(text, size)
        return float(font.getlength(text))


def _picture_height(row: list[Tile | None]) -> int:
    """Return the height of the tallest picture of a row."""
    shown = [tile.image for tile in row if tile is not None and tile.image is not None]
    return max((image.shape[0] for image in shown), default=SIDE // 2)


def _row_height(row: list[Tile | None]) -> int:
    below = [
        (LINE if tile.caption else 0) + (BAR + 6 + LINE * len(tile.parts) if tile.parts else 0)
        for tile in row
        if tile is not None
    ]
    above = LINE if any(tile and tile.title for tile in row) else 0
    return above + _picture_height(row) + 4 + max(below, default=0)


def _draw_tile(
    picture: Pictures.Image, pen: _Pen, tile: Tile, left: int, top: int, height: int
) -> None:
    if tile.image is None:
        pen.canvas.rectangle((left, top, left + SIDE - 1, top + height - 1), fill=WASH)
        pen.write(left + 8, top + height / 2 - 8, "no picture", SMALL_TEXT, SIDE - 16, SOFT)
    else:
        # At the bottom of the row, right above what is said of it.
        lower = top + height - tile.image.shape[0]
        picture.paste(Pictures.fromarray(tile.image), (left, lower))
    top += height + 4
    if tile.parts:
        top += _draw_label(pen, tile.parts, left, top)
    pen.write(left, top, tile.caption, SMALL_TEXT, SIDE, SOFT)


def _draw_label(pen: _Pen, parts: tuple[Part, ...], left: int, top: int) -> int:
    """Draw a label bar and what its parts are; return how high both are."""
    for part, colour in zip(parts, PARTS, strict=False):
        start, end = left + part.start * SIDE, left + (part.start + part.share) * SIDE
        if end - start >= 1:
            box = (round(start), top + 2, max(round(start), round(end) - 1), top + 1 + BAR)
            pen.canvas.rectangle(box, fill=colour)
    line = top + BAR + 4
    for part, colour in zip(parts, PARTS, strict=False):
        pen.canvas.rectangle((left, line + 5, left + 7, line + 12), fill=colour)
        weight = f"{part.weight:.4f}"
        wide = pen.length(weight, SMALL_TEXT)
        pen.write(left + SIDE - wide, line, weight, SMALL_TEXT, wide + 1)
        pen.write(left + 14, line, part.name, SMALL_TEXT, SIDE - 14 - wide - 8)
        line += LINE
    return line - top
