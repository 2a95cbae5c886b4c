"""Preparing a run: estimates are made, shards are fixed, the output folder is taken.

After it, shards can be made.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from augcli.data.codecs.formats import FULL_WHITE
from augcli.data.manifest import CARD, CLASSES, ERRORS
from augcli.data.names import is_container_name
from augcli.data.output import FOLDED_PARTS
from augcli.data.presence import refuse_tasks
from augcli.data.run_record import RunRecord
from augcli.data.sinks.opening import INDEXES, container_ending
from augcli.data.stopping import DiskFull, disk_full
from augcli.errors import OutputError, Stopped
from augcli.params import values
from augcli.plan.fingerprint import difference
from augcli.plan.parts import Parts
from augcli.plan.ring import ring_keys, shards_for
from augcli.recipes.option_kinds import AMOUNTS
from augcli.run.estimating.estimates import estimate
from augcli.run.estimating.white_level import white_level_words
from augcli.run.making.loader_notices import loader_notices
from augcli.run.making.split_tables import remove_tables
from augcli.run.messages import Error, Notice, Started, time_notices
from augcli.run.scoring import scorer_on_gpu, scoring_notices
from augcli.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Collection

    from augcli.attention.scorer import Scorer
    from augcli.files import OutputFiles
    from augcli.plan.backlog import Backlog
    from augcli.plan.plan import Plan
    from augcli.recipes.chain import Chain
    from augcli.run.checking.checked_run import Run
    from augcli.run.estimating.estimates import Estimates
    from augcli.run.messages import Listener
    from augcli.work.pool import Pool
    from augcli.work.settings import MapStorage


@dataclass(slots=True)
class Prepared:
    """A run whose shards can be made.

    Attributes:
        run: The run.
        chain: What is done, with the mean colour.
        record: What run.json says or is to say.
        before: What it said before; None where OUT is new.
        backlog: What is still to be made.
        storage: Where heat maps are stored.
        gpu: Scores the sources; None where the workers do, on the processor.
        pool: The workers, where they were needed already.
        is_settled: Whether OUT is as a complete run left it, and not locked.
        lost_classes: Classes of INPUT of which no image could be made.
    """

    run: Run
    chain: Chain
    record: RunRecord
    before: RunRecord | None
    backlog: Backlog
    storage: MapStorage
    gpu: Scorer | None
    pool: Pool | None
    is_settled: bool
    lost_classes: list[str] = field(default_factory=list)

    def take_output(self) -> None:
        """Lock an output folder that was settled, where there is something to do after all.

        Raises:
            OutputError: Another run was at work in it meanwhile.
        """
        if self.is_settled:
            _open(self.run)
            self.is_settled = False
            if self.run.output.record() != self.record:
                raise _written_meanwhile(self.run)
            self.record = _planned(self.record, self.run, self.backlog.plan)


def prepare(run: Run, listener: Listener) -> Prepared:
    """Make the estimates, fix the shards and take the output folder.

    A folder that a complete run left is not locked and not written: there may be nothing to do.

    Args:
        run: The run, checked.
        listener: Called with each message.

    Raises:
        OutputError: OUT belongs to another command, or is in use.
        ScorerError: The scorer can't be used.
        Stopped: A folder of INPUT is missing, the disk is full, …
    """
    output = run.output
    before = output.record()
    record = own_record(run, before)
    if record:
        _check_folders(run, record)
    gpu = scorer_on_gpu(run.options, run.chain)
    _announce(run, gpu, listener, is_new=before is None)
    storage = run.storage(gpu)
    estimates: Estimates | None = None
    try:
        if record is None or run.options.refresh_estimates or record.estimates_missed:
            # Before anything is written or removed: a bad scorer changes nothing in OUT.
            estimates = estimate(run, lambda run: run.pool(storage))
        is_settled = not estimates and record is not None and _is_settled(run, record)
        if not is_settled:
            _open(run)
            # Another run may have written it before the lock was taken.
            record = _reread(run) if record else None
            if record is None:
                _start_over(run, before)
        own = record
        if estimates:
            record = _estimated(record, estimates)
            if run.white_level is None and record.white_level not in (FULL_WHITE, None):
                listener(Notice(white_level_words(record.white_level)))
        assert record
        run, chain = as_recorded(run, record)
        parts = run.parts()
        shards = max(parts.shard_count, shards_for(run.sources.largest_split))
        plan = run.plan(chain, shards)
        backlog = run.backlog(plan, was_complete=record.state == "complete")
        if not is_settled:
            record = _planned(record, run, plan)
            if own is None and before:
                # In the place of the other command's: never is OUT without one.
                output.write_record(record)
        pool = estimates.pool if estimates else None
        prepared = Prepared(run, chain, record, own, backlog, storage, gpu, pool, is_settled)
        _fit_shards(prepared, listener)
    except BaseException:
        if estimates:
            estimates.pool.close()
        raise
    return prepared


def as_recorded(run: Run, record: RunRecord) -> tuple[Run, Chain]:
    """Return a run with the white level that run.json has, and its chain with the mean colour."""
    if record.white_level:
        run = replace(run, white_level=record.white_level)
    colour = record.mean_colour
    return run, run.chain.with_mean_colour(colour) if colour else run.chain


def _fit_shards(prepared: Prepared, listener: Listener) -> None:
    """Bring the parts of the runs before into the shards of the plan."""
    backlog, parts = prepared.backlog, prepared.backlog.parts
    count = backlog.plan.shard_count
    if prepared.run.in_containers:
        _place_containers(prepared, listener)
    elif not prepared.is_settled and 0 < parts.shard_count < count:
        keys_of = functools.partial(
            ring_keys, prepared.chain.seed, container_of=backlog.plan.container_of
        )
        backlog.emptied |= parts.split(count, keys_of)


def _place_containers(prepared: Prepared, listener: Listener) -> None:
    """Forget what lies in files that the plan has otherwise: their number has changed.

    A part must never name a file that another shard gives its name to.
    """
    backlog = prepared.backlog
    files = {shard.name: shard.file for shard in backlog.plan.shards()}
    if backlog.parts.are_placed(files):
        return
    prepared.take_output()
    backlog.parts.keep_placed(files)
    remove_containers(prepared.run.output.files, files.values())
    backlog.was_complete = False
    listener(
        Notice(f"the outputs lie in {len(files):,} files now; those that change are made again")
    )


def remove_containers(files: OutputFiles, planned: Collection[str]) -> None:
    """Remove the files of OUT that hold outputs and are not planned."""
    there = filter(is_container_name, files.names(""))
    files.remove(*(name for name in there if name not in planned))


def own_record(run: Run, record: RunRecord | None) -> RunRecord | None:
    """Return the record of OUT where this command made it, None where it is to be new.

    Raises:
        OutputError: Another command made it.
    """
    if record is None:
        return None
    text = difference(record.identity, run.identity)
    if not text:
        return record
    if not run.options.overwrite:
        raise OutputError(
            f"OUT {run.output.folder} was made by another command: {text}; "
            "give another folder with `out`, or `overwrite` to start over"
        )
    return None


def _is_settled(run: Run, record: RunRecord) -> bool:
    """Return whether OUT is as a complete run on this list of files left it."""
    output = run.output
    files = output.files
    tables = [CLASSES, CARD, FOLDED_PARTS]
    tables += [name for name in [run.index_name, *record.tables] if name]
    if record.counts.get("failed"):
        tables.append(ERRORS)
    return (
        record.state == "complete"
        and bool(record.counts)
        and record.refused == run.refused
        and list(record.classes) == run.given_classes
        and not output.has_state
        and (run.in_containers or run.parts().shard_count >= shards_for(run.sources.largest_split))
        and all(files.size(name) is not None for name in tables)
    )


def _open(run: Run) -> None:
    output = run.output
    try:
        output.open()
        if not run.options.force:
            refuse_tasks(output.files, output.folder)
    except DiskFull:
        needed = sum(run.sources.sizes) * run.wanted.outputs // len(run.sources)
        raise disk_full(run.output.path, needed) from None


def _reread(run: Run) -> RunRecord:
    """Return this command's record, as another run may have left it before the lock was taken."""
    record = own_record(run, run.output.record())
    if record is None:
        raise _written_meanwhile(run)
    return record


