"""Messages: what a run reports, for a person's terminal or a pipeline's log."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from augcli.errors import EXIT_OK, EXIT_SOME_FAILED

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Message:
    """Base of all messages."""

    message_type: ClassVar[str]

    def to_json(self) -> dict[str, Any]:
        """Return the message as one JSON object."""
        return {"message_type": self.message_type, **asdict(self)}


@dataclass(frozen=True)
class Started(Message):
    """The sources are listed and the plan is made.

    Attributes:
        command: Name of the command or recipe.
        input: INPUT, absolute.
        out: OUT, absolute.
        sources: How many images there are.
        classes: How many classes.
        jobs: How many outputs are to be there in the end, without originals.
        workers: Worker processes.
    """

    message_type = "start"
    command: str
    input: str
    out: str
    sources: int
    classes: int
    jobs: int
    workers: int


@dataclass(frozen=True)
class Progress(Message):
    """How far the run is.

    Attributes:
        made: Outputs made, those of earlier runs included.
        failed: Images that failed.
        total: Outputs to be made.
        seconds: Since the first task.
        new: Outputs made in this run.
        nodes: Machines of a cluster that made some of them; 0 without a cluster.
    """

    message_type = "progress"
    made: int
    failed: int
    total: int
    seconds: float
    new: int
    nodes: int = 0


@dataclass(frozen=True)
class Error(Message):
    """One image failed; the run continues."""

    message_type = "error"
    source: str
    stage: str
    reason: str


@dataclass(frozen=True)
class Notice(Message):
    """Something that a person should know and that is no error."""

    message_type = "notice"
    text: str


@dataclass(frozen=True)
class Summary(Message):
    """What a run made.

    Attributes:
        command: Name of the command or recipe.
        out: OUT, absolute.
        manifest: Path of the manifest.
        images: Outputs that are there now, originals included.
        new: Outputs made in this run.
        failed: Images that failed, rows of errors.csv.
        classes: How many classes the outputs have.
        mean_weight: Mean weight of the donors over all rows with two classes; 0 where none has.
        seconds: How long the run took.
        images_per_second: Between the first and the last new output.
        remarks: How often something happened that may surprise.
        per_class: Outputs of each class, where options say how many each gets: of the splits that
            are augmented, originals included; a mix counts for the class of its base.
    """

    message_type = "summary"
    noun: ClassVar[str] = "image"
    reports: ClassVar[bool] = True
    """Whether ``augcli report`` shows what was made."""
    command: str
    out: str
    manifest: str
    images: int
    new: int
    failed: int
    classes: int
    mean_weight: float
    seconds: float
    images_per_second: float
    remarks: dict[str, int] = field(default_factory=dict)
    per_class: dict[str, int] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 when all was made, 1 when some images failed."""
        return EXIT_SOME_FAILED if self.failed else EXIT_OK

    @property
    def errors(self) -> str:
        """Path of the table of failed images."""
        return os.path.join(self.out, "errors.csv")


@dataclass(frozen=True)
class Planned(Message):
    """A run that several machines make is prepared.

    Attributes:
        out: OUT, absolute.
        plan: Hash of the plan; empty where all is made already.
        shards: How many shards there are.
        jobs: Outputs to be made.
    """

    message_type = "planned"
    out: str
    plan: str
    shards: int
    jobs: int

    @property
    def exit_code(self) -> int:
        """Always 0."""
        return EXIT_OK


@dataclass(frozen=True)
class TaskSummary(Summary):
    """What a task of an array job made: ``images`` and ``failed`` are of its shards.

    Attributes:
        task: Which task, such as ``3/100``.
        shards: How many shards it has.
    """

    message_type = "task"
    reports = False
    task: str = ""
    shards: int = 0

    @property
    def exit_code(self) -> int:
        """0, also where images failed: they are rows of errors.csv, which ``finish`` counts."""
        return EXIT_OK


@dataclass(frozen=True)
class HeatMapsSummary(Summary):
    """The same for heat maps: ``manifest`` is their file, ``new`` what was scored now."""

    noun = "heat map"
    reports = False

    @property
    def errors(self) -> str:
        """Path of the table of failed images."""
        return self.errors_of(self.manifest)

    @staticmethod
    def errors_of(file: str) -> str:
        """Return the path of the table for a file of heat maps."""
        return f"{os.path.splitext(file)[0]}-errors.csv"


class Listener(Protocol):
    """Takes messages as they happen."""

    def __call__(self, message: Message) -> None:
        """Take one message."""
        ...


def time_notices(timeout: float | None, workers: int) -> Iterator[str]:
    """Yield what a person should know of the time limit of an image.

    Example:
        >>> list(time_notices(60, 4)), list(time_notices(60, 0))
        ([], ['`timeout` is of no use with `workers` 0: no other process can end an image'])
    """
    if timeout and not workers:
        yield "`timeout` is of no use with `workers` 0: no other process can end an image"


def ignore(message: Message) -> None:
    """Take a message and do nothing."""
