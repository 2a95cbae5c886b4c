"""A column of a preview: a run that makes outputs in memory, with all that led to them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from augcli.data.codecs.decoding import decode
from augcli.files import parse_json
from augcli.report.pictures.gallery import label_parts
from augcli.report.pictures.result import small_union
from augcli.report.sheets.sheet import Tile
from augcli.report.sheets.tiles import small, source_tile
from augcli.report.words import shown
from augcli.work.reading import Reader

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable, Iterable

    from augcli.data.codecs.decoding import Decoded
    from augcli.data.manifest import Failure, Row
    from augcli.data.stores.sources import Source
    from augcli.pixels.frame import Frame, Image
    from augcli.recipes.chain import Stage
    from augcli.recipes.decisions import Score
    from augcli.run.trial import Trial
    from augcli.work.settings import ReadSettings


Key = TypeVar("Key")
Value = TypeVar("Value")

KEPT: Final = 8
"""Sources that are kept in memory."""


class Readers:
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
    """Keeps the last few sources in memory: the columns of a row have the same ones."""

    def __init__(self, settings: ReadSettings) -> None:
        super().__init__(settings)
        self._data: OrderedDict[str, bytes] = OrderedDict()
        self._decoded: OrderedDict[tuple[str, bool], Decoded] = OrderedDict()

    def expect(
        self, sources: Iterable[Source], following: Callable[[], Iterable[Source]] = tuple
    ) -> None:
        """Note which sources will be read next, but for those that are in memory."""
        super().expect((one for one in sources if one.path not in self._data), following)

    def read(self, source: Source) -> bytes:
        """Return the bytes of a source."""
        read = super().read
        return _kept(self._data, source.path, lambda: read(source))

    def decoded(
        self,
        data: bytes,
        path: str,
        enough: Frame | None = None,
        sides: Callable[[int, int], object] | None = None,
    ) -> Decoded:
        """Return a picture, which the caller may change."""
        read = super().decoded
        # A base is decoded anew where it was a donor before: its sides are checked.
        key = path, sides is not None
        decoded = _kept(self._decoded, key, lambda: read(data, path, enough, sides))
        return decoded._replace(image=decoded.image.copy())


def _kept(cache: OrderedDict[Key, Value], key: Key, make: Callable[[], Value]) -> Value:
    """Return a value of a cache, which keeps those that were asked for last."""
    if key not in cache:
        cache[key] = make()
    cache.move_to_end(key)
    if len(cache) > KEPT:
        cache.popitem(last=False)
    return cache[key]


class Column:
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

    def output(self, index: int) -> Output | Failure:
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
            return Output(row, base_tile, None, None, tiles)
        donor_tile = _donor_tile(row, mixed, donor_score)
        whole = _donor_tile(row, mixed, donor_score, without_region=True)
        return Output(row, base_tile, donor_tile, whole, tiles)

    def _source(self, source: Source) -> tuple[Image, Score]:
        """Return a source as the first step takes it, and what gives its heat map."""
        reader = self._trial.reader
        data = reader.read(source)
        image = reader.sized(reader.decoded(data, source.path).image)
        return image, reader.maps.score_of(source.path, reader.scored_bytes(data), image)


@dataclass(frozen=True)
class Output:
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