def _start_over(run: Run, before: RunRecord | None) -> None:
    """Remove what another command made, but run.json; the lock is held by now."""
    if run.output.record() != before:
        raise _written_meanwhile(run)
    if before is None:
        return
    files = run.output.files
    parts = Parts(files)
    folders: set[str] = set()
    for stored in parts.read():
        if stored.part:
            folders |= parts.drop(stored.part)
    files.remove(CLASSES, ERRORS, CARD, *INDEXES)
    if container_ending(before.identity.get("to")):
        remove_containers(files, ())
    parts.remove()
    remove_tables(files)
    files.remove_empty(folders)


def _written_meanwhile(run: Run) -> OutputError:
    return OutputError(
        f"OUT {run.output.folder} was written by another run of augcli meanwhile; "
        "look at it and run again"
    )


def _estimated(record: RunRecord | None, estimates: Estimates) -> RunRecord:
    """Return a record, the first one or that of the runs before, with new estimates."""
    if record is None:
        identity = estimates.run.identity
        record = RunRecord(augcli=VERSION, state="running", identity=identity)
    return replace(
        record,
        mean_colour=estimates.mean_colour,
        white_level=estimates.run.white_level,
        estimates_missed=estimates.missed,
    )


def _planned(record: RunRecord, run: Run, plan: Plan) -> RunRecord:
    """Return a record with what is planned now."""
    amounts = {name: value for name, value in values(run.options).items() if name in AMOUNTS}
    identity = {**record.identity, "labels": run.identity["labels"]}
    return replace(
        record,
        identity=identity,
        jobs=plan.jobs,
        amounts=amounts,
        folders=sorted(run.folders),
        classes=run.given_classes,
    )


