"""The plan: all jobs of a run, a pure function of the sources and the options."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from augcli.data.names import LONG_HASH, SHORT_HASH, container_key, same_names
from augcli.plan.jobs import Task
from augcli.plan.outline import Outline
from augcli.plan.part import ShardName
from augcli.plan.ring import Ring, split_slug

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from numpy.typing import NDArray

    from augcli.data.stores.sources import Source, Sources
    from augcli.plan.containers import Containers
    from augcli.plan.jobs import Job, Original
    from augcli.plan.ring import Pair, Shard

ORIGINALS: Final[tuple[Original, ...]] = ("none", "encode", "copy")
DONORS = 3
"""Donors in a job's list at first; a shard that needs more asks for a longer list."""


def ring_of(shard: str) -> tuple[int, str] | None:
    """Return the ring that a shard is cut from, by its name: copy and split.

    Example:
        >>> ring_of("2-00012-of-00032-train")
        (2, 'train')
    """
    name = ShardName.parse(shard)
    return (name.copy, name.split) if name else None


@dataclass(frozen=True)
class Wanted:
    """What is to be made of each source.

    Attributes:
        copies: int64 (n,): augmented outputs of each source.
        originals: uint8 (n,): whether it is an output too: indices into :data:`ORIGINALS`.
    """

    copies: NDArray[np.int64]
    originals: NDArray[np.uint8]

    @classmethod
    def of(cls, sources: Sources, copies: int, original: Original = "none") -> Wanted:
        """Return the same for all sources."""
        count = len(sources)
        return cls(
            np.full(count, copies, np.int64),
            np.full(count, ORIGINALS.index(original), np.uint8),
        )

    @property
    def most_copies(self) -> int:
        """The largest number of augmented outputs that a source gets."""
        return int(self.copies.max(initial=0))

    @property
    def outputs(self) -> int:
        """How many outputs there are in all."""
        return int(self.copies.sum()) + int(np.count_nonzero(self.originals))

    def has_job(self, copy: int, members: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return for some sources, by their indices, whether each has a job in a copy."""
        augmented = self.copies[members] > copy
        return augmented | (self.originals[members] > 0) if copy == 0 else augmented


@dataclass(slots=True)
class Plan:
    """Knows every job.

    Attributes:
        sources: All sources of the run.
        seed: Seed of all chance.
        wanted: What is to be made of each source.
        pair: Which donors are allowed.
        mixes: Whether jobs have donors.
        shard_count: Shards of each copy and split.
        command: Hash of what changes bytes, see :mod:`augcli.plan.fingerprint`.
        container_of: Gives the container of a path, where neighbours are to lie in one.
        containers: How outputs are spread over files; None where each is a file.
    """

    sources: Sources
    seed: int
    wanted: Wanted
    pair: Pair
    mixes: bool
    shard_count: int
    command: str
    container_of: Callable[[str], str] | None = None
    containers: Containers | None = None
    _rings: dict[tuple[int, str], Ring] = field(default_factory=dict)
    _labels: list[str] = field(init=False)
    _long_named: frozenset[str] | None = None

    def __post_init__(self) -> None:
        self._labels = [repr(label.weights) for label in self.sources.labels]

    @property
    def long_named(self) -> frozenset[str]:
        """The sources whose outputs get a longer hash in their names."""
        if self._long_named is None:
            sources = self.sources
            plain = container_key if self.containers else str
            self._long_named = same_names(
                sources.paths, lambda index: sources.source(index).place, plain
            )
        return self._long_named

    @long_named.setter
    def long_named(self, paths: frozenset[str]) -> None:
        self._long_named = paths

    @property
    def jobs(self) -> int:
        """How many jobs there are in all."""
        only_originals = (self.wanted.originals > 0) & (self.wanted.copies == 0)
        return int(self.wanted.copies.sum()) + int(np.count_nonzero(only_originals))

    def shards(self, chosen: Mapping[str, str] | None = None) -> Iterator[Shard]:
        """Yield the shards that hold a job, in order.

        Args:
            chosen: Only these, by name, each with the name of its file; all where None.
        """
        if chosen is not None:
            yield from (shard._replace(file=chosen[shard.name]) for shard in self._pieces(chosen))
            return
        if not self.containers:
            yield from self._pieces()
            return
        counts = Counter(shard.split for shard in self._pieces())
        numbers = Counter[str]()
        for shard in self._pieces():
            split = shard.split
            yield shard._replace(file=self.containers.name(split, numbers[split], counts[split]))
            numbers[split] += 1

    def _pieces(self, chosen: Collection[str] | None = None) -> Iterator[Shard]:
        """Yield the same without the names of their files."""
        rings = None if chosen is None else {ring_of(name) for name in chosen}
        for copy in range(max(1, self.wanted.most_copies)):
            for split in sorted(self.sources.splits) or [""]:
                if rings is not None and (copy, split_slug(split)) not in rings:
                    continue
                ring = self._ring(copy, split)
                before = np.concatenate(([0], np.cumsum(self.wanted.has_job(copy, ring.order))))
                count = self.containers.ranges[split] if self.containers else self.shard_count
                for shard in ring.shards(copy, count, split):
                    jobs = int(before[shard.stop] - before[shard.start])
                    if jobs and (chosen is None or shard.name in chosen):
                        yield shard._replace(jobs=jobs)
                # A ring is as large as the list of sources: only one at a time.
                self._rings.pop((copy, split), None)

    def task(self, shard: Shard, donors: int = DONORS) -> Task:
        """Return a shard with the outline of all of its jobs.

        Args:
            shard: Which one.
            donors: How many donors each job lists, its own and those that may step in.
        """
        ring = self._ring(shard.copy, shard.split)
        has_job = self.wanted.has_job(shard.copy, ring.order[shard.start : shard.stop])
        positions = (np.flatnonzero(has_job) + shard.start).tolist()
        outline = self._outline(shard.copy, shard.split, positions, donors)
        return Task(shard.name, shard.copy, self.command, file=shard.file, outline=outline)

    def job_of(self, index: int, copy: int) -> Job:
        """Return the job of a source, for a copy that it has.

        Args:
            index: Of the source.
            copy: Copy number.
        """
        split = self.sources.split(index)
        order = self._ring(copy, split).order
        position = int(np.flatnonzero(order == index)[0])
        return self._jobs(copy, split, [position], DONORS)[0]

    def widen(self, task: Task) -> Task:
        """Give a task a longer list of donors: none of its first ones can be read."""
        longest = max((len(job.donors) for job in task.jobs), default=DONORS)
        positions = [job.position for job in task.jobs]
        split = task.jobs[0].base.split if task.jobs else ""
        task.jobs = self._jobs(task.copy, split, positions, longest * 8)
        return task

    def donors(self, job: Job, copy: int) -> Iterator[Source]:
        """Yield all donors that a job may have, in order."""
        yield from job.donors
        seen = len(job.donors)
        while job.more:
            job = self._jobs(copy, job.base.split, [job.position], seen * 8)[0]
            yield from job.donors[seen:]
            seen = len(job.donors)

    def _ring(self, copy: int, split: str) -> Ring:
        if (copy, split) not in self._rings:
            members = None
            if self.sources.splits:
                number = self.sources.splits.index(split)
                members = np.flatnonzero(np.array(self.sources.split_of, np.int64) == number)
            pair = self.pair if self.mixes else "any"
            self._rings[copy, split] = Ring.of(
                self.sources, self.seed, copy, pair, members, self.container_of
            )
        return self._rings[copy, split]

    def _jobs(self, copy: int, split: str, positions: list[int], donors: int) -> list[Job]:
        return self._outline(copy, split, positions, donors).jobs()

    def _outline(self, copy: int, split: str, positions: list[int], donors: int) -> Outline:
        ring, wanted = self._ring(copy, split), self.wanted
        bases = ring.order[positions]
        are_augmented = (wanted.copies[bases] > copy).tolist()
        originals = wanted.originals[bases].tolist() if copy == 0 else [0] * len(positions)
        long_named = self.long_named
        # Neighbours on the ring share their donors: each source is there once.
        number_of: dict[int, int] = {}

        def number(position: int) -> int:
            return number_of.setdefault(position, len(number_of))

        first = [number(position) for position in positions]
        givers: list[list[int]] = [
            ring.donors(position, donors + 1) if self.mixes and is_augmented else []
            for position, is_augmented in zip(positions, are_augmented, strict=True)
        ]
        listed = [tuple([number(giver) for giver in each[:donors]]) for each in givers]
        indices = ring.order[list(number_of)].tolist()
        sources = self.sources.excerpt(indices)
        hash_bytes = [LONG_HASH if sources.paths[at] in long_named else SHORT_HASH for at in first]
        numbering = (self.containers.numbering,) if self.containers else ()
        return Outline(
            sources,
            (self.command, copy, *numbering),
            positions,
            first,
            listed,
            [len(each) > donors for each in givers],
            [
                (is_augmented, ORIGINALS[original], size)
                for is_augmented, original, size in zip(
                    are_augmented, originals, hash_bytes, strict=True
                )
            ],
        )
