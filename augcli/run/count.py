"""What became of the jobs, as the workers tell of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from augcli.errors import Stopped
from augcli.run.messages import Error, Notice, Progress
from augcli.work.events import Failed, ShardDone, Tally, WorkerEnded

if TYPE_CHECKING:
    from augcli.data.manifest import Failure
    from augcli.plan.planner import Planner
    from augcli.run.messages import Listener


class Count:
    """Counts events and tells of progress.

    Args:
        planner: Knows how many jobs there are.
        begun: ShardTally time of the start.
        listener: Takes the messages.
        most_failures: Failed images that are borne; None bears any number.
    """

    def __init__(
        self, planner: Planner, begun: float, listener: Listener, most_failures: int | None
    ) -> None:
        self._most_failures = most_failures
        self.made = self.outputs = 0
        self._planner = planner
        self._begun = begun
        self._listener = listener
        self._open: dict[str, Tally] = {}
        self._failed = 0
        self._told: set[Failure] = set()
        self.lacking: set[str] = set()
        self._first = self._last = 0.0

    @property
    def rate(self) -> float:
        """New outputs a second, between the first and the last."""
        spent = self._last - self._first
        return (self.made - 1) / spent if spent > 0 and self.made > 1 else 0.0

    def take(self, event: Any) -> None:
        """Take one event of a worker.

        Raises:
            Stopped: More images failed than are borne.
        """
        match event:
            case Tally():
                self._open[event.shard] = event
            case Failed(failure):
                if failure not in self._told:
                    self._told.add(failure)
                    self._listener(Error(*failure))
                self._bear()
                return
            case WorkerEnded(shard, cause):
                self._open.pop(shard, None)
                self._listener(
                    Notice(f"a worker ended ({cause}) in shard {shard}, which is tried again")
                )
                return
            case ShardDone():
                self._open.pop(event.shard, None)
                self.made += event.made
                self.outputs += event.outputs
                self._failed += event.failed
                self.lacking.update(event.lacking)
                if event.made:
                    self._first = min(self._first or event.first_made, event.first_made)
                    self._last = max(self._last, event.last_made)
        self._tell()

    def _bear(self) -> None:
        most = self._most_failures
        if most is not None and len(self._told) > most:
            raise Stopped(
                f"stopped because {len(self._told)} images failed and at most {most} may; what "
                "was made stays, and the same command goes on"
            )

    def _tell(self) -> None:
        made = self.made + sum(tally.made for tally in self._open.values())
        failed = self._failed + sum(tally.failed for tally in self._open.values())
        done = self._planner.already_done
        self._listener(
            Progress(made + done, failed, self._planner.jobs, time.time() - self._begun, made)
        )
