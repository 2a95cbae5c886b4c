"""Pools: what drives the work on shards; here in this process, without workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from augcli.data.stopping import carry_on
from augcli.work.events import NeedsDonors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from augcli.data.stopping import Checkpoint
    from augcli.data.stores.sources import Source
    from augcli.plan.jobs import Task
    from augcli.work.events import Event
    from augcli.work.questions import Asked
    from augcli.work.settings import MakeSettings, ReadSettings


class Pool(Protocol):
    """Answers questions about sources, and makes shards."""

    def ask(self, question: Asked, batches: Iterator[list[Source]]) -> Iterator[tuple[str, Any]]:
        """Yield the name of each source and the answer for it, in the order in which answers come.

        A :class:`augcli.data.manifest.Failure` is the answer for a source that ended a worker.

        Args:
            question: What is asked.
            batches: Sources, asked for as workers get free.
        """
        ...

    def work(
        self, settings: MakeSettings, tasks: Iterator[Task], widen: Callable[[Task], Task]
    ) -> Iterator[Event]:
        """Make shards and yield events as they happen.

        Args:
            settings: What to make.
            tasks: The shards, asked for as workers get free.
            widen: Gives a task a longer list of donors.
        """
        ...

    def close(self) -> None:
        """End the workers; what is not committed is left."""
        ...


class InThisProcess:
    """No worker processes: for debugging, and where processes can't be started.

    Args:
        settings: How sources are read and scored.
        checkpoint: Called between two images; what it raises ends the work.
    """

    def __init__(self, settings: ReadSettings, checkpoint: Checkpoint = carry_on) -> None:
        self._checkpoint = checkpoint
        # The decoders: a parent of worker processes never needs them.
        from augcli.work.reading import Reader  # noqa: PLC0415

        self._reader = Reader(settings)

    def ask(self, question: Asked, batches: Iterator[list[Source]]) -> Iterator[tuple[str, Any]]:
        """See :class:`Pool`."""
        for sources in batches:
            self._reader.expect(sources)
            for source in sources:
                (answer,) = question([source]).answer(self._reader)
                self._checkpoint()
                yield source.path, answer

    def work(
        self, settings: MakeSettings, tasks: Iterator[Task], widen: Callable[[Task], Task]
    ) -> Iterator[Event]:
        """See :class:`Pool`."""
        from augcli.work.worker import shard_maker  # noqa: PLC0415

        maker = shard_maker(self._reader, settings)
        for task in tasks:
            events: list[Event] = []
            maker.make_shard(task.filled(), events.append, self._is_stopped)
            while isinstance(events[-1], NeedsDonors):
                maker.make_shard(widen(task), events.append, self._is_stopped)
            yield from (event for event in events if not isinstance(event, NeedsDonors))

    def close(self) -> None:
        """See :class:`Pool`."""
        self._reader.close()

    def _is_stopped(self) -> bool:
        """Return False; what the checkpoint raises ends the shard, which is not committed."""
        self._checkpoint()
        return False
