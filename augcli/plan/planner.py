"""From plan to tasks: what each shard still lacks."""

from __future__ import annotations

import functools
import os
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from augcli.plan.jobs import Job, Source, Task, source_identity
from augcli.plan.parts import Part, is_whole, part_name
from augcli.plan.ring import Ring, Shard
from augcli.rng import Digest, digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.data.stores.folder import Sources
    from augcli.plan.jobs import Settings
    from augcli.plan.output import Output

TRIED_AGAIN = frozenset({"read", "worker"})
"""Stages whose failures say more about the machine than about the image."""
DONORS = 3
"""Donors in a job's list at first; a shard that needs more asks for a longer list."""


@dataclass(slots=True)
class Planner:
    """Knows every job, and from the parts which of them are done.

    Attributes:
        sources: All sources of the run.
        settings: What to do; only what changes outputs enters the jobs' identities.
        plan_hash: Hash of the options that change outputs.
        copies: Outputs for each source.
        pair: Which donors are allowed.
        shard_count: Shards of each copy.
        output: Where the parts lie.
        retry_failed: Whether images that failed are tried again.
        seen: Names of the shards that :meth:`tasks` went through.
        already_done: Jobs that earlier runs did.
        repaired: Outputs that were missing or damaged.
        damaged: Parts that were cut short or damaged; their shards are made again.
        changes: How many sources changed, came and vanished since the run before.
        was_complete: Whether the run before came to its end.
        vacated: Folders of OUT that lose an output.
    """

    sources: Sources
    settings: Settings
    plan_hash: str
    copies: int
    pair: str
    shard_count: int
    output: Output
    retry_failed: bool = False
    seen: list[str] = field(default_factory=list)
    already_done: int = 0
    repaired: int = 0
    damaged: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    was_complete: bool = False
    vacated: set[str] = field(default_factory=set)
    _rings: dict[int, Ring] = field(default_factory=dict)

    @property
    def jobs(self) -> int:
        """How many jobs there are in all."""
        return len(self.sources) * self.copies

    def tasks(self) -> Iterator[Task]:
        """Yield the shards that lack something, in order; count the others."""
        for copy in range(self.copies):
            ring = self.ring(copy)
            for shard in ring.shards(copy, self.shard_count):
                self.seen.append(shard.name)
                task = self._task(ring, shard)
                if task:
                    yield task
            # A ring is as large as the list of sources: only one at a time.
            self._rings.pop(copy, None)

    def widen(self, task: Task) -> Task:
        """Give a task a longer list of donors: all of its first ones can't be read."""
        ring = self.ring(task.copy)
        longest = max((len(job.donors) for job in task.jobs), default=DONORS)
        wanted = {job.base.path for job in task.jobs}
        shard = next(
            one for one in ring.shards(task.copy, self.shard_count) if one.name == task.shard
        )
        jobs = self.shard_jobs(ring, shard, longest * 8)
        task.jobs = [job for job in jobs if job.base.path in wanted]
        return task

    def ring(self, copy: int) -> Ring:
        """Return the ring of a copy."""
        if copy not in self._rings:
            pair = self.pair if self._mixes else "any"
            self._rings[copy] = Ring.of(
                self.sources,
                self.settings.chain.seed,
                copy,
                pair,  # type: ignore[arg-type]
            )
        return self._rings[copy]

    def shard_jobs(self, ring: Ring, shard: Shard, donors: int = DONORS) -> list[Job]:
        """Return the jobs of a shard, each with a list of donors."""
        jobs = []
        mixes = self._mixes
        identities = Digest(self.plan_hash, shard.copy, size=8)
        # Neighbours on the ring share their donors.
        source_at = functools.cache(lambda position: self._source(int(ring.order[position])))
        for position in range(shard.start, shard.stop):
            base = source_at(position)
            givers = ring.donors(position, donors + 1) if mixes else []
            candidates = tuple([source_at(one) for one in givers[:donors]])
            first = (candidates[0].path, candidates[0].identity) if candidates else ("", "")
            identity = identities(*base, *first).hex()
            jobs.append(Job(identity, base, candidates, len(givers) > donors))
        return jobs

    @property
    def _mixes(self) -> bool:
        return self.settings.chain.mixer_at is not None

    def _source(self, index: int) -> Source:
        sources = self.sources
        identity = source_identity(sources.sizes[index], sources.modified[index])
        return Source(sources.paths[index], sources.label(index), identity)

    def _task(self, ring: Ring, shard: Shard) -> Task | None:
        jobs = self.shard_jobs(ring, shard)
        fingerprint = digest(*(job.identity for job in jobs)).hex()
        part = self.output.part(shard.name)
        task = Task(shard.name, shard.copy, fingerprint, jobs)
        if shard.copy == 0:
            task.sources = {job.base.path: job.base.identity for job in jobs}
        if part is None:
            if self._is_there(part_name(shard.name)):
                self.damaged += 1
            elif self.was_complete:
                self.changes["came"] += len(task.sources)
            return task
        task.sources_before = part.sources
        if task.sources != part.sources:
            self._compare(part.sources, task.sources)
        self._keep(part, task)
        if task.jobs or task.obsolete or part.fingerprint != fingerprint:
            return task
        return None

    def _compare(self, before: dict[str, str], now: dict[str, str]) -> None:
        both = before.keys() & now.keys()
        self.changes["changed"] += sum(before[path] != now[path] for path in both)
        self.changes["came"] += len(now) - len(both)
        self.changes["vanished"] += len(before) - len(both)

    def _keep(self, part: Part, task: Task) -> None:
        """Move what is done already, and still right and whole, out of a task's jobs."""
        moved = any(self._moved(path, identity) for path, identity in part.stood_in.items())
        planned = {job.identity: job.donors[0].path if job.donors else "" for job in task.jobs}
        made: dict[str, bool] = {}
        for one in part.made:
            stands_in = one.row.source_b not in ("", planned.get(one.job))
            right = one.job in planned and not (moved and stands_in)
            whole = right and is_whole(self.output.path, one)
            made[one.job] = made.get(one.job, True) and whole
        done = {job for job, whole in made.items() if whole}
        self.repaired += sum(1 for job in made if job in planned and job not in done)
        task.kept = [one for one in part.made if one.job in done]
        task.failed = [
            (job, failure)
            for job, failure in part.failed
            if job in planned
            and not self.retry_failed
            and failure.stage not in TRIED_AGAIN
            # A donor that could not be read may be another one by now.
            and not (moved and failure.stage == "donor")
        ]
        if not moved:
            task.stood_in = dict(part.stood_in)
        done |= {job for job, _ in task.failed}
        task.jobs = [job for job in task.jobs if job.identity not in done]
        self.already_done += len(done)
        task.obsolete = [one.row.file_name for one in part.made if one.job not in done]
        task.obsolete += [name for name in part.obsolete if self._is_there(name)]
        self.vacated.update(name.rpartition("/")[0] for name in [*task.obsolete, *part.obsolete])

    def _moved(self, path: str, identity: str) -> bool:
        """Return whether a source that stood in changed or is gone."""
        position = _find(self.sources.paths, path)
        return position is None or self._source(position).identity != identity

    def _is_there(self, name: str) -> bool:
        return os.path.lexists(f"{self.output.path}/{name}")


def _find(paths: list[str], path: str) -> int | None:
    position = bisect_left(paths, path)
    return position if position < len(paths) and paths[position] == path else None
