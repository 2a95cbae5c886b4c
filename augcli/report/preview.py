"""Previews: what a method or a recipe makes of some pictures of INPUT, before any run.

Results are those of the run itself, to the byte: the same jobs, made in memory.
"""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from augcli.data.stopping import carry_on
from augcli.errors import InputError, ParameterError
from augcli.params import declared
from augcli.plan.ring import sample
from augcli.recipes.options import RunOptions
from augcli.report.previews.column import Column, Output, Readers
from augcli.report.previews.variation import OF_A_RUN, Variation
from augcli.report.sheets.draw import draw
from augcli.report.sheets.sheet import Sheet
from augcli.report.words import shown
from augcli.run.api import recipe_and_options
from augcli.run.checking.check import check_listed
from augcli.run.checking.listing import default_out, list_sources
from augcli.run.checking.places import path_of
from augcli.run.checking.refusals import check_surroundings
from augcli.run.trial import Trial

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from PIL.Image import Image as Picture

    from augcli.augmentations.base import Augmentation
    from augcli.data.manifest import Row
    from augcli.data.stopping import Checkpoint
    from augcli.files import Place
    from augcli.recipes.recipe import Recipe
    from augcli.report.sheets.sheet import Tile
    from augcli.run.checking.checked_run import Run
    from augcli.run.trial import Estimated

ROWS: Final = 4
"""Rows of a preview, where nobody says how many."""
MOST_ROWS: Final = 50
NOTES: Final = 5
"""Sources that would fail and are named."""
SAID: Final = (*OF_A_RUN, "format", "splits", "limit")
"""Options of a run that a preview names where they are not the defaults."""
CANDIDATES: Final = 16
"""Sources that are looked at for each row: rows show as many classes as they can."""


@dataclass(frozen=True)
class Preview:
    """What some outputs of a run would be.

    Attributes:
        sheet: For people.
        rows: Rows of the manifest as they would come out, with the words for the option that
            varies; a list for each row of the sheet.
    """

    sheet: Sheet
    rows: list[list[tuple[str, Row]]]


def preview(
    folder: str | os.PathLike[str],
    augmentation: Augmentation[Any] | Recipe,
    *,
    rows: int = ROWS,
    vary: str | Mapping[str, Sequence[Any]] | None = None,
    **options: Any,
) -> Picture:
    """Show what a method does to some images of a folder, before any run; nothing is written.

    Each row has a base, its donor with the heat map and what is taken of it, and the result with
    its label. Results are to the pixel those of the run with the same options. Of a recipe, the
    picture after each step is shown.

    Args:
        folder: INPUT.
        augmentation: The method with its options, or a recipe.
        rows: How many images are shown; of as many classes as there can be.
        vary: An option with the values that are shown side by side, such as ``"top_n=3,6,9"``,
            ``"seed=0..3"`` or ``{"region": ["attentive", "box"]}``.
        **options: The options that all commands share, such as ``seed=1``.

    Returns:
        A Pillow image, which a notebook shows by itself.

    Raises:
        UsageError: A wrong option or wrong input, or no image can be shown.

    Example:
        >>> import augcli
        >>> image = augcli.preview("sample_images", augcli.MixUp(), rows=2)
        >>> image.mode, image.size[0]
        ('RGB', 736)
    """
    place = path_of(folder)
    recipe, chosen = recipe_and_options(augmentation, options)
    variation = None if vary is None else Variation.of(vary)
    return draw(preview_of(place, recipe, chosen, variation, rows=rows).sheet)


def preview_of(
    folder: Place,
    recipe: Recipe,
    options: RunOptions,
    variation: Variation | None = None,
    *,
    rows: int = ROWS,
    checkpoint: Checkpoint = carry_on,
) -> Preview:
    """Return what a run would make of some of its sources.

    Args:
        folder: INPUT.
        recipe: What to do.
        options: How.
        variation: An option with several values, or None.
        rows: How many sources.
        checkpoint: See :func:`augcli.run.checking.check.check`.

    Raises:
        UsageError: A wrong option or wrong input, or no image can be shown.
    """
    if not isinstance(rows, int) or not 1 <= rows <= MOST_ROWS:
        raise ParameterError("rows", f"is {rows!r}, but must be a number from 1 to {MOST_ROWS}")
    check_surroundings(folder, options.out)
    # One list of sources serves all.
    listed = list_sources(folder, options.out or default_out(folder, recipe.name), options)
    varied = variation.applied(recipe, options) if variation else [("", recipe, options)]
    runs = [
        (words, check_listed(*listed, folder, changed, chosen, checkpoint))
        for words, changed, chosen in varied
    ]
    with contextlib.ExitStack() as stack:
        table = stack.enter_context(tempfile.TemporaryDirectory(prefix="augcli-"))
        readers = Readers(stack)
        known: dict[tuple[int, bool], Estimated] = {}
        columns = []
        for words, run in runs:
            key = run.options.seed, run.chain.needs_mean_colour
            trial = Trial.of(run, known.get(key), readers.reader, f"{table}/maps")
            known[key] = trial.estimated
            columns.append(Column(words, trial))
        made, notes = _outputs(columns, runs[0][1], rows)
        sheet = _sheet(recipe, columns, made)
    sheet = replace(sheet, subtitle=_subtitle(recipe, options, variation), notes=notes[:NOTES])
    rows_made = [
        [(column.words, one.row) for column, one in zip(columns, row, strict=True)] for row in made
    ]
    return Preview(sheet, rows_made)


