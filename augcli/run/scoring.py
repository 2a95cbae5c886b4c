"""Scoring sources before anything is made of them: for a file of heat maps, and for a GPU.

The workers read and decode. On the processor they score as well; on a GPU one session in this
process scores full batches of what they fitted for it.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from augcli.attention.device import AUTO, CPU
from augcli.attention.heat_map_file import HeatMaps
from augcli.attention.map_table import MapTable
from augcli.attention.model_file import local_scorer
from augcli.data.manifest import Failure
from augcli.errors import (
    HeatMapsError,
    NotScored,
    ParameterError,
    Stopped,
    is_out_of_memory,
)
from augcli.files import TABLE_LIMIT, local_copy
from augcli.run.messages import Notice
from augcli.work.questions import HeatMapsOf
from augcli.work.settings import MapStorage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from augcli.attention.scorer import Scorer
    from augcli.data.stores.sources import Sources
    from augcli.files import Place
    from augcli.pixels.frame import HeatMap
    from augcli.recipes.chain import Chain
    from augcli.recipes.options import RunOptions
    from augcli.run.messages import Listener
    from augcli.work.events import Scored
    from augcli.work.pool import Pool

BATCH = 16
"""Sources that a worker is asked for at a time."""


def score_sources(
    pool: Pool, sources: Sources, gpu: Scorer | None
) -> Iterator[tuple[str, Scored | Failure]]:
    """Yield the map of each source, or why there is none, in the order in which they come.

    Args:
        pool: Its workers score, or fit pictures for ``gpu``.
        sources: All of them.
        gpu: Scores all; None where the workers do.
    """
    waiting: dict[tuple[int, ...], list[tuple[str, Scored]]] = {}
    for path, answer in pool.ask(HeatMapsOf, sources.batches(range(len(sources)), BATCH)):
        if isinstance(answer, Failure) or answer.picture is None:
            yield path, answer
        else:
            assert gpu
            group = waiting.setdefault(answer.picture.shape, [])
            group.append((path, answer))
            if len(group) == gpu.batch:
                yield from _on_gpu(gpu, waiting.pop(answer.picture.shape))
    for group in waiting.values():
        assert gpu
        yield from _on_gpu(gpu, group)


def _on_gpu(gpu: Scorer, group: list[tuple[str, Scored]]) -> Iterator[tuple[str, Scored | Failure]]:
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


def usable_maps(options: RunOptions, chain: Chain, scorer: str | None) -> Path | None:
    """Return the file of heat maps that a run can use, None where there is none.

    Args:
        options: Name the file.
        chain: What is done to each source.
        scorer: SHA-256 of the run's scorer; None where nothing is scored.

    Raises:
        HeatMapsError: The file can't be used: damaged, of another scorer, or too coarse.
    """
    path = options.heatmaps
    if path is None:
        return None
    file = _local_maps(path)
    maps = HeatMaps.load(file)
    if scorer is None or options.size or not scores_sources(chain):
        return None
    if maps.about.scorer != scorer:
        raise HeatMapsError(
            f"`heatmaps` {path}: was made with another scorer ({maps.about.scorer[:12]}…, not "
            f"{scorer[:12]}…); make it anew with augcli heatmaps and this `model`"
        )
    grid = largest_grid(chain)
    if not maps.serves(grid):
        raise HeatMapsError(
            f"`heatmaps` {path}: holds maps for a grid of {maps.about.grid}, and a grid of "
            f"{grid} is needed; make it anew with augcli heatmaps and `grid` {grid}"
        )
    return file


def _local_maps(place: Place) -> Path:
    """Return a file of heat maps on this machine; of one that a URL names, a copy.

    Raises:
        HeatMapsError: It can't be read.
    """
    if isinstance(place, Path):
        return place
    try:
        return Path(local_copy(os.fspath(place), TABLE_LIMIT))
    except OSError as error:
        raise HeatMapsError(
            f"`heatmaps` {place}: can't be read ({error.strerror}); give the URL of a file that "
            "augcli heatmaps made"
        ) from None


def scores_sources(chain: Chain) -> bool:
    """Return whether a chain may score a source as it is, before any step changed it."""
    for step in chain.steps:
        if any(augmentation.scores for augmentation in step.augmentations):
            return True
        if step.probability == 1 and chain.survival is None:
            return False
    return False


def largest_grid(chain: Chain) -> int:
    """Return rows and columns of the largest heat map that a chain needs; 0 for none."""
    grids = (augmentation.map_grid for augmentation in chain.augmentations if augmentation.scores)
    return max(grids, default=0)


def scorer_on_gpu(options: RunOptions, chain: Chain) -> Scorer | None:
    """Return the scorer on the GPU that is to score the sources; None where the workers do.

    Raises:
        ParameterError: An explicit device can't be used, or is of no use for this chain.
        ScorerError: The scorer can't be used.
    """
    if options.device == CPU:
        return None
    if not scores_sources(chain):
        if options.device == AUTO:
            return None
        raise ParameterError(
            "device",
            f"is {options.device!r}, but {chain.name} scores no image as it lies in INPUT; what "
            "steps made of an image is scored by the workers, on the processor",
        )
    from augcli.attention.scorer import on_device  # noqa: PLC0415 - few runs have a GPU

    return on_device(options.device, local_scorer(options.model), largest_grid(chain))


def score_first(
    pool: Pool, sources: Sources, gpu: Scorer, storage: MapStorage, listener: Listener
) -> None:
    """Score every source on a GPU and store the maps in the table that the workers read.

    Sources that fail are reported when their job comes.
    """
    spec = gpu.map_spec
    begun = time.monotonic()
    listener(Notice(f"scoring {len(sources):,} images on {gpu.device} first"))
    with MapTable(storage.table, spec.sha256, spec.map_shape, storage.images) as table:
        for _, answer in score_sources(pool, sources, gpu):
            if not isinstance(answer, Failure) and answer.new and answer.heat_map is not None:
                table.put(answer.key, answer.heat_map)
    listener(Notice(f"scored in {time.monotonic() - begun:.1f} s"))


def scoring_notices(
    options: RunOptions, chain: Chain, maps: Path | None, gpu: Scorer | None
) -> Iterator[str]:
    """Yield what a person should know of how a run scores."""
    if options.heatmaps and not maps:
        yield "`heatmaps` is of no use here: no image is scored as it lies in INPUT"
    if options.device == AUTO and largest_grid(chain):
        yield device_words(gpu)


def device_words(gpu: Scorer | None) -> str:
    """Return in words which device ``auto`` chose."""
    if gpu:
        return f"scoring on {gpu.device}"
    return "scoring on the processor: no GPU that onnxruntime can use was found"
