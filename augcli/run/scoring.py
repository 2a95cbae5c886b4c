"""What scores the sources of a run: a file of heat maps, a GPU before the work, or the workers."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from augcli.attention.device import AUTO, CPU
from augcli.attention.heat_map_file import HeatMaps
from augcli.attention.model_file import local_scorer
from augcli.errors import HeatMapsError, ParameterError
from augcli.files import TABLE_LIMIT, local_copy
from augcli.run.messages import Notice
from augcli.work.device_scoring import score_sources, store_maps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.attention.scorer import Scorer
    from augcli.data.stores.sources import Source
    from augcli.files import Place
    from augcli.recipes.chain import Chain
    from augcli.recipes.options import RunOptions
    from augcli.run.messages import Listener
    from augcli.work.pool import Pool
    from augcli.work.settings import MapStorage


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
    if options.engine == "ray":
        return None  # the nodes score, each on its own
    from augcli.attention.scorer import on_device  # noqa: PLC0415 - few runs have a GPU

    return on_device(options.device, local_scorer(options.model), largest_grid(chain))


def score_first(
    pool: Pool,
    batches: Iterator[list[Source]],
    count: int,
    gpu: Scorer,
    storage: MapStorage,
    listener: Listener,
) -> None:
    """Score sources on a GPU and store the maps in the table that the workers read.

    Args:
        pool: Its workers fit pictures.
        batches: The sources, so many at a time.
        count: How many there are.
        gpu: Scores.
        storage: Where the table is.
        listener: Called with each message.
    """
    begun = time.monotonic()
    listener(Notice(f"scoring {count:,} images on {gpu.device} first"))
    store_maps(score_sources(pool, batches, gpu), storage)
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
