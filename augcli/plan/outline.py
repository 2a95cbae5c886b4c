"""Outlines: the jobs of a shard in columns, from which a worker makes the jobs.

Columns cross the border between processes in a tenth of the time that jobs take, and what is hashed
for a job is hashed by the worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from augcli.data.names import SHORT_HASH
from augcli.plan.jobs import Job
from augcli.rng import Digest

if TYPE_CHECKING:
    from augcli.data.stores.sources import Sources
    from augcli.plan.jobs import Original

USUAL = (True, "none", SHORT_HASH)
"""The usual kind of job: its fingerprint has no word for it."""


@dataclass(frozen=True, slots=True)
class Outline:
    """Jobs in columns: a place in each list for each job.

    Attributes:
        sources: Those that the jobs read, each once.
        hashed_first: What the fingerprints of all jobs begin with.
        positions: Where the bases lie on the ring.
        bases: Indices of the bases into ``sources``.
        donors: Indices of the donors, in order.
        more: Whether the ring has more donors.
        kinds: Whether the chain is applied, how the base comes along, and the bytes of the hash in
            the names of outputs.
    """

    sources: Sources
    hashed_first: tuple[str | int, ...]
    positions: list[int]
    bases: list[int]
    donors: list[tuple[int, ...]]
    more: list[bool]
    kinds: list[tuple[bool, Original, int]]

    def jobs(self) -> list[Job]:
        """Return the jobs, in order."""
        sources = self.sources
        labels = [repr(label.weights) for label in sources.labels]
        there = sources.at(range(len(sources)))
        # What an output depends on of each source.
        parts: list[tuple[str, ...]] = [
            (source.path, labels[number], source.stamp, *(source[4:] if any(source[4:]) else ()))
            for source, number in zip(there, sources.label_of, strict=True)
        ]
        fingerprint = Digest(*self.hashed_first, size=8)
        jobs = []
        for position, base, donors, more, kind in zip(
            self.positions, self.bases, self.donors, self.more, self.kinds, strict=True
        ):
            first = parts[donors[0]] if donors else ()
            named = () if kind == USUAL else kind
            jobs.append(
                Job(
                    fingerprint(*parts[base], *first, *named).hex(),
                    position,
                    there[base],
                    tuple([there[donor] for donor in donors]),
                    more,
                    kind[2],
                    kind[0],
                    kind[1],
                )
            )
        return jobs
