"""``augcli heatmaps``: scores every image of a folder once and stores the maps in one file.

What was scored is at once in a table beside the file, so that a killed run can be continued; the
file itself is written whole at the end.
"""

from __future__ import annotations

import glob
import os
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from augcli.attention.device import AUTO
from augcli.attention.heat_map_file import KEY_BYTES, About, HeatMaps, save_maps
from augcli.attention.map_table import NAME_END, STORED_TYPE, MapTable
from augcli.attention.model_file import local_scorer
from augcli.attention.scorer import Scorer, on_device
from augcli.data.codecs.choices import background_colour, given_white_level
from augcli.data.codecs.formats import FULL_WHITE
from augcli.data.manifest import Failure, write_table
from augcli.data.stopping import carry_on, writing
from augcli.data.stores.opening import open_store
from augcli.errors import (
    HeatMapsError,
    OutputError,
)
from augcli.files import open_file, publish_file, remove_file
from augcli.recipes.option_values import seconds_of
from augcli.run.checking.inputs import read_ahead_for, reading
from augcli.run.checking.places import check_overlay
from augcli.run.estimating.white_level import estimated_white_level, white_level_words
from augcli.run.machine import usable_cores
from augcli.run.messages import (
    Error,
    HeatMapsSummary,
    Notice,
    Progress,
    Started,
    ignore,
    time_notices,
)
from augcli.run.overlays import draw_overlays
from augcli.run.scoring import device_words
from augcli.work.device_scoring import BATCH, score_sources
from augcli.work.processes import local_pool
from augcli.work.settings import MapStorage, ReadSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from augcli.attention.map_spec import MapSpec
    from augcli.data.stopping import Checkpoint
    from augcli.data.stores.sources import Sources
    from augcli.files import Place
    from augcli.run.messages import Listener
    from augcli.run.options import HeatMapOptions
    from augcli.work.events import Scored
    from augcli.work.pool import Pool

NAME = "heatmaps"


@dataclass(slots=True)
class _Collected:
    """The maps of a run, in the order of the sources.

    Attributes:
        hashes: uint8 (n, 32).
        maps: float16 (n, h, w).
        there: bool (n,): which of them are known.
        new: How many were scored now.
        failures: Why others are not.
    """

    hashes: NDArray[np.uint8]
    maps: NDArray[np.float16]
    there: NDArray[np.bool_]
    new: int = 0
    failures: list[Failure] = field(default_factory=list)

    @classmethod
    def empty(cls, count: int, spec: MapSpec) -> _Collected:
        """Return place for maps."""
        return cls(
            np.zeros((count, KEY_BYTES), np.uint8),
            np.zeros((count, *spec.map_shape), STORED_TYPE),
            np.zeros(count, np.bool_),
        )

    def take(self, index: int, answer: Scored | Failure) -> None:
        """Take what is known of one source."""
        if isinstance(answer, Failure):
            self.failures.append(answer)
            return
        assert answer.heat_map is not None
        self.hashes[index] = np.frombuffer(answer.key, np.uint8)
        self.maps[index] = answer.heat_map
        self.there[index] = True
        self.new += answer.new


def make_heat_maps(
    folder: Place,
    options: HeatMapOptions,
    listener: Listener = ignore,
    checkpoint: Checkpoint = carry_on,
) -> HeatMapsSummary:
    """Score the images of a folder that the file does not know yet, and write it.

    Args:
        folder: INPUT.
        options: How.
        listener: Called with each message.
        checkpoint: Called between two images; what it raises ends the run.

    Raises:
        UsageError: Wrong input, a file of another scorer or grid, or a device that is not used.
        Stopped: The disk is full, …; the same call again continues.
    """
    begun = time.time()
    # A map does not depend on classes or splits.
    with reading(folder):
        store = open_store(
            os.fspath(folder),
            None,
            options.follow_links,
            "classes",
            image_column=options.image_column,
        )
        sources = store.list()
    _check_places(sources, options)
    gpu = on_device(options.device, local_scorer(options.model), options.grid)
    spec = (gpu or Scorer(local_scorer(options.model), grid=options.grid)).map_spec
    before = _before(options, spec)
    workers = usable_cores() if options.workers is None else options.workers
    count = len(sources)
    listener(
        Started(NAME, sources.root, str(options.out), count, len(sources.classes), count, workers)
    )
    if options.device == AUTO:
        listener(Notice(device_words(gpu)))
    for text in (*sources.skipped_in_words(), *time_notices(options.timeout, workers)):
        listener(Notice(text))
    collected = _Collected.empty(count, spec)
    collected.failures += [Failure(path, "list", reason) for path, reason in sources.refused]
    for failure in collected.failures:
        listener(Error(*failure))
    storage = MapStorage(
        options.out if before else None,
        f"{options.out}.part",
        count,
        gpu.map_spec if gpu else None,
    )
    settings = ReadSettings(
        store=store,
        max_pixels=options.max_pixels,
        max_bytes=options.max_bytes,
        frame=None,
        white_level=given_white_level(options.white_level) or FULL_WHITE,
        background=background_colour(options.background),
        model=local_scorer(options.model),
        grid=options.grid,
        storage=storage,
        timeout=seconds_of(options.timeout),
        read_ahead=read_ahead_for(sources),
    )

    needed = min(workers, count)
    pool = local_pool(settings, needed, checkpoint)
    try:
        if given_white_level(options.white_level) is None:
            settings = replace(settings, white_level=estimated_white_level(sources, pool)[0])
            if settings.white_level != FULL_WHITE:
                listener(Notice(white_level_words(settings.white_level)))
                # Other workers, which read with this level.
                pool.close()
                pool = local_pool(settings, needed, checkpoint)
        with writing(str(options.out)):
            _collect(pool, sources, gpu, spec, storage, collected, begun, listener)
            _write(sources, options, spec, collected)
    finally:
        pool.close()
    if options.overlay:
        with writing(str(options.overlay)):
            for failure in draw_overlays(settings, sources, options, options.overlay, checkpoint):
                collected.failures.append(failure)
                listener(Error(*failure))
    seconds = time.time() - begun
    summary = HeatMapsSummary(
        NAME,
        os.path.dirname(os.path.realpath(options.out)),
        os.path.realpath(options.out),
        int(collected.there.sum()),
        collected.new,
        len(collected.failures),
        len(sources.classes),
        0.0,
        round(seconds, 3),
        round(count / seconds, 1),
    )
    listener(summary)
    return summary


