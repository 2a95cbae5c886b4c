"""Contact sheets: some outputs of an output folder on one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from augcli.errors import OutputError, ParameterError
from augcli.report.figures.table import ORIGINAL
from augcli.report.pictures.choice import Chosen, Smallest
from augcli.report.pictures.gallery import label_parts
from augcli.report.sheets.sheet import Sheet, Tile
from augcli.report.sheets.tiles import SIDE, small, source_tile
from augcli.report.view import opened_output
from augcli.report.words import shown
from augcli.run.showing.lines import counted

if TYPE_CHECKING:
    from pathlib import Path

    from augcli.data.manifest import Row
    from augcli.report.pictures.result import ResultRow
    from augcli.report.view import Place

ROWS: Final = 6
MOST_ROWS: Final = 50
RESULTS: Final = 4
"""Results in a row, where no sources are shown."""


def contact_sheet(
    out: Place, against: Place | None = None, *, rows: int = ROWS, model: Path | None = None
) -> Sheet:
    """Return some outputs of an output folder, chosen by the hashes of their files.

    Args:
        out: OUT.
        against: INPUT: then each row has one output, with its base, its donor and the heat map;
            else only outputs are shown.
        rows: How many rows.
        model: The scorer of the run; the shipped one where None.

    Raises:
        OutputError: OUT is no complete output folder of augcli, or has no output.
        InputError: INPUT can't be listed.
        ParameterError: There are too many rows.
    """
    if not 1 <= rows <= MOST_ROWS:
        raise ParameterError("rows", f"is {rows}, but must be a number from 1 to {MOST_ROWS}")
    opened = opened_output(out, against)
    chosen = Smallest(rows if against else rows * RESULTS)
    total = 0
    for number, row in enumerate(opened.rows()):
        if row.method != ORIGINAL:
            total += 1
            chosen.add((row.sha256, number), Chosen(row, number))
    picked = [one.row for one in chosen.values()]
    if not picked:
        raise OutputError(f"OUT {opened.out} has no augmented image")
    results = opened.results(model, sides=(SIDE, SIDE))
    subtitle = f"{counted(len(picked), 'output')} of {total:,}"
    title = opened.title
    if not against:
        tiles = [_result_tile(row, results.of(row), shown(row.file_name)) for row in picked]
        lines: list[list[Tile | None]] = [
            [*tiles[start : start + RESULTS]] for start in range(0, len(tiles), RESULTS)
        ]
        return Sheet(title, subtitle, ("",) * min(RESULTS, len(tiles)), lines)
    lines = [_sources_and_result(row, results.of(row)) for row in picked]
    headings = ["base", "donor", "result"]
    if all(line[1] is None for line in lines):
        # No method of this set mixes.
        headings.remove("donor")
        lines = [[line[0], line[2]] for line in lines]
    notes = [results.why_no_heat_maps] if results.why_no_heat_maps else []
    return Sheet(title, subtitle, tuple(headings), lines, notes)


def _result_tile(row: Row, result: ResultRow, caption: str = "") -> Tile:
    image = None if result.result is None else small(result.result)
    return Tile(image, caption, label_parts(row.label))


def _sources_and_result(row: Row, result: ResultRow) -> list[Tile | None]:
    base = donor = None
    if result.base is not None:
        scored = result.scored == "base"
        base = source_tile(
            result.base,
            shown(row.source_a),
            result.heat_map if scored else None,
            result.region if scored else None,
        )
    if result.donor is not None:
        heat_map = result.heat_map if result.scored == "donor" else None
        donor = source_tile(result.donor, shown(row.source_b), heat_map, result.donor_region)
    return [base, donor, _result_tile(row, result)]
