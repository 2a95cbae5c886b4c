"""The plan: all jobs of a run, a pure function of the sources and the options."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from augcli.plan.jobs import Job, Source, Task
from augcli.plan.ring import Ring
from augcli.rng import Digest, digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.data.stores.sources import Sources
    from augcli.plan.ring import Pair, Shard

DONORS = 3
"""Donors in a job's list at first; a shard that needs more asks for a longer list."""


@dataclass(slots=True)
class Plan:
    """Knows every job.

    Attributes:
        sources: All sources of the run.
        seed: Seed of all chance.
        copies: Outputs for each source.
        pair: Which donors are allowed.
        mixes: Whether jobs have donors.
        shard_count: Shards of each copy.
        command: Hash of what changes bytes, see :mod:`augcli.plan.fingerprint`.
    """

    sources: Sources
    seed: int
    copies: int
    pair: Pair
    mixes: bool
    shard_count: int
    command: str
    _rings: dict[int, Ring] = field(default_factory=dict)

    @property
    def jobs(self) -> int:
        """How many jobs there are in all."""
        return len(self.sources) * self.copies

    def shards(self) -> Iterator[Shard]:
        """Yield all shards that hold a job, in order."""
        for copy in range(self.copies):
            yield from self._ring(copy).shards(copy, self.shard_count)
            # A ring is as large as the list of sources: only one at a time.
            self._rings.pop(copy, None)

    def task(self, shard: Shard, donors: int = DONORS) -> Task:
        """Return a shard with all of its jobs.

        Args:
            shard: Which one.
            donors: How many donors each job lists, its own and those that may step in.
        """
        jobs = self._jobs(shard, donors)
        fingerprint = digest(*(job.fingerprint for job in jobs)).hex()
        task = Task(shard.name, shard.copy, self.command, fingerprint, jobs)
        if shard.copy == 0:
            task.sources = {job.base.path: job.base.stamp for job in jobs}
        return task

    def widen(self, task: Task) -> Task:
        """Give a task a longer list of donors: none of its first ones can be read."""
        longest = max((len(job.donors) for job in task.jobs), default=DONORS)
        wanted = {job.base.path for job in task.jobs}
        shards = self._ring(task.copy).shards(task.copy, self.shard_count)
        shard = next(shard for shard in shards if shard.name == task.shard)
        task.jobs = [job for job in self._jobs(shard, longest * 8) if job.base.path in wanted]
        return task

    def source(self, index: int) -> Source:
        """Return a source as a job needs it."""
        sources = self.sources
        return Source(sources.paths[index], sources.label(index), sources.stamp(index))

    def _ring(self, copy: int) -> Ring:
        if copy not in self._rings:
            pair = self.pair if self.mixes else "any"
            self._rings[copy] = Ring.of(self.sources, self.seed, copy, pair)
        return self._rings[copy]

    def _jobs(self, shard: Shard, donors: int) -> list[Job]:
        ring = self._ring(shard.copy)
        jobs = []
        fingerprints = Digest(self.command, shard.copy, size=8)
        # Neighbours on the ring share their donors.
        source_at = functools.cache(lambda position: self.source(int(ring.order[position])))
        for position in range(shard.start, shard.stop):
            base = source_at(position)
            givers = ring.donors(position, donors + 1) if self.mixes else []
            candidates = tuple([source_at(giver) for giver in givers[:donors]])
            first = _parts_of(candidates[0]) if candidates else ()
            fingerprint = fingerprints(*_parts_of(base), *first).hex()
            jobs.append(Job(fingerprint, base, candidates, len(givers) > donors))
        return jobs


def _parts_of(source: Source) -> tuple[str, str, str]:
    """Return what an output depends on of a source."""
    path, label, stamp = source
    return path, repr(label.weights), stamp
