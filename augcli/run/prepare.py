"""Preparing a run: estimates are made, shards are fixed, the output folder is taken.

After it, shards can be made.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from augcli.data.codecs.formats import FULL_WHITE
from augcli.data.manifest import CARD, CLASSES, ERRORS, MANIFEST
from augcli.data.output import FOLDED_PARTS
from augcli.data.run_record import RECORD, RunRecord
from augcli.data.stopping import DiskFull, disk_full
from augcli.errors import OutputError
from augcli.plan.fingerprint import difference
from augcli.plan.parts import Parts
from augcli.plan.ring import shards_for
from augcli.run.mean_colour import mean_colour
from augcli.run.messages import Error, Notice, Started, time_notices
from augcli.run.scoring import scorer_on_gpu, scoring_notices
from augcli.run.white_level import estimated_white_level, white_level_words
from augcli.version import VERSION

if TYPE_CHECKING:
    from augcli.attention.scorer import Scorer
    from augcli.plan.backlog import Backlog
    from augcli.recipes.chain import Chain
    from augcli.run.check import Run
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


def prepare(run: Run, listener: Listener) -> Prepared:
    """Make the estimates, fix the shards and take the output folder.

    A folder that a complete run left is not locked and not written: there may be nothing to do.

    Args:
        run: The run, checked.
        listener: Called with each message.

    Raises:
        OutputError: OUT belongs to another command, or is in use.
        ScorerError: The scorer can't be used.
        Stopped: The disk is full, …
    """
    output = run.output
    before = output.record()
    own = record = own_record(run, before)
    gpu = scorer_on_gpu(run.options, run.chain)
    _announce(run, gpu, listener)
    storage = run.storage(gpu)
    pool: Pool | None = None
    is_settled = record is not None and _is_settled(run, record)
    if record is None:
        # Before anything is written or removed: a bad scorer changes nothing in OUT.
        pool = run.pool(storage)
        try:
            if run.white_level is None:
                white_level = estimated_white_level(run.sources, pool)
                run = replace(run, white_level=white_level)
                if white_level != FULL_WHITE:
                    listener(Notice(white_level_words(white_level)))
                    # Other workers, which read with this level.
                    pool.close()
                    pool = run.pool(storage)
            record = _new_record(run, pool)
            _open(run)
            _start_over(run, before)
        except BaseException:
            pool.close()
            raise
    elif not is_settled:
        _open(run)
        # Another run may have written it before the lock was taken.
        own = record = own_record(run, output.record())
        if record is None:
            raise _written_meanwhile(run)
    if record.white_level:
        run = replace(run, white_level=record.white_level)
    chain = run.chain.with_mean_colour(record.mean_colour) if record.mean_colour else run.chain
    plan = run.plan(chain, record.shards)
    record = replace(record, jobs=plan.jobs) if not is_settled else record
    backlog = run.backlog(plan, was_complete=record.state == "complete")
    return Prepared(run, chain, record, own, backlog, storage, gpu, pool, is_settled)


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
    tables = [MANIFEST, CLASSES, CARD, FOLDED_PARTS]
    if record.counts.get("failed"):
        tables.append(ERRORS)
    return (
        record.state == "complete"
        and bool(record.counts)
        and record.refused == run.refused
        and not output.has_state
        and all(files.size(name) is not None for name in tables)
    )


def _open(run: Run) -> None:
    try:
        run.output.open()
    except DiskFull:
        raise disk_full(sum(run.sources.sizes) * run.options.copies) from None


def _start_over(run: Run, before: RunRecord | None) -> None:
    """Remove what another command made; the lock is held by now."""
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
    for name in (MANIFEST, CLASSES, ERRORS, CARD):
        files.remove(name)
    parts.remove()
    files.remove(RECORD)
    files.remove_empty(folders)


def _written_meanwhile(run: Run) -> OutputError:
    return OutputError(
        f"OUT {run.output.folder} was written by another run of augcli meanwhile; "
        "look at it and run again"
    )


def _new_record(run: Run, pool: Pool) -> RunRecord:
    """Return the first run.json: what is estimated from the sources stays as it is."""
    colour = None
    if run.chain.needs_mean_colour:
        colour = mean_colour(run.sources, run.options.seed, pool)
    return RunRecord(
        augcli=VERSION,
        state="running",
        identity=run.identity,
        shards=shards_for(len(run.sources)),
        mean_colour=colour,
        white_level=run.white_level,
    )


def _announce(run: Run, gpu: Scorer | None, listener: Listener) -> None:
    listener(
        Started(
            run.chain.name,
            run.sources.place,
            run.output.path,
            len(run.sources),
            len(run.sources.classes),
            len(run.sources) * run.options.copies,
            run.workers,
        )
    )
    for text in (
        *run.sources.skipped_in_words(),
        *run.sources.notices,
        *time_notices(run.options.timeout, run.workers),
    ):
        listener(Notice(text))
    for path, reason in run.sources.refused:
        listener(Error(path, "list", reason))
    for text in scoring_notices(run.options, run.chain, run.heatmaps, gpu):
        listener(Notice(text))
