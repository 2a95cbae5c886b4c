"""``augcli inspect``: what INPUT holds, before anything is made of it."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from augcli.data.manifest import Failure
from augcli.data.stopping import carry_on
from augcli.recipes.option_values import seconds_of
from augcli.run.checking.inputs import read_ahead_for
from augcli.run.checking.listing import list_sources
from augcli.run.checking.places import path_of
from augcli.run.checking.refusals import check_surroundings
from augcli.run.class_counts import class_counts, of_all_splits
from augcli.run.inspecting.duplicates import duplicates_of, leaking_groups
from augcli.run.inspecting.inspection import Inspection, Labels, Sides, Sized, SplitCount
from augcli.run.machine import usable_cores
from augcli.run.messages import Error, Progress, ignore
from augcli.run.options import inspect_fields, run_options
from augcli.work.processes import local_pool
from augcli.work.questions import Look, Looks
from augcli.work.settings import ReadSettings

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from augcli.data.stopping import Checkpoint
    from augcli.data.stores.sources import Sources, Store
    from augcli.files import Place
    from augcli.pixels.blank import Blank
    from augcli.recipes.options import RunOptions
    from augcli.run.class_counts import ClassCount
    from augcli.run.messages import Listener
    from augcli.work.pool import Pool

BATCH = 16
"""Sources that a worker is asked for at a time."""
MOST_LISTED = 1000
"""Failures and blank pictures that are listed; all are counted."""
MOST_SIZES = 5
"""Sizes that are listed, the most frequent ones."""


class _Seen:
    """What workers saw, in a few bytes for each source."""

    def __init__(self, count: int) -> None:
        self.digests = np.zeros((count, 2), np.uint64)
        self.widths = np.zeros(count, np.uint32)
        self.heights = np.zeros(count, np.uint32)
        self.formats: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.blanks: Counter[Blank] = Counter()
        self.blank_paths: list[str] = []
        self.failures: list[Failure] = []
        self.grey = self.failed = 0

    def take(self, index: int, path: str, look: Look) -> None:
        """Take what was seen of one source."""
        self.digests[index] = np.frombuffer(look.digest, np.uint64)
        self.widths[index], self.heights[index] = look.width, look.height
        self.formats[look.format] += 1
        self.notes.update(look.notes)
        self.grey += look.grey
        if look.blank:
            self.blanks[look.blank] += 1
            if len(self.blank_paths) < MOST_LISTED:
                self.blank_paths.append(path)

    def fail(self, failure: Failure) -> None:
        """Take the failure of one source."""
        self.failed += 1
        if len(self.failures) < MOST_LISTED:
            self.failures.append(failure)


def inspect(
    folder: str | os.PathLike[str], *, listener: Listener = ignore, **options: Any
) -> Inspection:
    """Look at every picture of INPUT once and return what there is; nothing is written.

    Args:
        folder: INPUT.
        listener: Called with each message: the progress, and pictures that can't be used.
        **options: Those that say what INPUT is, such as ``labels`` or ``layout``, and ``workers``
            and ``timeout``; see :class:`augcli.recipes.options.RunOptions`.

    Raises:
        UsageError: A wrong option or wrong input.

    Example:
        >>> import augcli
        >>> found = augcli.inspect("sample_images", workers=0)
        >>> found.images, found.classes, found.duplicates.images
        (16, {'animal': 4, 'person': 4, 'space': 4, 'thing': 4}, 0)
    """
    place = path_of(folder)
    return inspect_sources(place, run_options(inspect_fields(), options, "inspect"), listener)


def inspect_sources(
    folder: Place,
    options: RunOptions,
    listener: Listener = ignore,
    checkpoint: Checkpoint = carry_on,
) -> Inspection:
    """Look at every picture of INPUT once.

    Args:
        folder: INPUT.
        options: Those of :func:`augcli.run.options.inspect_fields` count.
        listener: Called with each message.
        checkpoint: Called between two pictures; what it raises ends the work.

    Raises:
        UsageError: A wrong option or wrong input.
        Stopped: Workers can't be started, or keep ending.
    """
    begun = time.monotonic()
    check_surroundings(folder)
    store, sources = list_sources(folder, None, options)
    seen = _Seen(len(sources))
    for path, reason in sources.refused:
        failure = Failure(path, "list", reason)
        seen.fail(failure)
        listener(Error(*failure))
    pool = _pool(store, sources, options, checkpoint)
    try:
        _look_at_all(pool, sources, seen, listener, begun)
    finally:
        pool.close()
    return _inspection(store, sources, seen, begun)


def _pool(store: Store, sources: Sources, options: RunOptions, checkpoint: Checkpoint) -> Pool:
    settings = ReadSettings(
        store=store,
        max_pixels=options.max_pixels,
        max_bytes=options.max_bytes,
        frame=None,
        timeout=seconds_of(options.timeout),
        read_ahead=read_ahead_for(sources),
    )
    wanted = usable_cores() if options.workers is None else options.workers
    workers = min(wanted, len(sources))
    return local_pool(settings, workers, checkpoint)


def _look_at_all(
    pool: Pool, sources: Sources, seen: _Seen, listener: Listener, begun: float
) -> None:
    total = len(sources)
    batches = sources.batches(range(total), BATCH)
    for done, (path, answer) in enumerate(pool.ask(Looks, batches), 1):
        if isinstance(answer, Failure):
            seen.fail(answer)
            listener(Error(*answer))
        else:
            index = sources.find(path)
            assert index is not None
            seen.take(index, path, answer)
        if done % BATCH == 0 or done == total:
            failed = seen.failed - len(sources.refused)
            looked = done - failed
            listener(Progress(looked, failed, total, time.monotonic() - begun, looked))


def _inspection(store: Store, sources: Sources, seen: _Seen, begun: float) -> Inspection:
    """Put together what was listed and what was seen."""
    counts = class_counts(sources)
    total = of_all_splits(counts)
    classes = {name: total[name].images if name in total else 0 for name in sources.classes}
    present = [count for count in classes.values() if count]
    is_known = seen.widths > 0
    smallest, largest = _extremes(sources, seen, is_known)
    return Inspection(
        input=sources.root,
        kind=kind_of(store),
        images=len(sources),
        failed=seen.failed,
        labels=_labels_of(sources),
        unlabelled=total[""].images if "" in total else 0,
        classes=classes,
        mass={name: total[name].mass if name in total else 0.0 for name in sources.classes}
        if sources.are_soft
        else {},
        imbalance=round(max(present) / min(present), 2) if len(present) > 1 else None,
        splits=_split_counts(sources, counts),
        formats=dict(seen.formats.most_common()),
        grey=seen.grey,
        width=_sides(seen.widths[is_known]),
        height=_sides(seen.heights[is_known]),
        smallest=smallest,
        largest=largest,
        sizes=_sizes(seen, is_known),
        black=seen.blanks["black"],
        one_colour=seen.blanks["one colour"],
        blank=sorted(seen.blank_paths),
        duplicates=duplicates_of(sources, seen.digests, is_known),
        groups=sum(name != "" for name in sources.groups),
        leaks=leaking_groups(sources),
        notes=dict(seen.notes.most_common()),
        skipped={f"{kind} ({why})": count for (kind, why), count in sources.skipped.items()},
        notices=[*sources.found, *sources.notices],
        failures=sorted(seen.failures),
        seconds=round(time.monotonic() - begun, 3),
    )


def kind_of(store: Store) -> str:
    """Return what INPUT is, in words, by the class of its store.

    Example:
        >>> from augcli.data.stores.folder import FolderStore
        >>> kind_of(FolderStore("images"))
        'folder'
    """
    name = type(store).__name__.removesuffix("Store")
    return " ".join(re.findall(r"[A-Z][a-z0-9]*", name)).lower() or name


def _labels_of(sources: Sources) -> Labels:
    if not sources.classes:
        return "none"
    if sources.are_many:
        return "several"
    return "soft" if sources.are_soft else "single"


def _split_counts(
    sources: Sources, counts: dict[tuple[str, str], ClassCount]
) -> dict[str, SplitCount]:
    """Return what each split holds."""
    images = np.bincount(np.array(sources.split_of, np.int64), minlength=len(sources.splits))
    splits = {name: SplitCount(int(images[at])) for at, name in enumerate(sources.splits)}
    for (split, name), count in counts.items():
        if split and name:
            splits[split].classes[name] = count.images
        elif split:
            splits[split] = replace(splits[split], unlabelled=count.images)
    return splits


def _sides(lengths: Any) -> Sides | None:
    """Return the quartiles of lengths; None where there are none."""
    if not len(lengths):
        return None
    quartiles = np.quantile(lengths, [0, 0.25, 0.5, 0.75, 1], method="nearest")
    return Sides(*map(int, quartiles.tolist()))


def _extremes(
    sources: Sources, seen: _Seen, is_known: Any
) -> tuple[Sized, Sized] | tuple[None, None]:
    """Return the pictures of the fewest and of the most pixels, the first of equals."""
    indices = np.flatnonzero(is_known)
    if not len(indices):
        return None, None
    areas = seen.widths[indices].astype(np.int64) * seen.heights[indices]

    def sized(index: int) -> Sized:
        return Sized(sources.paths[index], int(seen.widths[index]), int(seen.heights[index]))

    return sized(indices[areas.argmin()]), sized(indices[areas.argmax()])


def _sizes(seen: _Seen, is_known: Any) -> dict[str, int]:
    """Return the most frequent sizes."""
    keys = seen.widths[is_known].astype(np.uint64) << np.uint64(32)
    keys |= seen.heights[is_known]
    sizes, counts = np.unique(keys, return_counts=True)
    # The smaller of two that are equally frequent comes first.
    order = np.argsort(-counts, kind="stable")[:MOST_SIZES]
    return dict(_named_sizes(sizes[order].tolist(), counts[order].tolist()))


def _named_sizes(sizes: list[int], counts: list[int]) -> Iterator[tuple[str, int]]:
    for size, count in zip(sizes, counts, strict=True):
        yield f"{size >> 32}x{size & 0xFFFFFFFF}", count
