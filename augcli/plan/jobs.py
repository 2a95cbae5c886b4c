"""Jobs: one source, its donor, one output; and the tasks in which workers get them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from augcli.rng import digest

if TYPE_CHECKING:
    from augcli.data.manifest import Failure
    from augcli.data.stores.sources import Source
    from augcli.plan.outline import Outline
    from augcli.plan.part import Made, Tried


Original = Literal["none", "encode", "copy"]
"""Whether a source is an output too: encoded as outputs are, or copied byte for byte."""


class Job(NamedTuple):
    """One output to be made.

    Attributes:
        fingerprint: Hash of all that the output depends on.
        position: Where its base lies on the ring.
        base: The source that receives.
        donors: The source that gives, and those that step in for it, in order.
        more: Whether the ring has more donors than these.
        hash_bytes: Of the path's hash in the output's name, see
            :func:`augcli.data.names.output_name`.
        is_augmented: Whether the chain is applied to the base.
        original: Whether the base is an output too, and how.
    """

    fingerprint: str
    position: int
    base: Source
    donors: tuple[Source, ...]
    more: bool
    hash_bytes: int
    is_augmented: bool = True
    original: Original = "none"


@dataclass(slots=True)
class Task:
    """What a shard still needs, as it is handed to a worker.

    A shard of which nothing is there yet has an outline, from which the worker makes the jobs.

    Attributes:
        shard: Its name.
        copy: Copy number.
        command: Hash of what changes bytes, see :mod:`augcli.plan.fingerprint`.
        fingerprint: Hash of all its jobs.
        jobs: What is to be made.
        made: Outputs that are there already and stay.
        failed: Failures that stay, each with its job's fingerprint.
        tried: By path: donors that failed, and those that stepped in; of outputs that stay.
        obsolete: Outputs of an earlier run; those that are not made again are removed.
        sources: Path and stamp of the bases, for copy 0.
        sources_before: The same, as the earlier part recorded them.
        avoid: By path, how sources ended a worker.
        careful: Whether each source is announced before it is touched.
        file: Name of the file that holds all of its outputs; empty where each is a file.
        plan: Hash of the plan that several machines share; empty where there is none.
        outline: What the jobs are made from, where they are not made yet.
    """

    shard: str
    copy: int
    command: str
    fingerprint: str = ""
    jobs: list[Job] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    failed: list[tuple[str, Failure]] = field(default_factory=list)
    tried: dict[str, Tried] = field(default_factory=dict)
    obsolete: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    sources_before: dict[str, str] = field(default_factory=dict)
    avoid: dict[str, Failure] = field(default_factory=dict)
    careful: bool = False
    file: str = ""
    plan: str = ""
    outline: Outline | None = None

    def filled(self) -> Task:
        """Return the task with its jobs, their fingerprint and their sources, made where needed."""
        if self.outline:
            self.jobs = self.outline.jobs()
            self.fingerprint = digest(*(job.fingerprint for job in self.jobs)).hex()
            if self.copy == 0:
                self.sources = {job.base.path: job.base.stamp for job in self.jobs}
            self.sources_before = self.sources
            self.outline = None
        return self
