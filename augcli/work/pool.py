"""Pools: the same shards in this process, or in worker processes that share nothing.

The processes are our own: one crashed worker breaks neither the others nor the run, and none
outlives its parent.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from augcli.errors import Stopped
from augcli.plan.jobs import Settings, Task
from augcli.work import worker
from augcli.work.events import NeedsDonors, ShardDone, Touching, WorkerEnded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from augcli.recipes.chain import Chain
    from augcli.work.events import Event

    Question = type[worker.Measure] | type[worker.Score]

TRIES = 2
"""Times that a shard may end its worker before its images are announced one by one."""
MOST_ENDED = 12
"""Workers that may end one after the other, with no answer between them."""
STOP_SECONDS = 1.0
"""How long workers may finish the image they are at, when a run is stopped."""


class Pool(Protocol):
    """What makes shards."""

    def ask(self, question: Question, batches: Iterator[list[str]]) -> Iterator[tuple[str, Any]]:
        """Yield each source and what a worker answers of it, in the order in which they come.

        A text is the answer of a source that ended a worker, or that can't be read.

        Args:
            question: What is asked for.
            batches: Paths of sources, asked for as workers get free.
        """
        ...

    def use(self, chain: Chain) -> None:
        """Go on with another chain."""
        ...

    def work(self, tasks: Iterator[Task], widen: Callable[[Task], Task]) -> Iterator[Event]:
        """Make shards and yield events as they happen.

        Args:
            tasks: The shards, asked for as workers get free.
            widen: Gives a task a longer list of donors.
        """
        ...

    def close(self) -> None:
        """End the workers; what is not committed is left."""
        ...


class InThisProcess:
    """No worker processes: for debugging, and where processes can't be started."""

    def __init__(self, settings: Settings) -> None:
        # The decoders: a parent of worker processes never needs them.
        from augcli.work.workbench import Workbench  # noqa: PLC0415

        self._bench = Workbench(settings)

    def ask(self, question: Question, batches: Iterator[list[str]]) -> Iterator[tuple[str, Any]]:
        """See :class:`Pool`."""
        scores = question is worker.Score
        for paths in batches:
            answers = self._bench.scored(paths) if scores else self._bench.mean_colours(paths)
            yield from zip(paths, answers, strict=True)

    def use(self, chain: Chain) -> None:
        """See :class:`Pool`."""
        self._bench.use(chain)

    def work(self, tasks: Iterator[Task], widen: Callable[[Task], Task]) -> Iterator[Event]:
        """See :class:`Pool`."""
        for task in tasks:
            events: list[Event] = []
            self._bench.make_shard(task, events.append)
            while isinstance(events[-1], NeedsDonors):
                self._bench.make_shard(widen(task), events.append)
            yield from (event for event in events if not isinstance(event, NeedsDonors))

    def close(self) -> None:
        """See :class:`Pool`."""
        self._bench.close()


@dataclass(eq=False)
class _Worker:
    """One worker process, as its parent sees it."""

    process: subprocess.Popen[bytes]
    complaints: IO[bytes]
    task: Task | None = None
    touching: str = ""
    tries: dict[str, int] = field(default_factory=dict)

    def send(self, message: Any) -> None:
        assert self.process.stdin
        try:
            pickle.dump(message, self.process.stdin, pickle.HIGHEST_PROTOCOL)
            self.process.stdin.flush()
        except (BrokenPipeError, OSError):
            pass  # it died: its reader says so

    def last_words(self) -> str:
        """Return the end of what it wrote to its standard error."""
        self.complaints.seek(0)
        return self.complaints.read()[-2000:].decode("utf-8", "replace").strip()