def _subtitle(recipe: Recipe, options: RunOptions, variation: Variation | None) -> str:
    """Return the options that are not the defaults, in the words of Python."""
    of_run = {name: getattr(options, name) for name in SAID}
    given = {one.name: one.default for one in declared(RunOptions)}
    found = {name: value for name, value in of_run.items() if value != given[name]}
    if len(recipe.steps) == 1 and len(recipe.steps[0].choices) == 1:
        (method,) = recipe.steps[0].augmentations
        own = {one.name: getattr(method, one.name) for one in declared(type(method))}
        given = {one.name: one.default for one in declared(type(method))}
        found = {name: value for name, value in own.items() if value != given[name]} | found
    if variation:
        found.pop(variation.name, None)
    return shown(", ".join(f"{name}={value}" for name, value in found.items()))


def _outputs(columns: list[Column], run: Run, rows: int) -> tuple[list[list[Output]], list[str]]:
    """Return the outputs of each row that can be made, and why others can't."""
    made: list[list[Output]] = []
    notes: list[str] = []
    for index in _candidates(run, rows):
        if len(made) == rows:
            break
        run.checkpoint()
        outputs = []
        for column in columns:
            output = column.output(index)
            if isinstance(output, Output):
                outputs.append(output)
            else:
                notes.append(f"{shown(output.source)} would fail: {shown(output.reason)}")
                break
        if len(outputs) == len(columns):
            made.append(outputs)
    if not made:
        why = notes[0] if notes else "none is augmented"
        raise InputError(f"no image of INPUT can be shown: {why}")
    return made, notes


def _candidates(run: Run, rows: int) -> Iterator[int]:
    """Yield sources that have an output, first one of each class, chosen by hash."""
    augmented = np.flatnonzero(run.wanted.copies > 0).tolist()
    paths = [run.sources.paths[index] for index in augmented]
    # The same whatever the seed, so that seeds can be compared.
    chosen = [augmented[at] for at in sample(paths, 0, "preview", rows * CANDIDATES)]
    seen: set[str] = set()
    later = []
    for index in chosen:
        name = run.sources.label(index).heaviest
        if name in seen:
            later.append(index)
        else:
            seen.add(name)
            yield index
    yield from later


def _sheet(recipe: Recipe, columns: list[Column], made: list[list[Output]]) -> Sheet:
    """Return the outputs as rows: base, donor, and the picture after each step or of each value."""
    chain = columns[0].chain
    donors = "donor" if chain.mixer_at is not None else ""
    scored = {one.scores for one in chain.augmentations}
    if scored & {"donor", "both"}:
        donors = "donor, heat map"
    first = {one.scores for one in chain.steps[0].augmentations}
    headings = ["base, heat map" if first & {"base", "both"} else "base"]
    rows: list[list[Tile | None]] = [[row[0].base] for row in made]

    def add(heading: str, tiles: list[Tile | None]) -> None:
        headings.append(heading)
        for row, tile in zip(rows, tiles, strict=True):
            row.append(tile)

    varies = bool(columns[0].words)
    same_donors = all(len({one.row.source_b for one in row}) == 1 for row in made)
    if donors and same_donors:
        add(donors, [row[0].whole_donor if varies else row[0].donor for row in made])
    for number, column in enumerate(columns):
        if donors and not same_donors:
            add(f"{column.words}: donor", [row[number].donor for row in made])
        if varies:
            add(column.words, [row[number].stages[-1] for row in made])
            continue
        for at, step in enumerate(recipe.steps):
            heading = "result" if len(recipe.steps) == 1 else f"{at + 1}  {step.name}"
            add(heading, [row[number].stages[at] for row in made])
    return Sheet(chain.name, "", tuple(headings), rows)
