"""Names, numbers and draws in words; nothing that somebody else wrote leaves it unprintable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from augcli.run.showing.lines import counted, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from augcli.recipes.chain import Chain

LONGEST_NAME: Final = 160
"""Characters of a name on the page; a longer one is cut in the middle."""
LONGEST_CLASS: Final = 80
"""The same of a class, which stands below a picture and in tables."""
LONGEST_JSON: Final = 600
"""Characters of a draw on the page; the manifest has all of it."""
NO_CLASS: Final = "(no class)"
"""Stands for the class of a picture that has none."""
LISTED: Final = 12
"""Cells, boxes or channels of one draw that are listed."""


def shown(text: str, longest: int = LONGEST_NAME) -> str:
    r"""Return text as one printable line that is not too long; its beginning and end stay.

    Example:
        >>> shown("a\u202eb.jpg"), shown("abcdefghijkl", 9)
        ('a\\u202eb.jpg', 'abcde…jkl')
    """
    if len(text) > longest:
        # Cut first: only what is shown needs to be escaped.
        end = longest // 3
        text = f"{text[: longest - end - 1]}…{text[len(text) - end :]}"
    return printable(text)


def class_name(name: str) -> str:
    """Return the name of a class for people."""
    return shown(name, LONGEST_CLASS) if name else NO_CLASS


def percent(share: float) -> str:
    """Return a share in percent; only what is nothing or all of it is called so.

    Example:
        >>> percent(0.12245), percent(0.0004), percent(0), percent(0.9999), percent(1)
        ('12.2 %', '< 0.1 %', '0 %', '> 99.9 %', '100 %')
    """
    if 0 < share < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= share < 1:
        return "> 99.9 %"
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def draw_json(draw: str) -> str:
    """Return a draw as the manifest has it, shortened."""
    return shown(draw, LONGEST_JSON)


def draw_lines(chain: Chain | None, record: Any, width: int, height: int) -> list[str]:
    """Return what was drawn for a picture, a sentence for each step.

    Args:
        chain: The steps; None where they are not known.
        record: The draw, as JSON gave it.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.

    Example:
        >>> draw_lines(None, {"grid": 7, "cells": [24, 8]}, 70, 70)
        ['2 of 49 cells: row 4 column 4, row 2 column 2']
    """
    if not isinstance(record, dict):
        return []
    steps = record.get("steps")
    if not isinstance(steps, list):
        return ["; ".join(_sentences(record, width, height))] if record else []
    lines = [_step(step, width, height) for step in steps if isinstance(step, dict)]
    if record.get("donor_steps"):
        led = [_step(step, width, height) for step in record["donor_steps"]]
        lines.append(f"before it gave, the donor went through: {'; '.join(led)}")
    return lines


def _step(step: Mapping[str, Any], width: int, height: int) -> str:
    name = shown(str(step.get("step", "")))
    draw = step.get("draw")
    if not isinstance(draw, dict):
        word = next((word for word in step if word != "step"), "nothing drawn")
        return f"{name}: {shown(str(word))}"
    method = shown(str(step.get("method", "")))
    title = name if method in ("", name) else f"{name} ({method})"
    return f"{title}: {'; '.join(_sentences(draw, width, height)) or 'nothing to draw'}"


def _sentences(draw: Mapping[str, Any], width: int, height: int) -> Iterator[str]:
    """Yield a clause for each thing that a draw holds."""
    for name, value in draw.items():
        match name, value:
            case "grid", int() if "cells" in draw:
                pass  # belongs to the cells
            case "cells", list():
                yield _cells(value, draw.get("grid", 7))
            case "box", list():
                yield _box(value, width, height)
            case "boxes", list():
                listed = [_box(box, width, height) for box in value[:LISTED]]
                more = f" and {len(value) - LISTED:,} more" if len(value) > LISTED else ""
                yield (", ".join(listed) or "no box") + more
            case "lam", [int() as part, int() as whole] if whole:
                yield f"lambda {part / whole:.4f}: {percent(part / whole)} of the base"
            case "weights", dict():
                yield ", ".join(
                    f"weight by {shown(key)} {weight:.4f}"
                    for key, weight in value.items()
                    if isinstance(weight, int | float)
                )
            case "fill", [int(), int(), int()]:
                yield "filled with #{:02x}{:02x}{:02x}".format(*(one & 255 for one in value))
            case "fill", str():
                yield f"filled with {shown(value)}"
            case _:
                yield f"{shown(name)} {shown(json.dumps(value, ensure_ascii=False), 80)}"


def _cells(cells: Sequence[Any], grid: Any) -> str:
    if not isinstance(grid, int) or grid < 1 or not all(type(cell) is int for cell in cells):
        return "cells that are no numbers"
    places = [f"row {cell // grid + 1} column {cell % grid + 1}" for cell in cells[:LISTED]]
    more = f" and {len(cells) - LISTED:,} more" if len(cells) > LISTED else ""
    return f"{len(cells):,} of {counted(grid * grid, 'cell')}: {', '.join(places)}{more}"


def _box(box: Any, width: int, height: int) -> str:
    """Return a box in words.

    Example:
        >>> _box([10, 20, 60, 40], 100, 100)
        'a box of 50 x 20 pixels at (10, 20), 10 % of the picture'
    """
    if not (isinstance(box, list) and len(box) == 4 and all(type(one) is int for one in box)):
        return "a box that is none"
    left, top, right, bottom = box
    share = (right - left) * (bottom - top) / max(1, width * height)
    return (
        f"a box of {right - left:,} x {bottom - top:,} pixels at ({left:,}, {top:,}), "
        f"{percent(share)} of the picture"
    )
