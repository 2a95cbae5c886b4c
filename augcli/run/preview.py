"""A run's plan before it is made: counts, the first pairs, the space needed."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from augcli.files import Publisher
from augcli.plan.jobs import Job, Settings, Task
from augcli.plan.ring import shards_for
from augcli.run.mean_colour import mean_colour
from augcli.work.events import Failed
from augcli.work.pool import InThisProcess
from augcli.work.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from augcli.data.manifest import Failure, Row
    from augcli.run.making import Run
    from augcli.work.events import Event

TRIED = 12
"""Jobs that are made in memory, to show real weights and to estimate the space."""


@dataclass(frozen=True)
class Preview:
    """What a run would make.

    Attributes:
        sources: Images of INPUT.
        per_class: How many of each class.
        outputs: Images that would be in OUT, originals included.
        done: Outputs that are there already.
        rows: Rows of the manifest as they would come out, of the first few jobs.
        failures: What would fail among them.
        bytes_needed: Estimate of the space for all outputs.
        bytes_free: Space on the disk of OUT.
    """

    sources: int
    per_class: dict[str, int]
    outputs: int
    done: int
    rows: list[Row]
    failures: list[Failure]
    bytes_needed: int
    bytes_free: int


class _Nowhere(Publisher):
    """Writes nothing."""

    def publish(self, name: str, data: bytes) -> None:
        """Take a file and drop it."""

    def publish_with(self, name: str, write: Callable[[BinaryIO], object]) -> None:
        """Take a file and drop it."""


def preview(run: Run) -> Preview:
    """Make the first jobs of a run in memory and return what the whole would be."""
    settings = run.settings
    record = run.output.record() if run.output.exists else {}
    if run.chain.needs_mean_colour:
        colour = record.get("mean_colour") or mean_colour(
            run.sources, run.options.seed, InThisProcess(settings)
        )
        chain = run.chain.with_mean_colour(tuple(colour))
        settings = Settings(**{**vars(settings), "chain": chain})
    planner = run.planner(record.get("shards") or shards_for(len(run.sources)), settings)
    jobs: list[tuple[int, Job]] = []
    for task in planner.tasks():
        jobs += [(task.copy, job) for job in task.jobs][: TRIED - len(jobs)]
    sizes: list[int] = []
    rows: list[Row] = []
    failures: list[Failure] = []
    bench = Workbench(settings, _Nowhere(settings.out, settings.out))
    for copy, grouped in itertools.groupby(jobs, key=lambda one: one[0]):
        task = Task("preview", copy, "", [job for _, job in grouped])
        events: list[Event] = []
        part = bench.make_part(task, events.append)
        sizes += [made.size for made in part.made]
        rows += [made.row for made in part.made]
        failures += [event.failure for event in events if isinstance(event, Failed)]
    outputs = planner.jobs + (len(run.sources) if run.options.originals != "none" else 0)
    per_class: dict[str, int] = {}
    for index in range(len(run.sources)):
        label = run.sources.label(index)
        per_class[label] = per_class.get(label, 0) + 1
    return Preview(
        len(run.sources),
        dict(sorted(per_class.items())),
        outputs,
        planner.already_done,
        rows,
        failures,
        (outputs - planner.already_done) * sum(sizes) // len(sizes) if sizes else 0,
        shutil.disk_usage(_existing(Path(run.output.path))).free,
    )


def _existing(folder: Path) -> Path:
    """Return the folder itself, or the nearest one above it that is there."""
    return next(one for one in (folder, *folder.parents) if one.exists())
