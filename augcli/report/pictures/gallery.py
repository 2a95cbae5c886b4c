"""The gallery: chosen rows as pictures, with all that is known of each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from augcli.files import parse_json
from augcli.report.pictures.outline import outline
from augcli.report.pictures.thumbnails import heat_thumbnail, thumbnails
from augcli.report.words import class_name, draw_json, draw_lines, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from augcli.data.labels import Label
    from augcli.data.manifest import Row
    from augcli.report.pictures.choice import Chosen
    from augcli.report.pictures.outline import Outline
    from augcli.report.pictures.result import ResultRow, ResultRows
    from augcli.report.pictures.thumbnails import Thumbnail
    from augcli.report.view import View

PICTURE_BYTES: Final = 3_400_000
"""Bytes of a page that are for pictures; the rest is for texts and figures."""
LARGEST_SHARE: Final = 40_000
"""Bytes that the pictures of one row have at most: a page of few rows need not be large."""
PARTS_SHOWN: Final = 5
"""Classes of one label that are shown; the others together are one part."""
LONGEST_CODE: Final = 400
"""Characters of a name in the Python lines; with a longer one there are none."""


class Part(NamedTuple):
    """A part of a label bar.

    Attributes:
        name: The class, for people.
        weight: Its weight.
        start: Where the part begins, 0 to 1 of the bar.
        share: How long it is, 0 to 1 of the bar.
    """

    name: str
    weight: float
    start: float
    share: float


@dataclass(frozen=True)
class Entry:
    """A row of the manifest, as the gallery shows it.

    Attributes:
        number: Of the row, from 0.
        row: The row.
        name: Its file, for people.
        classes: The classes of its label, for people; the first is what it is listed under.
        parts: Of its label bar.
        weight: The donor's weight; None where the label does not have it.
        lines: What was drawn, in words.
        draw: The same as the manifest has it.
        code: Python lines that make the picture again; empty where a name is too long.
        result: The output; None where it can't be shown.
        base: The base, where INPUT is known.
        donor: The donor, where there is one and INPUT is known.
        heat_map: The heat map that decided.
        scored: Whose it is: ``base`` or ``donor``.
        outline: Where the result shows something else than the base.
        donor_outline: What of the donor is shown.
        problems: What could not be shown, and why.
    """

    number: int
    row: Row
    name: str
    classes: tuple[str, ...]
    parts: tuple[Part, ...]
    weight: float | None
    lines: Sequence[str]
    draw: str
    code: str
    result: Thumbnail | None
    base: Thumbnail | None
    donor: Thumbnail | None
    heat_map: Thumbnail | None
    scored: str
    outline: Outline | None
    donor_outline: Outline | None
    problems: Sequence[str]


def entries_of(view: View, chosen: Sequence[Chosen], results: ResultRows) -> list[Entry]:
    """Return rows as the gallery shows them.

    Args:
        view: The data set.
        chosen: The rows.
        results: Gives their pictures.
    """
    limit = min(LARGEST_SHARE, PICTURE_BYTES // max(1, len(chosen)))
    return [_entry(view, one, results.of(one.row), limit) for one in chosen]


def _entry(view: View, chosen: Chosen, result: ResultRow, limit: int) -> Entry:
    row = chosen.row
    pictures = {
        name: image
        for name, image in (
            ("result", result.result),
            ("base", result.base),
            ("donor", result.donor),
        )
        if image is not None
    }
    made = dict(zip(pictures, thumbnails(list(pictures.values()), limit), strict=True))
    weights = row.label.weights
    is_pair = row.source_b and not view.figures.soft
    try:
        record = parse_json(row.draw.encode())
    except ValueError:
        record = None
    return Entry(
        number=chosen.number,
        row=row,
        name=shown(row.file_name),
        classes=tuple(class_name(name) for name, _ in weights[:PARTS_SHOWN]) or (class_name(""),),
        parts=label_parts(row.label),
        weight=(weights[1][1] if len(weights) > 1 else None) if is_pair else None,
        lines=draw_lines(view.chain, record, row.width, row.height),
        draw=draw_json(row.draw),
        code=_code(view, row),
        result=made.get("result"),
        base=made.get("base"),
        donor=made.get("donor"),
        heat_map=None if result.heat_map is None else heat_thumbnail(result.heat_map),
        scored=result.scored,
        outline=outline(result.region),
        donor_outline=outline(result.donor_region),
        problems=[shown(problem) for problem in result.problems],
    )


def label_parts(label: Label) -> tuple[Part, ...]:
    """Return the parts of a label bar, the first classes of many and the rest together.

    Example:
        >>> from augcli.data.labels import Label
        >>> [tuple(part) for part in label_parts(Label((("cat", 0.75), ("dog", 0.25))))]
        [('cat', 0.75, 0.0, 0.75), ('dog', 0.25, 0.75, 0.25)]
    """
    weights = [(class_name(name), weight) for name, weight in label.weights if 0 < weight <= 1]
    if len(weights) > PARTS_SHOWN:
        weights.sort(key=lambda pair: -pair[1])
        rest = weights[PARTS_SHOWN - 1 :]
        weights[PARTS_SHOWN - 1 :] = [(f"{len(rest):,} others", sum(one for _, one in rest))]
    # Of several classes at once, weights sum to more than 1.
    total = max(1.0, sum(weight for _, weight in weights))
    parts, start = [], 0.0
    for name, weight in weights:
        parts.append(Part(name, weight, start, weight / total))
        start += weight / total
    return tuple(parts)


def _code(view: View, row: Row) -> str:
    """Return Python lines that make a row's picture alone."""
    place = view.against or view.record.identity.get("input")
    names = (view.out, row.file_name, place)
    if view.chain is None or not all(isinstance(name, str) for name in names):
        return ""
    if max(map(len, map(str, names))) > LONGEST_CODE:
        return ""
    out, name, against = (_literal(str(text)) for text in names)
    return f"import augcli\n\nimage = augcli.remake({out}, {name}, against={against})"


def _literal(text: str) -> str:
    r"""Return text as Python reads it, in printable characters.

    Example:
        >>> print(_literal('a"\u202e'))
        "a\"\u202e"
    """
    return json.dumps(text)