def _check_folders(run: Run, record: RunRecord) -> None:
    """Stop where a folder of images has none any more: its disk may not be there.

    Raises:
        Stopped: A folder that had images in the run before is missing or empty, or can't be
            listed.
    """
    missing = sorted(set(record.folders) - run.folders)
    if not missing or run.options.accept_missing:
        return
    more = f" (and {len(missing) - 1:,} more)" if len(missing) > 1 else ""
    place = os.path.join(run.sources.root, missing[0])
    kind = "file" if run.sources.containers else "folder"
    refused = dict(run.sources.refused)
    if missing[0] in refused:
        state = refused[missing[0]].removeprefix("the folder ")
    elif os.path.exists(place):
        state = "holds none"
    else:
        state = "is missing"
    raise Stopped(
        f"{kind} {place}{more} held images in the run before, but now {state}; make it available "
        "and run again, or give `accept_missing` to remove what was made of it"
    )


def _announce(run: Run, gpu: Scorer | None, listener: Listener, *, is_new: bool) -> None:
    listener(
        Started(
            run.chain.name,
            run.sources.root,
            run.output.path,
            len(run.sources),
            len(run.sources.classes),
            int(run.wanted.copies.sum()) if run.chain.steps else run.wanted.outputs,
            run.workers,
        )
    )
    for text in (
        *run.sources.skipped_in_words(),
        *run.sources.found,
        *run.sources.notices,
        *time_notices(run.options.timeout, run.workers),
        *(loader_notices(run.sources, run.options) if is_new else ()),
    ):
        listener(Notice(text))
    for path, reason in run.sources.refused:
        listener(Error(path, "list", reason))
    for text in scoring_notices(run.options, run.chain, run.heatmaps, gpu):
        listener(Notice(text))
