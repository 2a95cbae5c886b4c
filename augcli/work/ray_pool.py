"""Shards made by the nodes of a Ray cluster, which reach INPUT and OUT by the same paths.

A task of Ray makes one shard, see :mod:`augcli.work.ray_node`. What crosses the network is a task
there and events back, never a picture. Ray tries a task again, up to three times, whose node or
process is gone; whatever it made before is the same bytes.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from augcli.attention.device import CPU
from augcli.data.stopping import carry_on
from augcli.errors import Stopped, UsageError
from augcli.version import VERSION
from augcli.work.events import NeedsDonors, ShardDone
from augcli.work.ray_node import answer_question, make_shard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from augcli.data.stopping import Checkpoint
    from augcli.data.stores.sources import Source
    from augcli.plan.jobs import Task
    from augcli.work.events import Event
    from augcli.work.questions import Asked
    from augcli.work.ray_node import Made
    from augcli.work.settings import MakeSettings, ReadSettings

LOCAL: Final = "local"
"""The address of a cluster that is started on this machine, and ends with the run."""
RETRIES: Final = 3
AHEAD: Final = 2
"""Tasks that Ray has for each place of the cluster: one at work, one waiting."""
LOOK_SECONDS: Final = 0.1
CONNECT_SECONDS: Final = 5.0


@dataclass(frozen=True)
class RayOptions:
    """Where the nodes are, and what each task of Ray takes of them.

    Attributes:
        address: Of the cluster, or ``local``.
        cpus: Processors that a task takes; a part of one too.
        gpus: GPUs that a task takes; a part of one too.
        device: Where a task scores.
        most_tasks: Tasks at a time; None for as many as the cluster has room for.
    """

    address: str = LOCAL
    cpus: float = 1.0
    gpus: float = 0.0
    device: str = CPU
    most_tasks: int | None = None


class RayPool:
    """The nodes of a Ray cluster; see :class:`augcli.work.pool.Pool`.

    Args:
        settings: How sources are read and scored.
        options: Where the nodes are.
        checkpoint: Called between two events; what it raises ends the work.

    Raises:
        Stopped: The cluster can't be reached, or has no room for a task.
    """

    def __init__(
        self, settings: ReadSettings, options: RayOptions, checkpoint: Checkpoint = carry_on
    ) -> None:
        self._ray = _ray()
        self._checkpoint = checkpoint
        self._is_own = not self._ray.is_initialized()
        if self._is_own:
            _connect(self._ray, options.address)
        self._pending: dict[Any, Any] = {}
        try:
            self._places = self._room(options)
            # Once for all tasks: each node gets it once.
            self._settings = self._ray.put(settings)
            remote = self._ray.remote(
                num_cpus=options.cpus,
                num_gpus=options.gpus,
                max_retries=RETRIES,
                # Ray would start a process anew for each task with a GPU, and load the scorer.
                max_calls=0,
                scheduling_strategy="SPREAD",
            )
            self._device = options.device
            self._make = remote(make_shard)
            self._ask = remote(answer_question)
        except BaseException:
            self.close()
            raise

    def ask(self, question: Asked, batches: Iterator[list[Source]]) -> Iterator[tuple[str, Any]]:
        """See :class:`augcli.work.pool.Pool`."""
        calls = ((self._ask, (self._settings, question, batch)) for batch in batches)
        for _, made in self._results(calls):
            yield from made.events

    def work(
        self, settings: MakeSettings, tasks: Iterator[Task], widen: Callable[[Task], Task]
    ) -> Iterator[Event]:
        """See :class:`augcli.work.pool.Pool`."""
        shared = self._ray.put(settings)
        wider: list[Task] = []

        def calls() -> Iterator[tuple[Any, tuple[Any, ...]]]:
            while True:
                task = wider.pop() if wider else next(tasks, None)
                if task is None:
                    return
                yield self._make, (self._device, self._settings, shared, task)

        while True:
            for _, made in self._results(calls()):
                for event in made.events:
                    if isinstance(event, NeedsDonors):
                        wider.append(widen(event.task))
                    elif isinstance(event, ShardDone):
                        yield event._replace(node=made.node)
                    else:
                        yield event
            if not wider:
                return

    def close(self) -> None:
        """See :class:`augcli.work.pool.Pool`."""
        for reference in self._pending:
            with contextlib.suppress(Exception):
                self._ray.cancel(reference, force=True)
        self._pending = {}
        if self._is_own:
            self._ray.shutdown()
            self._is_own = False

    def _results(self, calls: Iterator[tuple[Any, tuple[Any, ...]]]) -> Iterator[tuple[Any, Made]]:
        """Yield what tasks return, in the order in which they end; few are with Ray at a time."""
        ray = self._ray
        while True:
            while len(self._pending) < AHEAD * self._places:
                call = next(calls, None)
                if call is None:
                    break
                function, arguments = call
                self._pending[function.remote(VERSION, *arguments)] = call
            if not self._pending:
                return
            self._checkpoint()
            ended, _ = ray.wait(list(self._pending), timeout=LOOK_SECONDS)
            for reference in ended:
                call = self._pending.pop(reference)
                made = self._result(reference)
                if made.error:
                    raise made.error
                yield call, made

    def _result(self, reference: Any) -> Made:
        """Return what a task returned.

        Raises:
            Stopped: Ray gave it up.
        """
        try:
            made: Made = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            # What goes wrong in a task is part of what it returns: this is Ray's own.
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise Stopped(
                f"Ray gave a task up, after at most {RETRIES} more tries ({lines[-1].strip()}); "
                "look at the nodes, then run the same command again to continue"
            ) from None
        return made

    def _room(self, options: RayOptions) -> int:
        """Return how many tasks the cluster has room for at a time.

        Raises:
            Stopped: For none: a task would wait for ever.
        """
        there = self._ray.cluster_resources()
        needs = [("CPU", options.cpus, "task_cpus"), ("GPU", options.gpus, "task_gpus")]
        rooms = []
        for kind, each, option in needs:
            amount = there.get(kind, 0.0)
            if amount < each:
                raise Stopped(
                    f"the Ray cluster at {options.address} has {amount:g} {kind}s, and each task "
                    f"takes {each:g} (`{option}`); start nodes with more, or give less"
                )
            if each:
                rooms.append(int(amount / each))
        return min(*rooms, options.most_tasks or rooms[0])


def check_installed() -> None:
    """Check that Ray is there, before anything is written.

    Raises:
        UsageError: It is not.
    """
    if importlib.util.find_spec("ray") is None:
        raise UsageError(
            "`engine` ray needs the package ray: pip install 'augcli[ray]', on all nodes"
        )


def _ray() -> Any:
    """Return the package."""
    # It reports to its makers otherwise.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray  # noqa: PLC0415 - an extra, and slow to import
    import ray.exceptions  # noqa: PLC0415

    return ray


def _connect(ray: Any, address: str) -> None:
    """Join a cluster, or start one on this machine.

    Raises:
        Stopped: It can't be reached.
    """
    if address != LOCAL:
        _check_reached(address)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        # Always with an address: without one, Ray joins any cluster that once ran here.
        ray.init(
            address=address,
            logging_level="ERROR",
            log_to_driver=False,
            include_dashboard=False if address == LOCAL else None,
        )
    except Exception as error:  # Ray raises errors of any kind
        first = str(error).strip().partition("\n")[0]
        raise Stopped(
            f"the Ray cluster at {address} can't be reached ({type(error).__name__}: {first}); "
            "check `address`, and that this machine has the cluster's token (RAY_AUTH_TOKEN or "
            "~/.ray/auth_token), then run the same command again"
        ) from None
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                signal.signal(number, handler)


def _check_reached(address: str) -> None:
    """Check that somebody listens there: Ray itself would wait for minutes.

    Raises:
        Stopped: Nobody does.
    """
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Stopped(
            f"the Ray cluster at {address} can't be reached ({reason}); start it, or check "
            "`address`, then run the same command again"
        ) from None
