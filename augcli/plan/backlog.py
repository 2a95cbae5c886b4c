"""The backlog: what of the plan is still to be made, by what the parts say is done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from augcli.data.manifest import MACHINE_STAGES
from augcli.plan.part import Part
from augcli.plan.parts import StoredPart, shard_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from augcli.data.manifest import Failure
    from augcli.data.sinks.sink import DataFile, Sink
    from augcli.plan.jobs import Job, Task
    from augcli.plan.part import Made, Tried
    from augcli.plan.parts import Parts
    from augcli.plan.plan import Plan
    from augcli.plan.ring import Shard


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
        files: Names of the files that hold their outputs, where a sink has such files.
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
    files: set[str] = field(default_factory=set)
    left_over: int = 0
    emptied: set[str] = field(default_factory=set)

    def tasks(self, chosen: Sequence[Shard] | None = None) -> Iterator[Task]:
        """Yield what shards still need, in order; count what is done.

        Args:
            chosen: Only these shards; all where None.
        """
        stored = self.parts.read(None if chosen is None else {shard.name for shard in chosen})
        following = next(stored, None)
        for shard in self.plan.shards() if chosen is None else chosen:
            self.shards.add(shard.name)
            if shard.file:
                self.files.add(shard.file)
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
                self.changes["new"] += len(task.filled().sources)
            return task
        task.filled()
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
        planned = {job.fingerprint: job for job in task.jobs}
        # A file that holds all outputs is there or not; where each is a file, each is looked at.
        is_there = part.data is None or self._is_in_place(part.data, task)
        right = {made.job: made.job in planned for made in part.made}
        whole = dict(right)
        for made in part.made:
            if right[made.job]:
                whole[made.job] &= is_there if part.data else self._is_whole(made)
                right[made.job] &= self._is_donor(planned[made.job], made.row.source_b, part, task)
        done = {job for job, is_whole in whole.items() if is_whole and right[job]}
        self.repaired += sum(1 for job, is_whole in whole.items() if right[job] and not is_whole)
        task.made = [made for made in part.made if made.job in done]
        task.failed = [
            (job, failure)
            for job, failure in part.failed
            if job in planned and self._fails_again(planned[job], failure, part, task)
        ]
        failed = {job for job, _ in task.failed}
        if task.file:
            is_as_planned = part.data and is_there and part.fingerprint == task.fingerprint
            if not (is_as_planned and planned.keys() <= done | failed):
                # Outputs can't be exchanged in it: all of them are made again.
                done, task.made = set(), []
            part.obsolete.clear()
        done |= failed
        task.jobs = [job for job in task.jobs if job.fingerprint not in done]
        self.already_done += len(done)
        if task.file:
            return
        task.obsolete = [made.row.file_name for made in part.made if made.job not in done]
        task.obsolete += [name for name in part.obsolete if self.sink.size(name) is not None]
        self.emptied.update(name.rpartition("/")[0] for name in [*task.obsolete, *part.obsolete])

    def _is_in_place(self, data: DataFile, task: Task) -> bool:
        """Return whether the file of a shard has its recorded size, and the name of the plan."""
        return data.name == task.file and self.sink.size(data.name) == data.size

    def _is_whole(self, made: Made) -> bool:
        """Return whether an output is there with its recorded size."""
        return self.sink.size(made.row.file_name) == made.size

    def _is_donor(self, job: Job, path: str, part: Part, task: Task) -> bool:
        """Return whether a run that begins anew would take the donor that an output has.

        Args:
            job: The job.
            path: The donor's; empty where none gave.
            part: What the run before recorded.
            task: Gets the record of what this depends on.
        """
        if not path or (job.donors and path == job.donors[0].path):
            return True
        return not self.retry_failed and self._donor_again(job, part, task) == path

    def _fails_again(self, job: Job, failure: Failure, part: Part, task: Task) -> bool:
        """Return whether a job would fail again, for all that is known."""
        if self.retry_failed or failure.is_provisional:
            return False
        return failure.stage != "donor" or self._donor_again(job, part, task) == ""

    def _donor_again(self, job: Job, part: Part, task: Task) -> str | None:
        """Return the donor that a run that begins anew would take, by what the part records.

        Returns:
            Its path; empty where all donors fail; None where the part does not say.
        """
        depends_on: dict[str, Tried] = {}
        for donor in self.plan.donors(job, task.copy):
            tried = part.tried.get(donor.path)
            if tried is None or tried.stamp != donor.stamp:
                return None
            depends_on[donor.path] = tried
            if not tried.stage:
                task.tried.update(depends_on)
                return donor.path
            if tried.stage in MACHINE_STAGES:
                return None
        task.tried.update(depends_on)
        return ""
