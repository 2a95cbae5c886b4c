"""The backlog: what of the plan is still to be made, by what the parts say is done."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from augcli.plan.part import Part
from augcli.plan.parts import StoredPart, shard_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.data.sinks.sink import Sink
    from augcli.plan.jobs import Task
    from augcli.plan.part import Made
    from augcli.plan.parts import Parts
    from augcli.plan.plan import Plan


@dataclass(slots=True)
class Backlog:
    """Compares a plan with the parts of an output folder.

    Attributes:
        plan: All jobs.
        parts: What is done.
        sink: Where the outputs lie.
        was_complete: Whether the run before came to its end.
        retry_failed: Whether images that failed are tried again.
        already_done: Jobs that earlier runs did.
        repaired: Outputs that were missing or damaged.
        damaged: Parts that were cut short or damaged; their shards are made again.
        changes: How many sources changed, are new and are missing since the run before.
        shards: Names of the shards that :meth:`tasks` went through.
        left_over: Shards with a part and without a job.
        emptied: Folders of OUT that lose an output.
    """

    plan: Plan
    parts: Parts
    sink: Sink
    was_complete: bool
    retry_failed: bool = False
    already_done: int = 0
    repaired: int = 0
    damaged: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    shards: set[str] = field(default_factory=set)
    left_over: int = 0
    emptied: set[str] = field(default_factory=set)

    def tasks(self) -> Iterator[Task]:
        """Yield what shards still need, in order; count what is done."""
        stored = self.parts.read()
        following = next(stored, None)
        for shard in self.plan.shards():
            self.shards.add(shard.name)
            while following and shard_order(following.shard) < shard_order(shard.name):
                self._leave(following)
                following = next(stored, None)
            own = None
            if following and following.shard == shard.name:
                own, following = following, next(stored, None)
            task = self._task(self.plan.task(shard), own)
            if task:
                yield task
        while following:
            self._leave(following)
            following = next(stored, None)

    @property
    def is_untidy(self) -> bool:
        """Whether parts are left that have no job, or that are damaged."""
        return self.left_over > 0 or self.parts.is_cut

    def _leave(self, stored: StoredPart) -> None:
        self.left_over += 1
        self.changes["missing"] += len(stored.part.sources) if stored.part else 0

    def _task(self, task: Task, stored: StoredPart | None) -> Task | None:
        """Return what a shard still needs; None where it is done."""
        part = stored.part if stored else None
        if part is None:
            if stored or self.parts.is_cut:
                self.damaged += 1
            elif self.was_complete:
                self.changes["new"] += len(task.sources)
            task.sources_before = task.sources
            return task
        task.sources_before = part.sources
        if task.sources != part.sources:
            self._compare(part.sources, task.sources)
        self._keep(part, task)
        if task.jobs or task.obsolete or part.fingerprint != task.fingerprint:
            return task
        return None

    def _compare(self, before: dict[str, str], now: dict[str, str]) -> None:
        both = before.keys() & now.keys()
        self.changes["changed"] += sum(before[path] != now[path] for path in both)
        self.changes["new"] += len(now) - len(both)
        self.changes["missing"] += len(before) - len(both)

    def _keep(self, part: Part, task: Task) -> None:
        """Move what is done already, and still right and whole, out of a task's jobs."""
        moved = any(self._moved(path, stamp) for path, stamp in part.stood_in.items())
        planned = {job.fingerprint: job.donors[0].path if job.donors else "" for job in task.jobs}
        whole: dict[str, bool] = {}
        for made in part.made:
            stands_in = made.row.source_b not in ("", planned.get(made.job))
            right = made.job in planned and not (moved and stands_in)
            whole[made.job] = whole.get(made.job, True) and right and self._is_whole(made)
        done = {job for job, is_whole in whole.items() if is_whole}
        self.repaired += sum(1 for job in whole if job in planned and job not in done)
        task.made = [made for made in part.made if made.job in done]
        task.failed = [
            (job, failure)
            for job, failure in part.failed
            if job in planned
            and not self.retry_failed
            and not failure.is_provisional
            # A donor that could not be read may be another one by now.
            and not (moved and failure.stage == "donor")
        ]
        if not moved:
            task.stood_in = dict(part.stood_in)
        done |= {job for job, _ in task.failed}
        task.jobs = [job for job in task.jobs if job.fingerprint not in done]
        self.already_done += len(done)
        task.obsolete = [made.row.file_name for made in part.made if made.job not in done]
        task.obsolete += [name for name in part.obsolete if self.sink.size(name) is not None]
        self.emptied.update(name.rpartition("/")[0] for name in [*task.obsolete, *part.obsolete])

    def _is_whole(self, made: Made) -> bool:
        """Return whether an output is there with its recorded size."""
        return self.sink.size(made.row.file_name) == made.size

    def _moved(self, path: str, stamp: str) -> bool:
        """Return whether a source that stood in changed or is gone."""
        paths = self.plan.sources.paths
        position = bisect_left(paths, path)
        if position == len(paths) or paths[position] != path:
            return True
        return self.plan.sources.stamp(position) != stamp
