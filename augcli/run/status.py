"""The status of an output folder: what is done, what failed, what is left, who is at work."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from augcli.data.output import OutputFolder
from augcli.data.run_record import RECORD, RunRecord
from augcli.data.sinks.opening import container_ending
from augcli.errors import OutputError
from augcli.files import kind_of, read_json
from augcli.plan.parts import Parts

if TYPE_CHECKING:
    from augcli.files import Place
    from augcli.run.cluster.missing import ArrayStatus

WANTED = "give a folder that a run of augcli has made, such as images-cutmix"


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
        array: How far the tasks of an array job are; None where it is none.
    """

    command: str
    state: str
    alive: bool
    jobs: int
    made: int
    failed: int
    damaged: int
    array: ArrayStatus | None = None

    @property
    def left(self) -> int:
        """Jobs that are still to be done."""
        return max(0, self.jobs - self.made - self.failed)


def open_output(out: Place) -> tuple[OutputFolder, RunRecord]:
    """Return an output folder of augcli, and its run.json.

    Args:
        out: OUT, which must be there.

    Raises:
        OutputError: It is not an output folder of augcli.
    """
    try:
        kind = kind_of(out)
    except OSError as error:
        raise OutputError(f"OUT {out} can't be read ({error.strerror}); {WANTED}") from None
    if kind != "folder":
        problem = "is not a folder" if kind else "does not exist"
        raise OutputError(f"OUT {out} {problem}; {WANTED}")
    try:
        record = RunRecord.from_json(read_json(f"{os.fspath(out)}/{RECORD}"))
    except FileNotFoundError:
        raise OutputError(
            f"OUT {out} is not an output folder of augcli: it holds no {RECORD}, which every run "
            f"writes; {WANTED}"
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise OutputError(
            f"OUT {out} is not an output folder of augcli, or is damaged: its {RECORD} can't be "
            f"read ({reason})"
        ) from None
    return OutputFolder(out), record


def status(out: Place) -> Status:
    """Return the status of an output folder.

    Raises:
        OutputError: It is not an output folder of augcli.
    """
    output, record = open_output(out)
    made = failed = damaged = 0
    in_containers = container_ending(record.identity.get("to")) != ""
    parts = Parts(output.files, in_containers=in_containers)
    for stored in parts.read():
        if stored.part is None:
            damaged += 1
            continue
        made += len({entry.job for entry in stored.part.made})
        failed += len(stored.part.failed)
    return Status(
        record.identity["command"],
        record.state,
        output.is_locked(),
        record.jobs,
        made,
        failed,
        damaged + parts.is_cut,
        _array(output, parts),
    )


def _array(output: OutputFolder, parts: Parts) -> ArrayStatus | None:
    if not output.has_plan:
        return None
    from augcli.run.cluster.missing import array_status  # noqa: PLC0415 - few runs are shared

    return array_status(output, parts)
