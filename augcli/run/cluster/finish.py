"""Finishing a run whose shards many machines made."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from augcli.data.manifest_formats.formats import manifest_name
from augcli.data.presence import refuse_tasks
from augcli.data.stopping import writing
from augcli.errors import OutputError, Stopped
from augcli.files import place_of
from augcli.recipes.options import RunOptions
from augcli.run.cluster.missing import in_words, last_tasks, missing_shards
from augcli.run.cluster.prepare import planned_run
from augcli.run.cluster.shared_plan import read_facts, read_plan
from augcli.run.making.finish import finish
from augcli.run.making.make import outcome_notices
from augcli.run.making.prepare import Prepared
from augcli.run.messages import Notice, Summary, ignore
from augcli.run.showing.progress import RunProgress
from augcli.run.status import open_output
from augcli.work.settings import MapStorage

if TYPE_CHECKING:
    from augcli.data.output import OutputFolder
    from augcli.data.run_record import RunRecord
    from augcli.files import Place
    from augcli.run.cluster.shared_plan import SharedPlan
    from augcli.run.messages import Listener


def finish_shared(out: Place, listener: Listener = ignore, *, force: bool = False) -> Summary:
    """Write the manifest and the other tables, when all shards of a plan are made.

    Args:
        out: OUT.
        listener: Called with each message.
        force: Whether to go on although tasks seem to be at work.

    Raises:
        OutputError: OUT is not of augcli, has no plan, or is in use.
        Stopped: Shards are missing, the disk is full, …
    """
    begun = time.time()
    output, record = open_output(out)
    if not output.has_plan:
        return _complete(output, record, listener)
    with writing(output.path):
        output.open()
        try:
            if not force:
                refuse_tasks(output.files, out)
            plan = read_plan(output)
            if plan is None:
                raise OutputError(f"OUT {out} was finished by another process meanwhile")
            done = _finish(output, plan, begun, listener)
            output.forget_plan()
        finally:
            output.close()
    listener(done)
    return done


def _complete(output: OutputFolder, record: RunRecord, listener: Listener) -> Summary:
    """Return what lies in OUT where there is nothing to finish: a task may be tried again.

    Raises:
        OutputError: It is not complete.
    """
    counts = record.counts
    if record.state != "complete" or not counts:
        raise OutputError(
            f"OUT {output.folder} has no plan whose tasks are to be finished: the command that "
            "began it without `shard` also completes it"
        )
    listener(Notice("nothing to do: everything is there already"))
    done = Summary(
        record.identity["command"],
        output.path,
        f"{output.path}/{manifest_name(record.tables.__contains__)}",
        counts["images"],
        0,
        counts["failed"],
        counts["classes"],
        counts["mean_weight"],
        0.0,
        0.0,
        dict(counts["remarks"]),
    )
    listener(done)
    return done


def _finish(output: OutputFolder, plan: SharedPlan, begun: float, listener: Listener) -> Summary:
    facts = read_facts(output, plan)
    options = RunOptions(out=output.folder)
    run, chain = planned_run(plan, output, place_of(plan.input), options, reads=False)
    missing = missing_shards(output, plan, facts, run.parts())
    if missing:
        tasks = last_tasks(output, plan, facts.shards, missing, output.files.clock())
        raise Stopped(
            f"OUT {output.folder} can't be finished yet: {in_words(missing, tasks)}; run these "
            "tasks again, then finish"
        )
    record = output.record()
    assert record
    backlog = run.backlog(facts.plan(run, chain), was_complete=False)
    backlog.shards, backlog.files = set(facts.files), set(facts.files.values())
    prepared = Prepared(run, chain, record, record, backlog, MapStorage(), None, None, False)
    done = finish(prepared, backlog.shards, RunProgress(backlog, begun, listener, None), begun)
    for text in outcome_notices(prepared, done):
        listener(Notice(text))
    return done
