"""The status of an output folder: what is done, what failed, what is left, who is at work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from augcli.errors import OutputError
from augcli.plan.output import RECORD, Output

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Status:
    """How far a run is.

    Attributes:
        command: Name of the command or recipe.
        state: ``running`` or ``complete``, as run.json says.
        alive: Whether a run is at work in the folder now.
        jobs: Outputs wanted, originals not counted.
        made: Jobs done.
        failed: Jobs that failed.
        damaged: Parts that are cut short or damaged; they are made again.
    """

    command: str
    state: str
    alive: bool
    jobs: int
    made: int
    failed: int
    damaged: int

    @property
    def left(self) -> int:
        """Jobs that are still to be done."""
        return max(0, self.jobs - self.made - self.failed)


def status(out: Path) -> Status:
    """Return the status of an output folder.

    Raises:
        OutputError: It is not an output folder of augcli.
    """
    output = Output(out)
    record = output.record() if output.exists else {}
    if not record:
        raise OutputError(f"OUT {out} has no {RECORD}: it was not made by augcli, or not begun")
    made = failed = damaged = 0
    for shard in output.part_names():
        part = output.part(shard)
        if part is None:
            damaged += 1
            continue
        made += len({one.job for one in part.made})
        failed += len(part.failed)
    command = record["identity"]["command"]
    jobs = record.get("jobs")
    jobs = jobs if isinstance(jobs, int) else 0
    return Status(command, record["state"], output.is_locked(), jobs, made, failed, damaged)
