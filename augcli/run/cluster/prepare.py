"""Preparing a run that many machines make: the sources are listed once, the plan is written."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from augcli.data.output import OutputFolder
from augcli.data.stopping import carry_on, writing
from augcli.data.stores.source_list import content_hash
from augcli.errors import OutputError
from augcli.plan.fingerprint import difference
from augcli.run.checking.check import Listed, check
from augcli.run.checking.listing import default_out
from augcli.run.checking.refusals import check_surroundings
from augcli.run.cluster.shared_plan import (
    SharedPlan,
    absolute,
    publish_plan,
    read_facts,
    read_plan,
    read_sources,
)
from augcli.run.making.make import begin
from augcli.run.making.prepare import as_recorded, prepare
from augcli.run.messages import Notice, Planned, ignore

if TYPE_CHECKING:
    from augcli.data.stopping import Checkpoint
    from augcli.files import Place
    from augcli.recipes.chain import Chain
    from augcli.recipes.options import RunOptions
    from augcli.recipes.recipe import Recipe
    from augcli.run.checking.checked_run import Run
    from augcli.run.making.prepare import Prepared
    from augcli.run.messages import Listener

LOOK_SECONDS = 0.2
"""Between two looks whether a process that holds OUT's lock has ended."""
LOCK_LOOKS = 10


def output_of(folder: Place, recipe: Recipe, options: RunOptions) -> OutputFolder:
    """Return the output folder of a command line.

    Raises:
        UsageError: It can't be used.
    """
    check_surroundings(folder, options.out)
    return OutputFolder(options.out or default_out(folder, recipe.name), options.fsync)


def prepare_plan(
    folder: Place,
    recipe: Recipe,
    options: RunOptions,
    listener: Listener = ignore,
    checkpoint: Checkpoint = carry_on,
) -> Planned:
    """List the sources and write the plan; where it is there, check that it is still right.

    Raises:
        UsageError: A wrong option or wrong input, or tasks are at work by another plan.
        Stopped: The disk is full, …
    """
    output = output_of(folder, recipe, options)
    with output.preparing(checkpoint):
        plan = _made(folder, recipe, options, listener, checkpoint)
    shards = read_facts(output, plan).shards if plan else []
    output.files.close()
    jobs = sum(shard.jobs for shard in shards)
    done = Planned(output.path, plan.sha256 if plan else "", len(shards), jobs)
    listener(done)
    return done


def plan_for_task(
    folder: Place,
    recipe: Recipe,
    options: RunOptions,
    listener: Listener,
    checkpoint: Checkpoint,
) -> SharedPlan | None:
    """Return the plan of a task, which the first one makes; None where all is made already.

    Raises:
        UsageError: A wrong option or wrong input, or another command is prepared.
        Stopped: The disk is full, …
    """
    output = output_of(folder, recipe, options)
    plan = read_plan(output)
    if plan is None:
        with output.preparing(checkpoint):
            plan = read_plan(output)
            if plan is None and _stays_locked(output):
                raise output.in_use()
            plan = plan or _made(folder, recipe, options, listener, checkpoint)
    output.files.close()
    if plan and (text := plan.difference(absolute(folder), recipe, options)):
        raise _of_another_command(output, text)
    return plan


def planned_run(
    plan: SharedPlan,
    output: OutputFolder,
    folder: Place,
    options: RunOptions,
    checkpoint: Checkpoint = carry_on,
    *,
    reads: bool,
) -> tuple[Run, Chain]:
    """Return the run of a plan and its chain with the mean colour, without listing INPUT.

    Args:
        plan: The plan.
        output: Where it lies.
        folder: INPUT.
        options: Those of the command line.
        checkpoint: Called between two images; what it raises ends the run.
        reads: Whether sources are to be read.

    Raises:
        UsageError: The plan is damaged, or the scorer is another one.
    """
    record = output.record()
    if record is None:
        raise OutputError(f"OUT {output.folder} has a plan, but no run.json; prepare it again")
    recipe, options = plan.recipe_and_options(options)
    sources = read_sources(output, plan)
    known = None if reads else dict(record.identity)
    run = check(
        folder,
        recipe,
        options,
        checkpoint,
        Listed(sources, frozenset(record.folders), known),
    )
    if text := difference(record.identity, run.identity):
        raise _of_another_command(output, text)
    return as_recorded(run, record)


def _made(
    folder: Place,
    recipe: Recipe,
    options: RunOptions,
    listener: Listener,
    checkpoint: Checkpoint,
) -> SharedPlan | None:
    """List the sources and write the plan; return the one that is there then."""
    run = check(folder, recipe, options, checkpoint)
    place = absolute(folder)
    before = read_plan(run.output)
    if before and _is_still_right(before, run, place, recipe):
        listener(Notice("prepared already: the sources and the options are the same"))
        return before
    return write_plan(run, place, recipe, listener)


def write_plan(run: Run, place: str, recipe: Recipe, listener: Listener) -> SharedPlan | None:
    """Write the plan of a run; return the one that is there then, None where all is made.

    Args:
        run: The run, checked.
        place: INPUT as :func:`absolute` gives it.
        recipe: What is done to the images.
        listener: Called with each message.
    """
    try:
        with writing(run.output.path):
            prepared = prepare(run, listener)
            if prepared.pool:
                prepared.pool.close()
            run.output.forget_plan()
            if _is_complete(prepared):
                listener(Notice("nothing to do: everything is there already"))
                return None
            prepared.take_output()
            begin(prepared)
            return publish_plan(SharedPlan.of(prepared, place, recipe), prepared)
    finally:
        run.output.close()


def _stays_locked(output: OutputFolder) -> bool:
    """Return whether a run holds the lock of OUT, and not only for the instant of its end."""
    for _ in range(LOCK_LOOKS):
        if not output.is_locked():
            return False
        time.sleep(LOOK_SECONDS)
    return True


def _is_still_right(plan: SharedPlan, run: Run, place: str, recipe: Recipe) -> bool:
    """Return whether a plan is the one that would be made now; nothing is locked for that."""
    record = run.output.record()
    return (
        record is not None
        and not plan.difference(place, recipe, run.options)
        and not difference(record.identity, run.identity)
        and plan.sources == content_hash(run.sources, read_facts(run.output, plan).content)
    )


def _is_complete(prepared: Prepared) -> bool:
    """Return whether nothing is left to make or to tidy up."""
    backlog = prepared.backlog
    was_complete = prepared.record.state == "complete"
    return was_complete and next(backlog.tasks(), None) is None and not backlog.is_untidy


def _of_another_command(output: OutputFolder, text: str) -> OutputError:
    return OutputError(
        f"OUT {output.folder} is prepared for another command: {text}; give the same options, "
        "another folder with `out`, or prepare it again"
    )
