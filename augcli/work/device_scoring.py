"""Scoring on a GPU: one session scores full batches of what workers fitted for it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from augcli.attention.map_table import MapTable
from augcli.data.manifest import Failure
from augcli.errors import NotScored, ParameterError, ScorerError, Stopped, is_out_of_memory
from augcli.files import HOST
from augcli.work.questions import HeatMapsOf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from augcli.attention.scorer import Scorer
    from augcli.data.stores.sources import Source
    from augcli.pixels.frame import HeatMap
    from augcli.plan.jobs import Task
    from augcli.work.events import Scored
    from augcli.work.pool import Pool
    from augcli.work.reading import Reader
    from augcli.work.settings import MapStorage

BATCH = 16
"""Sources that a worker is asked for at a time."""


def score_sources(
    pool: Pool, batches: Iterator[list[Source]], gpu: Scorer | None
) -> Iterator[tuple[str, Scored | Failure]]:
    """Yield the map of each source, or why there is none, in the order in which they come.

    Args:
        pool: Its workers score, or fit pictures for ``gpu``.
        batches: The sources, so many at a time.
        gpu: Scores all; None where the workers do.
    """
    answers = pool.ask(HeatMapsOf, batches)
    return on_gpu(gpu, answers) if gpu else answers


def on_gpu(
    gpu: Scorer, answers: Iterable[tuple[str, Scored | Failure]]
) -> Iterator[tuple[str, Scored | Failure]]:
    """Yield the map of each source, or why there is none, scored in full batches.

    Args:
        gpu: Scores.
        answers: The fitted picture of each source, its stored map, or why there is none.
    """
    waiting: dict[tuple[int, ...], list[tuple[str, Scored]]] = {}
    for path, answer in answers:
        if isinstance(answer, Failure) or answer.picture is None:
            yield path, answer
        else:
            group = waiting.setdefault(answer.picture.shape, [])
            group.append((path, answer))
            if len(group) == gpu.batch:
                yield from _batch(gpu, waiting.pop(answer.picture.shape))
    for group in waiting.values():
        yield from _batch(gpu, group)


def store_maps(answers: Iterable[tuple[str, Scored | Failure]], storage: MapStorage) -> None:
    """Store maps in the table that workers read.

    Sources that fail are reported when their job comes.

    Args:
        answers: The map of each source, or why there is none.
        storage: Where the table is; it knows what scores.
    """
    spec = storage.elsewhere
    assert spec
    with MapTable(storage.table, spec.sha256, spec.map_shape, storage.images) as table:
        for _, answer in answers:
            if not isinstance(answer, Failure) and answer.new and answer.heat_map is not None:
                table.put(answer.key, answer.heat_map)


def scored_for(tasks: Iterable[Task]) -> list[Source]:
    """Return the sources that tasks read, unless a donor can't be used, by path."""
    found = {
        source.path: source
        for task in tasks
        for job in task.filled().jobs
        for source in (job.base, *job.donors[:1])
    }
    return [found[path] for path in sorted(found)]


def in_batches(sources: list[Source]) -> Iterator[list[Source]]:
    """Yield sources, so many at a time as a worker is asked for."""
    for start in range(0, len(sources), BATCH):
        yield sources[start : start + BATCH]


@dataclass(frozen=True)
class HeatMapsOnDevice:
    """What is the heat map of each source, scored by the worker itself on a GPU?

    Attributes:
        sources: The sources.
        device: Where to score.
        model: The scorer; None for the shipped one.
        grid: Rows and columns of the largest heat map.
    """

    sources: list[Source]
    device: str
    model: Path | None
    grid: int

    def answer(self, reader: Reader) -> list[Scored | Failure]:
        """Return the heat maps.

        Raises:
            Stopped: The device can't be used here.
        """
        gpu = _scorer(self.device, self.model, self.grid)
        fitted = HeatMapsOf(self.sources).answer(reader)
        paths = [source.path for source in self.sources]
        scored = dict(on_gpu(gpu, zip(paths, fitted, strict=True)))
        return [scored[path] for path in paths]


@functools.lru_cache(maxsize=1)
def _scorer(device: str, model: Path | None, grid: int) -> Scorer:
    from augcli.attention.scorer import Scorer  # noqa: PLC0415 - few runs have a GPU

    try:
        return Scorer(model, grid=grid, device=device)
    except (ParameterError, ScorerError) as error:
        raise Stopped(f"{HOST} can't score on {device}: {error}") from None


def _batch(gpu: Scorer, group: list[tuple[str, Scored]]) -> Iterator[tuple[str, Scored | Failure]]:
    pictures = [scored.picture for _, scored in group if scored.picture is not None]
    maps: Iterable[HeatMap | Failure]
    try:
        maps = gpu.storable_maps(pictures)
    except NotScored:
        # One of them did it: scored one by one, they show which.
        maps = (_alone(gpu, path, scored) for path, scored in group)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        # It is always a full batch, whatever the pictures are.
        raise Stopped(
            f"{gpu.device} has not enough memory for {gpu.batch} images at once; free some, or "
            "give `device` cpu, then run the same command again to continue"
        ) from None
    for (path, scored), heat_map in zip(group, maps, strict=True):
        if isinstance(heat_map, Failure):
            yield path, heat_map
            continue
        try:
            yield path, scored._replace(heat_map=gpu.checked(heat_map).copy(), picture=None)
        except NotScored as error:
            yield path, Failure(path, "score", error.reason)


def _alone(gpu: Scorer, path: str, scored: Scored) -> HeatMap | Failure:
    """Return the map of one picture, or why there is none."""
    assert scored.picture is not None
    try:
        heat_map: HeatMap = gpu.storable_maps([scored.picture])[0]
    except NotScored as error:
        return Failure(path, "score", error.reason)
    return heat_map