def _check_places(sources: Sources, options: HeatMapOptions) -> None:
    folder = os.path.dirname(os.path.realpath(options.out))
    if not os.path.isdir(folder):
        raise OutputError(f"`out` {options.out}: the folder {folder} does not exist; make it")
    if os.path.isdir(options.out):
        raise OutputError(f"`out` {options.out} is a folder; give a file, such as heatmaps.npz")
    errors = HeatMapsSummary.errors_of(str(options.out))
    if os.path.lexists(errors) and not _is_error_table(errors):
        raise OutputError(
            f"{errors}: is no table of errors that augcli made, and would be replaced if an image "
            "fails; rename it, or give another file with `out`"
        )
    if options.overlay:
        check_overlay(sources.root, options.overlay)


def _before(options: HeatMapOptions, spec: MapSpec) -> HeatMaps | None:
    """Return the file as it is; None where there is none, or it is to be replaced.

    Raises:
        HeatMapsError: It holds something else.
    """
    if not os.path.lexists(options.out):
        return None
    maps = _maps_of(options, check=not options.overwrite)
    if options.overwrite:
        return None
    about = _about(spec)
    if maps.about != about:
        what = "another scorer" if maps.about.scorer != about.scorer else "another `grid`"
        raise HeatMapsError(
            f"`out` {options.out}: holds maps of {what}; give another file, or `overwrite` to "
            "score all images anew"
        )
    return maps


def _maps_of(options: HeatMapOptions, *, check: bool = False) -> HeatMaps:
    """Return what the file holds.

    Raises:
        HeatMapsError: It is no file of heat maps, so it is not replaced.
    """
    try:
        return HeatMaps.open(options.out, check=check)
    except HeatMapsError as error:
        raise HeatMapsError(
            f"`out` {error}; augcli replaces only a file of heat maps: give another, or remove "
            "this file"
        ) from None


def _about(spec: MapSpec) -> About:
    return About(spec.sha256, spec.grid, poolable=not spec.flexible)


def _collect(
    pool: Pool,
    sources: Sources,
    gpu: Scorer | None,
    spec: MapSpec,
    storage: MapStorage,
    collected: _Collected,
    begun: float,
    listener: Listener,
) -> None:
    """Ask for every map; what is new is in the table at once."""
    batches = sources.batches(range(len(sources)), BATCH)
    with MapTable(storage.table, spec.sha256, spec.map_shape, storage.images) as table:
        for done, (path, answer) in enumerate(score_sources(pool, batches, gpu), 1):
            index = sources.find(path)
            assert index is not None
            collected.take(index, answer)
            if isinstance(answer, Failure):
                listener(Error(*answer))
            elif answer.new and answer.heat_map is not None:
                table.put(answer.key, answer.heat_map)
            failed = len(collected.failures)
            made = int(done - failed + len(sources.refused))
            seconds = time.time() - begun
            listener(Progress(made, failed, len(sources), seconds, collected.new))


def _write(sources: Sources, options: HeatMapOptions, spec: MapSpec, collected: _Collected) -> None:
    there = collected.there
    paths = [path for path, known in zip(sources.paths, there.tolist(), strict=True) if known]
    hashes, maps = collected.hashes, collected.maps
    if not there.all():
        hashes, maps = hashes[there], maps[there]
    if os.path.lexists(options.out):
        # Somebody else may have put another file there meanwhile.
        _maps_of(options)
    save_maps(options.out, _about(spec), paths, hashes, maps)
    errors = HeatMapsSummary.errors_of(str(options.out))
    if collected.failures:
        failures = sorted(collected.failures)
        publish_file(errors, lambda file: write_table(file, Failure._fields, failures))
    elif _is_error_table(errors):
        remove_file(errors)
    beginning = f"{options.out}.part"
    for table in glob.glob(f"{glob.escape(beginning)}-*"):
        if NAME_END.fullmatch(table.removeprefix(beginning)):
            remove_file(table)


def _is_error_table(path: str) -> bool:
    """Return whether augcli made a table, by its first line."""
    header = ",".join(Failure._fields).encode()
    try:
        with open_file(path) as file:
            return file.read(len(header) + 1).rstrip() == header
    except OSError:
        return False
