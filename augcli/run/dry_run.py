"""A run's plan before it is made: counts, the first pairs, the space needed."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from augcli.data.stopping import FULL, disk_full
from augcli.errors import OutputError
from augcli.run.class_counts import class_counts
from augcli.run.making.prepare import own_record
from augcli.run.trial import Estimated, Trial

if TYPE_CHECKING:
    from augcli.data.manifest import Failure, Row
    from augcli.data.output import OutputFolder
    from augcli.data.stores.sources import Sources
    from augcli.plan.jobs import Task
    from augcli.plan.plan import Wanted
    from augcli.run.checking.checked_run import Run
    from augcli.run.trial import InMemory

TRIED = 12
"""Jobs that are made in memory, to show real weights and to estimate the space."""


@dataclass(frozen=True)
class ClassAmount:
    """How much of a class there is, and how much there will be.

    Attributes:
        split: The split; empty where there are none.
        name: The class; empty for images without one.
        has: Images of it in INPUT.
        will_have: Outputs of it, originals included; a mix counts for the class of its base.
        mass: Its summed weights in INPUT; None where each image has one class.
        will_mass: The same of the outputs, before anything is mixed.
    """

    split: str
    name: str
    has: int
    will_have: int
    mass: float | None = None
    will_mass: float | None = None


@dataclass(frozen=True)
class DryRun:
    """What a run would make.

    Attributes:
        sources: Images of INPUT.
        per_class: How many of each class.
        classes: How many of each class there are and will be, in each split.
        outputs: Images that would be in OUT, originals included.
        done: Outputs that are there already.
        rows: Rows of the manifest as they would come out, of the first few jobs.
        failures: What would fail among them.
        bytes_needed: Estimate of the space for all outputs.
        bytes_free: Space on the disk of OUT; None where nobody says, as in a bucket.
    """

    sources: int
    per_class: dict[str, int]
    classes: list[ClassAmount]
    outputs: int
    done: int
    rows: list[Row]
    failures: list[Failure]
    bytes_needed: int
    bytes_free: int | None


def dry_run(run: Run) -> DryRun:
    """Make the first jobs of a run in memory and return what the whole would be.

    Raises:
        OutputError: OUT can't be written, or another command made it.
        Stopped: The disk of OUT is full.
    """
    record = own_record(run, run.output.record())
    try_output(run.output)
    known = Estimated(record.white_level, record.mean_colour) if record else None
    trial = Trial.of(run, known)
    backlog = trial.run.backlog(trial.plan(), was_complete=False)
    firsts: list[Task] = []
    left = TRIED
    for task in backlog.tasks():
        if left:
            firsts.append(replace(task.filled(), jobs=task.jobs[:left]))
            left -= len(firsts[-1].jobs)
    made: list[InMemory] = []
    failures: list[Failure] = []
    for copy, tasks in itertools.groupby(firsts, key=lambda task: task.copy):
        kept, failed = trial.make([job for task in tasks for job in task.jobs], copy)
        made += kept
        failures += failed
    sizes = [len(output.data) for output in made]
    outputs = run.wanted.outputs
    indices = range(len(run.sources))
    per_class = Counter(run.sources.label(index).heaviest for index in indices)
    return DryRun(
        len(run.sources),
        dict(sorted(per_class.items())),
        class_amounts(run.sources, run.wanted),
        outputs,
        backlog.already_done,
        [output.row for output in made],
        failures,
        (outputs - backlog.already_done) * sum(sizes) // len(sizes) if sizes else 0,
        run.output.files.free_bytes(),
    )


def class_amounts(sources: Sources, wanted: Wanted) -> list[ClassAmount]:
    """Return how many pictures each class has and will have, in the order of splits and classes.

    Args:
        sources: All of them.
        wanted: What is to be made of each.
    """
    before = class_counts(sources)
    after = class_counts(sources, wanted.copies + (wanted.originals > 0))
    amounts = []
    for (split, name), count in before.items():
        made = after[split, name]
        amounts.append(ClassAmount(split, name, count.images, made.images))
        if sources.are_soft:
            amounts[-1] = replace(amounts[-1], mass=count.mass, will_mass=made.mass)
    return amounts


def try_output(output: OutputFolder) -> None:
    """Make OUT, if it is missing, and a file in it, and remove both again.

    Raises:
        OutputError: It can't be written.
        Stopped: Its disk is full.
    """
    try:
        output.files.try_writing()
    except OSError as error:
        if error.errno in FULL:
            raise disk_full(output.path) from None
        raise OutputError(
            f"OUT {output.folder} can't be written ({error.strerror}); "
            "give write permission, or another folder with `out`"
        ) from None
