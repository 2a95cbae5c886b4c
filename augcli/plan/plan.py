"""The plan: all jobs of a run, a pure function of the sources and the options."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from augcli.data.names import LONG_HASH, SHORT_HASH, same_names
from augcli.plan.jobs import Job, Source, Task
from augcli.plan.ring import Ring
from augcli.rng import Digest, digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    _labels: list[str] = field(init=False)
    _long_named: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._labels = [repr(label.weights) for label in self.sources.labels]
        self._long_named = same_names(self.sources.paths)

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
        jobs = self._jobs(shard.copy, range(shard.start, shard.stop), donors)
        fingerprint = digest(*(job.fingerprint for job in jobs)).hex()
        task = Task(shard.name, shard.copy, self.command, fingerprint, jobs)
        if shard.copy == 0:
            task.sources = {job.base.path: job.base.stamp for job in jobs}
        return task

    def widen(self, task: Task) -> Task:
        """Give a task a longer list of donors: none of its first ones can be read."""
        longest = max((len(job.donors) for job in task.jobs), default=DONORS)
        positions = [job.position for job in task.jobs]
        task.jobs = self._jobs(task.copy, positions, longest * 8)
        return task

    def donors(self, job: Job, copy: int) -> Iterator[Source]:
        """Yield all donors that a job may have, in order."""
        yield from job.donors
        seen = len(job.donors)
        while job.more:
            job = self._jobs(copy, [job.position], seen * 8)[0]
            yield from job.donors[seen:]
            seen = len(job.donors)

    def source(self, index: int) -> Source:
        """Return a source as a job needs it."""
        sources = self.sources
        return Source(sources.paths[index], sources.label(index), sources.stamp(index))

    def _ring(self, copy: int) -> Ring:
        if copy not in self._rings:
            pair = self.pair if self.mixes else "any"
            self._rings[copy] = Ring.of(self.sources, self.seed, copy, pair)
        return self._rings[copy]

    def _jobs(self, copy: int, positions: Iterable[int], donors: int) -> list[Job]:
        ring, sources = self._ring(copy), self.sources
        jobs = []
        fingerprints = Digest(self.command, copy, size=8)

        # Neighbours on the ring share their donors.
        @functools.cache
        def at(position: int) -> tuple[Source, tuple[str, str, str]]:
            """Return a source, and what an output depends on of it."""
            index = int(ring.order[position])
            source = self.source(index)
            return source, (source.path, self._labels[sources.label_of[index]], source.stamp)

        for position in positions:
            base, parts = at(position)
            givers = ring.donors(position, donors + 1) if self.mixes else []
            candidates = tuple([at(giver)[0] for giver in givers[:donors]])
            first = at(givers[0])[1] if candidates else ()
            long = (LONG_HASH,) if base.path in self._long_named else ()
            fingerprint = fingerprints(*parts, *first, *long).hex()
            more = len(givers) > donors
            hash_bytes = LONG_HASH if long else SHORT_HASH
            jobs.append(Job(fingerprint, position, base, candidates, more, hash_bytes))
        return jobs
