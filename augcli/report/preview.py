"""Previews: what a method or a recipe makes of some pictures of INPUT, before any run.

Results are those of the run itself, to the byte: the same jobs, made in memory.
"""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from augcli.data.codecs.decoding import decode
from augcli.data.stopping import carry_on
from augcli.errors import InputError, ParameterError
from augcli.files import parse_json
from augcli.params import declared
from augcli.plan.ring import sample
from augcli.recipes.options import RunOptions
from augcli.report.pictures.gallery import label_parts
from augcli.report.pictures.result import small_union
from augcli.report.sheets.draw import draw
from augcli.report.sheets.sheet import Sheet, Tile
from augcli.report.sheets.tiles import small, source_tile
from augcli.report.variation import OF_A_RUN, Variation
from augcli.report.words import shown
from augcli.run.api import recipe_and_options
from augcli.run.check import check_listed, check_surroundings, default_out, list_sources
from augcli.run.places import path_of
from augcli.run.trial import Trial
from augcli.work.reading import Reader

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from PIL.Image import Image as Picture

    from augcli.augmentations.base import Augmentation
    from augcli.data.codecs.decoding import Decoded
    from augcli.data.manifest import Failure, Row
    from augcli.data.stopping import Checkpoint
    from augcli.data.stores.sources import Source
    from augcli.pixels.frame import Image
    from augcli.recipes.chain import Stage
    from augcli.recipes.decisions import Score
    from augcli.recipes.recipe import Recipe
    from augcli.run.check import Run
    from augcli.run.trial import Estimated
    from augcli.work.settings import ReadSettings

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
    folder: Path,
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
        checkpoint: See :func:`augcli.run.check.check`.

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
        readers = _Readers(stack)
        known: dict[tuple[int, bool], Estimated] = {}
        columns = []
        for words, run in runs:
            key = run.options.seed, run.chain.needs_mean_colour
            trial = Trial.of(run, known.get(key), readers.reader, f"{table}/maps")
            known[key] = trial.estimated
            columns.append(_Column(words, trial))
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


class _Readers:
    """Readers of previews: what has been read, decoded and scored once is not again.

    Args:
        stack: Closes them.
    """

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._readers: list[Reader] = []

    def reader(self, settings: ReadSettings) -> Reader:
        """Return a reader with some settings."""
        for reader in self._readers:
            if reader.settings == settings:
                return reader
        reader = _RememberingReader(settings)
        self._stack.callback(reader.close)
        self._readers.append(reader)
        return reader


class _RememberingReader(Reader):
    """Keeps the few sources of a preview in memory."""

    def __init__(self, settings: ReadSettings) -> None:
        super().__init__(settings)
        self._data: dict[str, bytes] = {}
        self._decoded: dict[str, Decoded] = {}

    def read(self, source: Source) -> bytes:
        """Return the bytes of a source."""
        if source.path not in self._data:
            self._data[source.path] = super().read(source)
        return self._data[source.path]

    def decoded(self, data: bytes, path: str, *args: Any, **options: Any) -> Decoded:
        """Return a picture, which the caller may change."""
        if path not in self._decoded:
            self._decoded[path] = super().decoded(data, path, *args, **options)
        decoded = self._decoded[path]
        return replace(decoded, image=decoded.image.copy())


class _Column:
    """A run of a preview.

    Args:
        words: For the value that its option has; empty where no option varies.
        trial: Makes its outputs.
    """

    def __init__(self, words: str, trial: Trial) -> None:
        self.words = words
        self.chain = trial.chain
        self._trial = trial
        self._plan = trial.plan()

    def output(self, index: int) -> _Output | Failure:
        """Return what the run makes of a source, or why it can't."""
        trial = self._trial
        job = self._plan.job_of(index, 0)._replace(original="none")
        outputs, failures = trial.make([job], 0)
        if not outputs:
            return failures[0]
        row, data = outputs[0]
        base, base_score = self._source(job.base)
        donor, donor_score = None, base_score
        if row.source_b:
            giver = next(one for one in job.donors if one.path == row.source_b)
            donor, donor_score = self._source(giver)
        stages = trial.chain.stages(parse_json(row.draw.encode()), base, donor)
        result = decode(data, max_pixels=trial.run.options.max_pixels).image
        tiles = [_stage_tile(stage) for stage in stages]
        tiles[-1] = replace(tiles[-1], image=small(result), parts=label_parts(row.label))
        base_tile = _base_tile(row, base, stages[0], base_score)
        mixed = next((stage for stage in stages if stage.donor is not None), None)
        if mixed is None:
            return _Output(row, base_tile, None, None, tiles)
        donor_tile = _donor_tile(row, mixed, donor_score)
        whole = _donor_tile(row, mixed, donor_score, without_region=True)
        return _Output(row, base_tile, donor_tile, whole, tiles)

    def _source(self, source: Source) -> tuple[Image, Score]:
        """Return a source as the first step takes it, and what gives its heat map."""
        reader = self._trial.reader
        data = reader.read(source)
        image = reader.sized(reader.decoded(data, source.path).image)
        return image, reader.maps.score_of(source.path, reader.scored_bytes(data), image)


@dataclass(frozen=True)
class _Output:
    """An output with all that led to it, as tiles.

    Attributes:
        row: Of the manifest.
        base: The base, with its heat map where that decided first.
        donor: The donor as it gave, with its heat map and what was taken of it.
        whole_donor: The same without what was taken.
        stages: After each step; the last one is the result, as its file shows it.
    """

    row: Row
    base: Tile
    donor: Tile | None
    whole_donor: Tile | None
    stages: list[Tile]


def _base_tile(row: Row, base: Image, first: Stage, score: Score) -> Tile:
    method = first.method
    if method is None or method.scores not in ("base", "both"):
        return source_tile(base, shown(row.source_a))
    region = first.region and small_union([first.region.mask])
    return source_tile(base, shown(row.source_a), score(base, method.map_grid), region)


def _donor_tile(row: Row, stage: Stage, score: Score, *, without_region: bool = False) -> Tile:
    assert stage.donor is not None
    assert stage.method is not None
    scores = stage.method.scores in ("donor", "both")
    heat_map = score(stage.donor, stage.method.map_grid) if scores else None
    mask = stage.region.donor_mask if stage.region and not without_region else None
    region = None if mask is None else small_union([mask])
    return source_tile(stage.donor, shown(row.source_b), heat_map, region)


def _stage_tile(stage: Stage) -> Tile:
    return Tile(small(stage.image), "" if stage.method else "not applied")


def _outputs(columns: list[_Column], run: Run, rows: int) -> tuple[list[list[_Output]], list[str]]:
    """Return the outputs of each row that can be made, and why others can't."""
    made: list[list[_Output]] = []
    notes: list[str] = []
    for index in _candidates(run, rows):
        if len(made) == rows:
            break
        outputs = []
        for column in columns:
            output = column.output(index)
            if isinstance(output, _Output):
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


def _sheet(recipe: Recipe, columns: list[_Column], made: list[list[_Output]]) -> Sheet:
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
