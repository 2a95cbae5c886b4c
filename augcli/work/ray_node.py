"""What a node of a Ray cluster does: one shard after the other, each a task of Ray.

The process of Ray is no more than the parent of one worker process: a picture that crashes or hangs
the worker costs what it costs on one machine. Where a GPU scores, the worker has the session, so
that it sees the GPU that Ray gave to the task.
"""

from __future__ import annotations

import functools
import os
import pickle
import platform
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from augcli.attention.device import CPU
from augcli.data.output import output_files
from augcli.errors import Stopped
from augcli.files import Spool
from augcli.version import VERSION
from augcli.work.device_scoring import HeatMapsOnDevice, in_batches, scored_for, store_maps
from augcli.work.events import NeedsDonors, Tally
from augcli.work.processes import Processes

if TYPE_CHECKING:
    from augcli.data.stores.sources import Source
    from augcli.plan.jobs import Task
    from augcli.work.events import Event
    from augcli.work.questions import Asked
    from augcli.work.settings import MakeSettings, ReadSettings


class Made(NamedTuple):
    """What a task of Ray returns.

    Attributes:
        node: Name of the node.
        events: What happened; answers where a question was asked.
        error: What ends the run; None where nothing does.
    """

    node: str
    events: list[Any]
    error: Exception | None = None


def make_shard(
    version: str, device: str, reading: ReadSettings, making: MakeSettings, task: Task
) -> Made:
    """Make a shard on a node; a task of Ray.

    Args:
        version: Of augcli where the run began.
        device: Where the sources are scored.
        reading: How sources are read and scored.
        making: What is made.
        task: The shard.
    """
    events: list[Event] = []

    def widen(task: Task) -> Task:
        events.append(NeedsDonors(task))
        raise _Wider

    try:
        kept = _kept(version, device, reading)
        making = replace(making, out_identity=_identity(making))
        try:
            kept.score(task)
            events += [
                event
                for event in kept.pool.work(making, iter([task]), widen)
                if not isinstance(event, Tally)
            ]
        except BaseException:
            # A worker that has a task, or none that is known.
            _forget()
            raise
    except _Wider:
        pass
    except Exception as error:
        return Made(platform.node(), events, error)
    return Made(platform.node(), events)


def answer_question(
    version: str, reading: ReadSettings, question: Asked, batch: list[Source]
) -> Made:
    """Answer a question about sources on a node; a task of Ray.

    Args:
        version: Of augcli where the run began.
        reading: How sources are read and scored.
        question: What is asked.
        batch: The sources.
    """
    try:
        answers = list(_kept(version, CPU, reading).pool.ask(question, iter([batch])))
    except Exception as error:
        _forget()
        return Made(platform.node(), [], error)
    return Made(platform.node(), answers)


class _Wider(Exception):
    """A shard needs a longer list of donors, which only the plan has."""


class _Worker:
    """The worker of this process of Ray.

    Args:
        device: Where the sources are scored.
        reading: How they are read.

    Attributes:
        pool: The worker.
    """

    def __init__(self, device: str, reading: ReadSettings) -> None:
        self._question: functools.partial[HeatMapsOnDevice] | None = None
        if device != CPU:
            from augcli.attention.scorer import Scorer  # noqa: PLC0415 - few runs have a GPU

            model, grid = reading.model, reading.grid
            self._question = functools.partial(
                HeatMapsOnDevice, device=device, model=model, grid=grid
            )
            self._spool = Spool()
            spec = Scorer(model, grid=grid).map_spec
            storage = reading.storage._replace(table=f"{self._spool.path}/maps", elsewhere=spec)
            reading = replace(reading, storage=storage)
        self._storage = reading.storage
        self.pool = Processes(reading, 1)

    def score(self, task: Task) -> None:
        """Score the sources of a shard where a GPU does that, before the shard is made."""
        if self._question:
            answers = self.pool.ask(self._question, in_batches(scored_for([task])))
            store_maps(answers, self._storage)


_KEPT: dict[bytes, _Worker] = {}
"""The worker of this process of Ray, by what it is set up for: the scorer is loaded once."""


def _kept(version: str, device: str, reading: ReadSettings) -> _Worker:
    """Return the worker of this process of Ray.

    Raises:
        Stopped: This node has another version of augcli.
    """
    if version != VERSION:
        raise Stopped(
            f"node {platform.node()} has augcli {VERSION}, and the run began with {version}; "
            "install the same version on all nodes"
        )
    # A worker keeps the GPU that it began with, and the next task may have another.
    key = pickle.dumps((device, os.environ.get("CUDA_VISIBLE_DEVICES"), reading))
    if key not in _KEPT:
        _forget()
        _KEPT[key] = _Worker(device, reading)
    return _KEPT[key]


def _forget() -> None:
    while _KEPT:
        _KEPT.popitem()[1].pool.close()


def _identity(making: MakeSettings) -> tuple[int, int]:
    """Return what tells OUT from another folder on this node.

    Raises:
        Stopped: It is not the folder in which the run began.
    """
    try:
        identity = output_files(making.out).identity()
    except OSError:
        identity = (0, 0)
    # Each machine has a number of its own for a shared disk.
    if identity[1] != making.out_identity[1]:
        raise Stopped(
            f"OUT {making.out} on node {platform.node()} is not the folder in which the run "
            "began: INPUT and OUT must lie on a disk that all nodes share, by the same paths"
        )
    return identity
