"""The progress of a run: events of the workers become messages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from augcli.errors import Stopped
from augcli.run.messages import Error, Notice, Progress
from augcli.work.events import Failed, ShardDone, Tally, WorkerEnded

if TYPE_CHECKING:
    from augcli.data.manifest import Failure
    from augcli.plan.backlog import Backlog
    from augcli.run.messages import Listener
    from augcli.work.events import Event


class RunProgress:
    """Counts events and sends messages about the progress.

    Args:
        backlog: Knows how many jobs there are, and how many are done.
        begun: Clock time of the start.
        listener: Takes the messages.
        most_failures: Failed images at which the run does not stop; None for any number.
        jobs: How many jobs there are to do; all of the plan where None.

    Attributes:
        made: Jobs done in this run.
        failed: Jobs that failed in this run.
        outputs: Files written in this run, originals included.
        missing_maps: Sources that were scored because they are not in the file of heat maps.
    """

    def __init__(
        self,
        backlog: Backlog,
        begun: float,
        listener: Listener,
        most_failures: int | None,
        jobs: int | None = None,
    ) -> None:
        self.made = self.outputs = self.failed = 0
        self.missing_maps: set[str] = set()
        self._backlog = backlog
        self._jobs = backlog.plan.jobs if jobs is None else jobs
        self._begun = begun
        self._listener = listener
        self._most_failures = most_failures
        self._open: dict[str, Tally] = {}
        self._nodes: set[str] = set()
        self._reported: set[Failure] = set()
        self._first = self._last = 0.0

    @property
    def rate(self) -> float:
        """New outputs a second, between the first and the last."""
        spent = self._last - self._first
        return (self.made - 1) / spent if spent > 0 and self.made > 1 else 0.0

    def take(self, event: Event) -> None:
        """Take one event of a worker.

        Raises:
            Stopped: More images failed than the run may have.
        """
        match event:
            case Tally():
                self._open[event.shard] = event
            case Failed(failure):
                if failure not in self._reported:
                    self._reported.add(failure)
                    self._listener(Error(*failure))
                self._check_failures()
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
                self.failed += event.failed
                self.missing_maps.update(event.missing)
                self._nodes.update(filter(None, [event.node]))
                if event.made:
                    self._first = min(self._first or event.first_made, event.first_made)
                    self._last = max(self._last, event.last_made)
        self._send()

    def _check_failures(self) -> None:
        most = self._most_failures
        if most is not None and len(self._reported) > most:
            raise Stopped(
                f"stopped because {len(self._reported)} images failed and at most {most} may; "
                "what was made stays, and the same command continues"
            )

    def _send(self) -> None:
        made = self.made + sum(tally.made for tally in self._open.values())
        failed = self.failed + sum(tally.failed for tally in self._open.values())
        total = made + self._backlog.already_done
        seconds, nodes = time.time() - self._begun, len(self._nodes)
        self._listener(Progress(total, failed, self._jobs, seconds, made, nodes))