class Processes:
    """Worker processes, each with its own scorer.

    Args:
        settings: What to do.
        count: How many workers.

    Raises:
        ScorerError: A worker could not load the scorer.
    """

    def __init__(self, settings: Settings, count: int) -> None:
        self._settings = settings
        self._events: queue.SimpleQueue[tuple[_Worker, Any]] = queue.SimpleQueue()
        self._workers: list[_Worker] = []
        self._tries: dict[str, int] = {}
        try:
            for _ in range(count):
                self._start()
            for _ in range(count):
                self._answer()
        except BaseException:
            self.close()
            raise

    def ask(self, question: Question, batches: Iterator[list[str]]) -> Iterator[tuple[str, Any]]:
        """See :class:`Pool`."""
        again: list[list[str]] = []
        asked: dict[_Worker, list[str]] = {}
        ended = 0

        def ask(one: _Worker) -> None:
            paths = again.pop() if again else next(batches, None)
            if paths:
                asked[one] = paths
                one.send(question(paths))

        for one in self._workers:
            ask(one)
        while asked:
            sender, message = self._events.get()
            if isinstance(message, worker.Broken):
                raise _as_raised(message)
            if isinstance(message, worker.Ready):
                continue
            paths = asked.pop(sender, [])
            if message is None:
                cause, last_words = self._bury(sender)
                ended += 1
                if ended > MOST_ENDED:
                    raise Stopped(f"workers keep ending ({cause}); {last_words}")
                if len(paths) > 1:
                    # One of these did it: each of them alone will tell which.
                    again += [[path] for path in reversed(paths)]
                ask(self._start())
                if len(paths) == 1:
                    yield paths[0], _ended_by(cause)
            else:
                ended = 0
                ask(sender)
                yield from zip(paths, message.answers, strict=True)

    def use(self, chain: Chain) -> None:
        """See :class:`Pool`."""
        self._settings = Settings(**{**vars(self._settings), "chain": chain})
        for one in self._workers:
            one.send(worker.Use(chain))

    def work(self, tasks: Iterator[Task], widen: Callable[[Task], Task]) -> Iterator[Event]:
        """See :class:`Pool`."""
        for one in self._workers:
            self._give(one, next(tasks, None))
        ahead: deque[Task] = deque()
        while any(one.task for one in self._workers):
            # Planned while the workers are busy, so that none waits for its next shard.
            while self._events.empty() and len(ahead) < len(self._workers):
                task = next(tasks, None)
                if task is None:
                    break
                ahead.append(task)
            sender, message = self._events.get()
            if message is None:
                yield from self._replace(sender)
                continue
            if isinstance(message, worker.Ready):
                continue
            if isinstance(message, worker.Broken):
                raise _as_raised(message)
            if isinstance(message, Touching):
                sender.touching = message.path
                continue
            if isinstance(message, NeedsDonors):
                self._give(sender, widen(message.task))
                continue
            if isinstance(message, ShardDone):
                self._give(sender, ahead.popleft() if ahead else next(tasks, None))
            yield message

    def close(self) -> None:
        """See :class:`Pool`."""
        for one in self._workers:
            one.send(None)
            if one.process.stdin and not one.task:
                _close_quietly(one.process.stdin)
        deadline = time.monotonic() + STOP_SECONDS
        for one in self._workers:
            try:
                one.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                one.process.kill()
                one.process.wait()
            if one.process.stdin:
                _close_quietly(one.process.stdin)
            one.complaints.close()
        self._workers = []

    def _start(self) -> _Worker:
        package = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))
        complaints = _complaints()
        try:
            process = subprocess.Popen(
                # -P: the current folder may hold a file called numpy.py.
                [sys.executable, "-P", "-m", "augcli.work.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env={**os.environ, "PYTHONPATH": path},
            )
        except OSError as error:
            complaints.close()
            raise Stopped(
                f"a worker process can't be started ({error.strerror}); "
                "give fewer with --workers, then run the same command again to go on"
            ) from None
        one = _Worker(process, complaints)
        self._workers.append(one)
        threading.Thread(target=self._listen, args=(one,), daemon=True).start()
        one.send(worker.SetUp(self._settings))
        return one

    def _listen(self, one: _Worker) -> None:
        """Pass on a worker's events; None when it is gone."""
        assert one.process.stdout
        with one.process.stdout as channel:
            try:
                while True:
                    self._events.put((one, pickle.load(channel)))
            except Exception:  # broken bytes lead pickle to any error; all mean the same here
                self._events.put((one, None))

    def _answer(self) -> Any:
        """Return the next answer to a question that every worker answers once."""
        sender, message = self._events.get()
        if message is None:
            raise Stopped(
                f"a worker ended ({_cause(sender)}) before it made anything; "
                f"{sender.last_words() or 'it said nothing'}"
            )
        if isinstance(message, worker.Broken):
            raise _as_raised(message)
        return message

    def _give(self, one: _Worker, task: Task | None) -> None:
        one.task = task
        one.touching = ""
        if task:
            one.send(worker.Work(task))

    def _replace(self, dead: _Worker) -> Iterator[WorkerEnded]:
        """Start a worker for one that died, and give it the dead one's shard."""
        task = dead.task
        cause, last_words = self._bury(dead)
        if task is None:
            return
        tries = self._tries[task.shard] = self._tries.get(task.shard, 0) + 1
        if dead.touching:
            task.avoid[dead.touching] = _ended_by(cause)
            self._tries[task.shard] = 1
        elif tries > TRIES:
            raise Stopped(f"workers keep ending ({cause}) without touching an image; {last_words}")
        task.careful = tries >= TRIES or bool(task.avoid)
        yield WorkerEnded(task.shard, cause)
        self._give(self._start(), task)

    def _bury(self, dead: _Worker) -> tuple[str, str]:
        """Forget a worker that died; return how it ended and what it said last."""
        self._workers.remove(dead)
        if dead.process.stdin:
            _close_quietly(dead.process.stdin)
        last_words = dead.last_words()
        dead.complaints.close()
        return _cause(dead), last_words


def _complaints() -> IO[bytes]:
    """Return a file for what a worker writes to its standard error."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        # No room in the system's temporary folder: a run needs nothing of it but this.
        return open(os.devnull, "w+b")


def _ended_by(cause: str) -> str:
    return f"a worker ended ({cause}) while it worked on this image"


def _cause(one: _Worker) -> str:
    try:
        code = one.process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # It lives but can't be understood.
        one.process.kill()
        code = one.process.wait()
    if code < 0:
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"
    return f"exit code {code}"


def _as_raised(broken: worker.Broken) -> Exception:
    broken.error.add_note(f"in a worker:\n{broken.trace}")
    return broken.error


def _close_quietly(channel: IO[bytes]) -> None:
    with contextlib.suppress(OSError):
        channel.close()
