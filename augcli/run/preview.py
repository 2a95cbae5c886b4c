"""A run's plan before it is made: counts, the first pairs, the space needed."""

from __future__ import annotations

import itertools
import shutil
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from augcli.data.output import output_files
from augcli.data.sinks.folder import FolderSink
from augcli.plan.ring import shards_for
from augcli.run.mean_colour import mean_colour
from augcli.run.white_level import estimated_white_level
from augcli.work.events import Failed
from augcli.work.pool import InThisProcess
from augcli.work.reading import Reader
from augcli.work.shard_maker import ShardMaker

if TYPE_CHECKING:
    from augcli.data.manifest import Failure, Row
    from augcli.plan.jobs import Task
    from augcli.run.check import Run
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


class _Nowhere:
    """Takes the outputs of a shard and writes nothing."""

    def add(self, name: str, data: bytes) -> None:
        """Take an output and drop it."""

    def commit(self, part: bytes) -> None:
        """Take a part and drop it."""


def preview(run: Run) -> Preview:
    """Make the first jobs of a run in memory and return what the whole would be."""
    record = run.output.record()
    storage = run.storage()._replace(table="")
    if run.white_level is None:
        level = record.white_level if record else None
        if level is None:
            level = estimated_white_level(run.sources, InThisProcess(run.read_settings(storage)))
        run = replace(run, white_level=level)
    settings = run.read_settings(storage)
    chain = run.chain
    if chain.needs_mean_colour:
        colour = record.mean_colour if record else None
        if colour is None:
            colour = mean_colour(run.sources, run.options.seed, InThisProcess(settings))
        chain = chain.with_mean_colour(colour)
    plan = run.plan(chain, record.shards if record else shards_for(len(run.sources)))
    backlog = run.backlog(plan, was_complete=False)
    firsts: list[Task] = []
    left = TRIED
    for task in backlog.tasks():
        if left:
            firsts.append(replace(task, jobs=task.jobs[:left]))
            left -= len(firsts[-1].jobs)
    sizes: list[int] = []
    rows: list[Row] = []
    failures: list[Failure] = []
    sink = FolderSink(output_files(run.output.path))
    maker = ShardMaker(Reader(settings), run.make_settings(chain), sink)
    for copy, tasks in itertools.groupby(firsts, key=lambda task: task.copy):
        jobs = [job for task in tasks for job in task.jobs]
        task = replace(firsts[0], copy=copy, jobs=jobs, made=[], failed=[], obsolete=[])
        events: list[Event] = []
        part = maker.make_part(task, _Nowhere(), events.append)
        sizes += [made.size for made in part.made]
        rows += [made.row for made in part.made]
        failures += [event.failure for event in events if isinstance(event, Failed)]
    outputs = plan.jobs + (len(run.sources) if run.options.originals != "none" else 0)
    indices = range(len(run.sources))
    per_class = Counter(run.sources.label(index).heaviest for index in indices)
    return Preview(
        len(run.sources),
        dict(sorted(per_class.items())),
        outputs,
        backlog.already_done,
        rows,
        failures,
        (outputs - backlog.already_done) * sum(sizes) // len(sizes) if sizes else 0,
        shutil.disk_usage(_existing(Path(run.output.path))).free,
    )


def _existing(folder: Path) -> Path:
    """Return the folder itself, or the nearest folder above it that is there."""
    return next(path for path in (folder, *folder.parents) if path.exists())
