"""Making a data set: prepare, work, finish."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from augcli.data.codecs.choices import given_white_level
from augcli.data.codecs.formats import FULL_WHITE
from augcli.data.stopping import DiskFull, disk_full, writing
from augcli.run.class_counts import class_counts, of_all_splits
from augcli.run.machine import machine
from augcli.run.making.finish import REPEATED, finish, made_by, summary, table_hashes
from augcli.run.making.prepare import prepare
from augcli.run.messages import Notice, Summary, ignore
from augcli.run.scoring import score_first
from augcli.run.showing.progress import RunProgress
from augcli.work.device_scoring import BATCH, in_batches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.data.stores.sources import Source
    from augcli.plan.jobs import Task
    from augcli.run.checking.checked_run import Run
    from augcli.run.making.prepare import Prepared
    from augcli.run.messages import Listener

TABLE_BYTES = 600
"""Of an output's row and its line in a part."""


def make(run: Run, listener: Listener = ignore) -> Summary:
    """Make what is not there yet.

    Args:
        run: What to make, checked.
        listener: Called with each message.

    Raises:
        OutputError: OUT belongs to another command, or is in use.
        ScorerError: The scorer can't be used.
        Stopped: The disk is full, OUT is gone, …
    """
    begun = time.time()
    try:
        with writing(run.output.path):
            prepared = prepare(run, listener)
            try:
                done = _make(prepared, begun, listener)
            finally:
                if prepared.pool:
                    prepared.pool.close()
    finally:
        run.output.close()
    listener(done)
    return done


def _make(prepared: Prepared, begun: float, listener: Listener) -> Summary:
    backlog = prepared.backlog
    was_complete = prepared.record.state == "complete"
    tasks = backlog.tasks()
    first = next(tasks, None)
    try:
        changed = _changed_tables(prepared) if first is None and was_complete else []
        if changed:
            listener(Notice(f"written again, missing or changed: {', '.join(changed)}"))
        elif first is None and was_complete and _is_another_manifest(prepared):
            changed = [prepared.run.manifest.name]
            form = prepared.run.soft_label
            listener(Notice(f"the manifest becomes {changed[0]}, with labels as {form}"))
        elif first is None and was_complete:
            listener(Notice("nothing to do: everything is there already"))
        if first is None and prepared.is_settled and not backlog.is_untidy and not changed:
            return summary(prepared, round(time.time() - begun, 3))
        prepared.take_output()
        # This run makes all of it: no task goes on.
        prepared.run.output.forget_plan()
        progress = RunProgress(backlog, begun, listener, prepared.run.options.most_failures)
        if first is not None:
            begin(prepared)
            work(prepared, _chained(first, tasks), progress, listener)
        done = finish(prepared, backlog.shards, progress, begun)
        for text in outcome_notices(prepared, done):
            listener(Notice(text))
        return done  # noqa: TRY300 - the notices may meet a full disk too
    except DiskFull:
        raise disk_full(prepared.run.output.path, _space_needed(prepared)) from None
    finally:
        for text in change_notices(prepared):
            listener(Notice(text))


def _changed_tables(prepared: Prepared) -> list[str]:
    """Return the names of the tables that are not as the run before wrote them."""
    written, found = prepared.record.tables, table_hashes(prepared.run.output.files)
    return [name for name in {**written, **found} if written.get(name) != found.get(name)]


def begin(prepared: Prepared) -> None:
    """Write in run.json that the run is at work, before its first shard is made."""
    running = replace(prepared.record, state="running", counts={}, timings={}, **made_by(prepared))
    prepared.run.output.write_record(running)


def _is_another_manifest(prepared: Prepared) -> bool:
    """Return whether the run before wrote the manifest in another form."""
    run, record = prepared.run, prepared.record
    return run.manifest.name not in record.tables or run.soft_label != record.soft_label


