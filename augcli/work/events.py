"""Events: what workers report while they score sources and make shards."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from augcli.data.manifest import Failure
    from augcli.pixels.frame import HeatMap, Image
    from augcli.plan.jobs import Task


class Scored(NamedTuple):
    """The heat map of one source, or the picture for the scorer in the parent process.

    Attributes:
        key: Hash of its content.
        heat_map: float32 (h, w), as it is stored; None where the parent is to score it.
        new: Whether it was not stored before.
        picture: uint8 (h, w, 3), fitted for the parent's scorer; None where there is a map.
    """

    key: bytes
    heat_map: HeatMap | None
    new: bool
    picture: Image | None = None


class Tally(NamedTuple):
    """How many jobs of a shard were made and how many failed, so far."""

    shard: str
    made: int
    failed: int


class Failed(NamedTuple):
    """One image failed; reported at once."""

    failure: Failure


class Touching(NamedTuple):
    """A careful worker begins to work on a source; on none where the path is empty."""

    path: str


class Overdue(NamedTuple):
    """A worker is at one source for longer than it may be; it ends itself after this."""

    failure: Failure


class NeedsDonors(NamedTuple):
    """A shard ran out of donors that can be read: it needs a longer list."""

    task: Task


class WorkerEnded(NamedTuple):
    """A worker ended in the middle of a shard, which is tried again."""

    shard: str
    cause: str


class ShardDone(NamedTuple):
    """A shard was committed.

    Attributes:
        shard: Its name.
        made: Jobs made now.
        failed: Jobs that failed now.
        outputs: Files written now, originals included.
        first_made: ShardTally time (``time.time()``) of the first new output, or 0.
        last_made: ShardTally time of the last new output, or 0.
        missing: Sources that were scored because they are not in the file of heat maps.
        node: The machine that did it; empty where it is this one.
    """

    shard: str
    made: int
    failed: int
    outputs: int
    first_made: float
    last_made: float
    missing: tuple[str, ...] = ()
    node: str = ""


Event = Tally | Failed | Touching | NeedsDonors | WorkerEnded | ShardDone
