"""What is missing before a run that many machines make can be finished, and whose it was."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from augcli.data.presence import AT_WORK, seen_tasks
from augcli.files import place_of
from augcli.plan.part import UNFINISHED
from augcli.recipes.array_index import ArrayIndex
from augcli.recipes.options import RunOptions
from augcli.run.cluster.prepare import planned_run
from augcli.run.cluster.shared_plan import read_facts, read_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from augcli.data.output import OutputFolder
    from augcli.data.presence import SeenTask
    from augcli.plan.parts import Parts
    from augcli.plan.ring import Shard
    from augcli.run.cluster.shared_list import Facts
    from augcli.run.cluster.shared_plan import SharedPlan

SHOWN = 5
"""Shards and tasks that a sentence names."""


@dataclass(frozen=True)
class AssignedTask:
    """A task that has shards to make.

    Attributes:
        index: Which task.
        seen: Its file; None where it never began.
    """

    index: ArrayIndex
    seen: SeenTask | None

    @property
    def words(self) -> str:
        """The task, and what became of it.

        Example:
            >>> AssignedTask(ArrayIndex(3, 100), None).words
            '3/100 (has not begun)'
        """
        if self.seen is None:
            return f"{self.index} (has not begun)"
        state = self.seen.task.state
        if state == AT_WORK and not self.seen.is_at_work:
            state = "gone"
        return f"{self.index} ({state} on {self.seen.task.host}, {ago(self.seen.age)})"


def ago(seconds: float) -> str:
    """Return how long ago something was.

    Example:
        >>> ago(40), ago(400), ago(40_000)
        ('40 s ago', '7 min ago', '11 h ago')
    """
    if seconds < 120:
        return f"{seconds:.0f} s ago"
    return f"{seconds / 60:.0f} min ago" if seconds < 7200 else f"{seconds / 3600:.0f} h ago"


def missing_shards(
    output: OutputFolder, plan: SharedPlan, facts: Facts, parts: Parts
) -> list[Shard]:
    """Return the shards that no part records as made by the plan.

    Args:
        output: OUT.
        plan: The plan.
        facts: What is known of its sources.
        parts: What is done.
    """
    shards = facts.shards
    made = set(parts.marked(plan.sha256))
    others = {shard.name: shard for shard in shards if shard.name not in made}
    # Parts of earlier runs count where their shard has not changed since.
    before = {
        stored.shard: stored.part.fingerprint
        for stored in parts.read(others)
        if stored.part and stored.part.fingerprint != UNFINISHED
    }
    if before:
        options = RunOptions(out=output.folder)
        place = place_of(plan.input)
        with planned_run(plan, facts, output, place, options, reads=False) as planned:
            made.update(
                name
                for name, fingerprint in before.items()
                if planned.jobs.task(others[name]).filled().fingerprint == fingerprint
            )
    return [shard for shard in shards if shard.name not in made]


class ArrayStatus(NamedTuple):
    """How far the tasks of an array job are.

    Attributes:
        shards: How many shards the plan has.
        missing: Names of those that are not made.
        at_work: Tasks that are at work, in words.
        last: The tasks that have the missing shards, in words.
        resubmit: The numbers of those that are not at work, as Slurm takes them.
    """

    shards: int
    missing: list[str]
    at_work: list[str]
    last: list[str]
    resubmit: str


def array_status(output: OutputFolder, parts: Parts) -> ArrayStatus | None:
    """Return how far the tasks of an array job are, None where OUT has no plan.

    Args:
        output: OUT.
        parts: What is done.
    """
    plan = read_plan(output)
    if plan is None:
        return None
    facts = read_facts(output, plan)
    shards = facts.shards
    missing = missing_shards(output, plan, facts, parts)
    # Nothing is written only to look: the clock of this computer has to do.
    now = time.time()
    tasks = last_tasks(output, plan, shards, missing, now)
    seen = (each for each in seen_tasks(output.files, now) if each.is_at_work)
    return ArrayStatus(
        len(shards),
        [shard.name for shard in missing],
        [f"{each.task.words}, seen {ago(each.age)}" for each in seen],
        [task.words for task in tasks],
        resubmit_words(tasks),
    )


def last_tasks(
    output: OutputFolder,
    plan: SharedPlan,
    shards: Sequence[Shard],
    missing: Sequence[Shard],
    now: float,
) -> list[AssignedTask]:
    """Return the tasks that have missing shards, as the last attempt numbered them.

    Args:
        output: OUT.
        plan: The plan.
        shards: All of its shards.
        missing: Those that are not made.
        now: The time, by the clock that gives files in OUT their times.
    """
    seen = [each for each in seen_tasks(output.files, now) if each.task.plan == plan.sha256]
    if not seen:
        return []
    count = min(seen, key=lambda each: each.age).task.count
    newest = {each.task.number: each for each in seen if each.task.count == count}
    position = {shard.name: number for number, shard in enumerate(shards)}
    numbers = {
        ArrayIndex.of(position[shard.name], len(shards), count).number: None for shard in missing
    }
    return [AssignedTask(ArrayIndex(number, count), newest.get(number)) for number in numbers]


def in_words(missing: Sequence[Shard], tasks: Sequence[AssignedTask]) -> str:
    """Return which shards are missing, and which tasks have them."""
    names = ", ".join(shard.name for shard in missing[:SHOWN])
    more = f" and {len(missing) - SHOWN:,} more" if len(missing) > SHOWN else ""
    are = "are" if len(missing) > 1 else "is"
    text = f"{len(missing):,} of its shards {are} not made ({names}{more})"
    if not tasks:
        return f"{text}; no task has begun"
    words = ", ".join(task.words for task in tasks[:SHOWN])
    more = f" and {len(tasks) - SHOWN:,} more" if len(tasks) > SHOWN else ""
    return f"{text}, of task {words}{more}"


def resubmit_words(tasks: Sequence[AssignedTask]) -> str:
    """Return the numbers of tasks as Slurm takes them; those at work are left out.

    Example:
        >>> tasks = [AssignedTask(ArrayIndex(number, 9), None) for number in (1, 3, 4, 5)]
        >>> resubmit_words(tasks)
        '1,3-5'
    """
    numbers = [each.index.number for each in tasks if not (each.seen and each.seen.is_at_work)]
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in ranges)
