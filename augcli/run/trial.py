"""Outputs of a run made in memory, as the run would write them: for ``dry_run`` and previews."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from augcli.data.manifest import Failure
from augcli.data.output import output_files
from augcli.data.sinks.folder import FolderSink
from augcli.plan.jobs import Task
from augcli.plan.ring import shards_for
from augcli.run.estimating.estimates import estimate
from augcli.work.events import Failed
from augcli.work.pool import InThisProcess
from augcli.work.reading import Reader
from augcli.work.shard_maker import OutOfDonors, ShardMaker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from augcli.data.manifest import Row
    from augcli.pixels.frame import Colour
    from augcli.plan.jobs import Job
    from augcli.plan.plan import Plan
    from augcli.recipes.chain import Chain
    from augcli.run.checking.checked_run import Run
    from augcli.work.events import Event
    from augcli.work.settings import ReadSettings


class InMemory(NamedTuple):
    """An output that was not written.

    Attributes:
        row: What the manifest would say of it.
        data: The picture file.
    """

    row: Row
    data: bytes


class _Kept:
    """Takes the outputs of a shard and keeps them in memory."""

    def __init__(self) -> None:
        self.outputs: list[InMemory] = []

    def place(self, name: str) -> str:
        """Return the name itself."""
        return name

    def files(self, names: list[str]) -> list[str]:
        """Return the names themselves."""
        return names

    def begin(self, part: bytes) -> None:
        """Take a part and drop it."""

    def add(self, row: Row, data: bytes) -> None:
        """Keep an output."""
        self.outputs.append(InMemory(row, data))

    def close(self) -> None:
        """Do nothing."""

    def commit(self, part: bytes) -> None:
        """Take a part and drop it."""

    def abandon(self) -> None:
        """Do nothing."""


class Estimated(NamedTuple):
    """What was estimated, by an earlier run or an earlier trial.

    Attributes:
        white_level: Level of 16-bit images that becomes 255; None where it is not known.
        mean_colour: The data set's; None where no step needed it.
    """

    white_level: int | None
    mean_colour: Colour | None


@dataclass(frozen=True)
class Trial:
    """Makes outputs of a run in memory.

    Attributes:
        run: The run, with its white level.
        chain: What is done, with the mean colour.
        reader: Reads and scores sources.
        estimated: What was estimated for it.
    """

    run: Run
    chain: Chain
    reader: Reader
    estimated: Estimated

    @classmethod
    def of(
        cls,
        run: Run,
        known: Estimated | None = None,
        reading: Callable[[ReadSettings], Reader] = Reader,
        table: str = "",
    ) -> Trial:
        """Return a trial of a run.

        Args:
            run: The run, checked.
            known: What an earlier run of the same command estimated.
            reading: Makes the reader.
            table: Beginning of the name of a table that heat maps are kept in; empty without.

        Raises:
            InputError: Something must be estimated, and no image of a sample can be read.
        """
        storage = run.storage()._replace(table=table)
        if known:
            run = replace(run, white_level=known.white_level)
        else:
            estimates = estimate(run, lambda run: InThisProcess(run.read_settings(storage)))
            run = estimates.run
            known = Estimated(run.white_level, estimates.mean_colour)
        colour = known.mean_colour
        chain = run.chain.with_mean_colour(colour) if colour else run.chain
        return cls(run, chain, reading(run.read_settings(storage)), known)

    def plan(self) -> Plan:
        """Return all jobs of the run."""
        return self.run.plan(self.chain, shards_for(self.run.sources.largest_split))

    def make(self, jobs: Sequence[Job], copy: int) -> tuple[list[InMemory], list[Failure]]:
        """Make the outputs of some jobs.

        Args:
            jobs: Which ones.
            copy: Their copy number.

        Returns:
            The outputs, sorted by name, and what failed.
        """
        sink = FolderSink(output_files(self.run.output.path))
        maker = ShardMaker(self.reader, self.run.make_settings(self.chain, (0, 0)), sink)
        kept = _Kept()
        events: list[Event] = []
        failures: list[Failure] = []
        try:
            maker.make_part(Task("", copy, "", "", list(jobs)), kept, events.append)
        except OutOfDonors:
            failures.append(Failure(jobs[0].base.path, "donor", "its first donors can't be read"))
        failures += [event.failure for event in events if isinstance(event, Failed)]
        return sorted(kept.outputs, key=lambda output: output.row.file_name), failures