def work(
    prepared: Prepared,
    tasks: Iterator[Task],
    progress: RunProgress,
    listener: Listener,
    scored: list[Source] | None = None,
) -> None:
    """Make shards.

    Args:
        prepared: The run.
        tasks: What each shard still needs.
        progress: Counts what is made.
        listener: Called with each message.
        scored: The sources that a GPU scores first; all where None.

    Raises:
        Stopped: The disk is full, workers keep ending, …
    """
    run = prepared.run
    pool = prepared.pool = prepared.pool or run.pool(prepared.storage)
    if prepared.gpu:
        # So that no worker needs to score a source.
        count = len(run.sources) if scored is None else len(scored)
        every = run.sources.batches(range(count), BATCH)
        batches = every if scored is None else in_batches(scored)
        score_first(pool, batches, count, prepared.gpu, prepared.storage, listener)
    settings = run.make_settings(prepared.chain, run.output.files.identity())
    for event in pool.work(settings, tasks, prepared.backlog.plan.widen):
        progress.take(event)
    pool.close()
    if progress.missing_maps:
        listener(
            Notice(
                f"{len(progress.missing_maps):,} images are not in {run.heatmaps}, or changed "
                "since it was made: they were scored"
            )
        )


def _chained(first: Task, rest: Iterator[Task]) -> Iterator[Task]:
    yield first
    yield from rest


def outcome_notices(prepared: Prepared, done: Summary) -> Iterator[str]:
    """Yield what a person should know of the outputs."""
    repeated = done.remarks.get(REPEATED, 0)
    if repeated:
        yield (
            f"{repeated:,} outputs are the same as another copy of their source: a range such as "
            "`top_n` 3..9, another `region`, or more sources make copies differ"
        )
    for name in _lost_classes(prepared):
        yield f"class {name!r} has no output: all its images failed"


def _lost_classes(prepared: Prepared) -> list[str]:
    """Return the lost classes of which an output was wanted: the amount may also be none."""
    wanted = prepared.run.wanted
    if not prepared.lost_classes:
        return []
    counts = class_counts(prepared.run.sources, wanted.copies + (wanted.originals > 0))
    sums = of_all_splits(counts)
    return [name for name in prepared.lost_classes if name in sums and sums[name].mass]


def change_notices(prepared: Prepared) -> Iterator[str]:
    """Yield what is not as the run before left it."""
    backlog = prepared.backlog
    counts = [f"{count:,} {word}" for word, count in sorted(backlog.changes.items()) if count]
    if counts:
        yield f"sources since the run before: {', '.join(counts)}; what they change is made again"
        if estimated := _estimated(prepared):
            yield (
                f"the {estimated} of the first run stays, although the images changed; with "
                "`refresh_estimates` a run estimates it again, as if it were the first"
            )
    if backlog.repaired:
        yield f"made again, missing or damaged: {backlog.repaired} outputs"
    if backlog.damaged:
        yield f"parts that were damaged and are made again: {backlog.damaged:,}"
    before = prepared.before.versions if prepared.before else {}
    now = machine()["versions"]
    if before and backlog.shards and backlog.already_done < backlog.plan.jobs:
        differences = ", ".join(
            f"{package} was {before.get(package)} and is {version}"
            for package, version in now.items()
            if before.get(package) != version
        )
        if differences:
            yield (
                f"{differences}: outputs made now may differ in their bytes from those made before"
            )


def _estimated(prepared: Prepared) -> str:
    """Return what was estimated from the sources; empty where nothing was."""
    run = prepared.run
    is_level = given_white_level(run.options.white_level) is None and run.white_level != FULL_WHITE
    names = ["mean colour"] * run.chain.needs_mean_colour + ["white level"] * is_level
    return " and the ".join(names)


def _space_needed(prepared: Prepared) -> int:
    """Return about how many bytes are still to be written."""
    made = size = 0
    for stored in prepared.backlog.parts.read():
        if stored.part:
            made += len({output.job for output in stored.part.made})
            size += sum(output.size for output in stored.part.made)
    sources, jobs = prepared.run.sources, prepared.backlog.plan.jobs
    # Where nothing is made yet: as large as the sources.
    each = size / made if made else sum(sources.sizes) / len(sources)
    return int(max(0, jobs - made) * each) + TABLE_BYTES * jobs
