"""One task of an array job: its share of the shards, without a lock over OUT.

Tasks know nothing of one another. A shard that two of them make at once gets the same names and the
same bytes from both.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from typing import TYPE_CHECKING, NamedTuple

from augcli.data.manifest_formats.formats import FORMATS
from augcli.data.presence import Presence, TaskFile
from augcli.data.stopping import carry_on, writing
from augcli.errors import Stopped
from augcli.recipes.array_index import ArrayIndex
from augcli.run.cluster.prepare import LOOK_SECONDS, output_of, plan_for_task, planned_run
from augcli.run.cluster.shared_plan import read_facts, read_plan, shard_files
from augcli.run.making.make import work
from augcli.run.making.prepare import Prepared
from augcli.run.messages import Notice, Started, TaskSummary, ignore
from augcli.run.scoring import scorer_on_gpu
from augcli.run.showing.progress import RunProgress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from augcli.data.output import OutputFolder
    from augcli.data.stopping import Checkpoint
    from augcli.data.stores.sources import Sources
    from augcli.files import Place
    from augcli.plan.jobs import Task
    from augcli.plan.plan import Plan
    from augcli.recipes.chain import Chain
    from augcli.recipes.options import RunOptions
    from augcli.recipes.recipe import Recipe
    from augcli.run.checking.checked_run import Run
    from augcli.run.cluster.shared_plan import PlannedShard, SharedPlan
    from augcli.run.messages import Listener


def make_share(
    folder: Place,
    recipe: Recipe,
    options: RunOptions,
    checkpoint: Checkpoint = carry_on,
    listener: Listener = ignore,
) -> TaskSummary:
    """Make the shards of one task.

    Args:
        folder: INPUT.
        recipe: What to do.
        options: How; with ``shard``.
        checkpoint: Called between two images; what it raises ends the run.
        listener: Called with each message.

    Raises:
        UsageError: A wrong option, or other options than those of the plan.
        Stopped: The plan was changed meanwhile, the disk is full, …
    """
    begun = time.time()
    index = ArrayIndex.parse(options.shard)
    plan = plan_for_task(folder, recipe, options, listener, checkpoint)
    output = output_of(folder, recipe, options)
    shards: Sequence[PlannedShard] = []
    progress: RunProgress | None = None
    if plan:
        with writing(output.path), Presence(output.path, _task_file(index, plan)):
            _wait_for_lock(output, plan, checkpoint)
            facts = read_facts(output, plan)
            shards = index.slice(facts.shards)
            run, chain = planned_run(plan, output, folder, options, checkpoint, reads=True)
            share = _Share(plan, shards, facts.plan(run, chain))
            progress = _make(run, chain, share, begun, listener)
    output.files.close()
    done = TaskSummary(
        recipe.name,
        output.path,
        f"{output.path}/{FORMATS[options.manifest].name}",
        sum(shard.jobs for shard in shards),
        progress.outputs if progress else 0,
        progress.failed if progress else 0,
        0,
        0.0,
        round(time.time() - begun, 3),
        round(progress.rate, 1) if progress else 0.0,
        task=str(index),
        shards=len(shards),
    )
    listener(done)
    return done


def _task_file(index: ArrayIndex, plan: SharedPlan) -> TaskFile:
    return TaskFile(index.number, index.count, plan.sha256)


class _Share(NamedTuple):
    """What a task has to do.

    Attributes:
        shared: The plan in OUT.
        shards: The task's share.
        plan: All jobs.
    """

    shared: SharedPlan
    shards: Sequence[PlannedShard]
    plan: Plan


def _make(run: Run, chain: Chain, share: _Share, begun: float, listener: Listener) -> RunProgress:
    """Make shards and return what was made."""
    record = run.output.record()
    assert record
    jobs = sum(shard.jobs for shard in share.shards)
    listener(
        Started(
            chain.name,
            run.sources.root,
            run.output.path,
            len(run.sources),
            len(run.sources.classes),
            jobs,
            run.workers,
        )
    )
    gpu = scorer_on_gpu(run.options, run.chain)
    backlog = run.backlog(share.plan, was_complete=False)
    # Of the task alone: many tasks would wait for one another on a disk that they share.
    with tempfile.TemporaryDirectory(prefix="augcli-", ignore_cleanup_errors=True) as place:
        storage = run.storage(gpu)
        if storage.table:
            storage = storage._replace(table=f"{place}/maps")
        prepared = Prepared(run, chain, record, record, backlog, storage, gpu, None, False)
        progress = RunProgress(backlog, begun, listener, run.options.most_failures, jobs)
        tasks = _of_plan(backlog.tasks(shard_files(share.shards)), run.output, share.shared)
        first = next(tasks, None)
        if first is None:
            listener(Notice("nothing to do: all shards of this task are there already"))
            return progress
        tasks = itertools.chain([first], tasks)
        sources = None
        if gpu:
            wanted = list(tasks)
            tasks, sources = iter(wanted), _sources_of(wanted, run.sources)
        try:
            work(prepared, tasks, progress, listener, sources)
        finally:
            if prepared.pool:
                prepared.pool.close()
    return progress


def _of_plan(tasks: Iterator[Task], output: OutputFolder, plan: SharedPlan) -> Iterator[Task]:
    """Yield tasks while their plan is that of OUT.

    Raises:
        Stopped: It is another one by now, or gone.
    """
    for task in tasks:
        _check_plan(output, plan)
        task.plan = plan.sha256
        yield task


def _check_plan(output: OutputFolder, plan: SharedPlan) -> None:
    """Check that a plan is still that of OUT.

    Raises:
        Stopped: It is another one by now, or gone.
    """
    if read_plan(output) != plan:
        raise Stopped(
            f"the plan in OUT {output.folder} was changed or finished while this task was at work; "
            "what it made stays, and the same command works on what is planned now"
        )


def _wait_for_lock(output: OutputFolder, plan: SharedPlan, checkpoint: Checkpoint) -> None:
    """Wait while another process prepares or finishes OUT.

    This task shows its presence by now: whoever takes the lock later sees it.

    Raises:
        Stopped: The plan is another one then, or gone.
    """
    while output.is_locked():
        checkpoint()
        _check_plan(output, plan)
        time.sleep(LOOK_SECONDS)
    _check_plan(output, plan)


def _sources_of(tasks: Sequence[Task], sources: Sources) -> Sources:
    """Return the sources that tasks read, unless a donor can't be used."""
    paths = {
        source.path
        for task in tasks
        for job in task.filled().jobs
        for source in (job.base, *job.donors[:1])
    }
    found = (sources.find(path) for path in sorted(paths))
    return sources.select([index for index in found if index is not None])
