"""Worker processes that share nothing.

A crashed worker breaks neither the others nor the run, and none outlives its parent.
"""

from __future__ import annotations

import contextlib
import math
import pickle
import queue
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from augcli.data.manifest import Failure
from augcli.data.stopping import carry_on, refused_by_system
from augcli.errors import Stopped
from augcli.files import is_url, open_null
from augcli.work import worker
from augcli.work.child import holding_signals, module_command, module_environment
from augcli.work.events import NeedsDonors, Overdue, ShardDone, Touching, WorkerEnded
from augcli.work.pool import InThisProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from augcli.data.stopping import Checkpoint
    from augcli.data.stores.sources import Source
    from augcli.plan.jobs import Task
    from augcli.work.events import Event
    from augcli.work.pool import Pool
    from augcli.work.questions import Asked
    from augcli.work.settings import MakeSettings, ReadSettings

TRIES = 2
"""Times that a shard may end its worker before its images are announced one by one."""
MOST_ENDED = 12
"""Workers that may end one after the other, with no answer between them."""
STOP_SECONDS = 1.0
"""How long workers may finish the image they are at, when a run is stopped."""
LOOK_SECONDS = 0.1
"""How long the parent waits for an event before it looks whether the run is to be stopped."""
QUEUED = 2
"""Shards that a worker knows before their turn, where sources or outputs lie far away: they are
read ahead."""
PATIENCE = 2.0
"""Times the limit for the largest picture after which a silent worker is ended by its parent."""


@dataclass(eq=False)
class _Worker:
    """One worker process, as its parent sees it.

    Attributes:
        process: The process.
        errors: What it writes to its standard error.
        tasks: The shards that it was given, by name, and that are not committed.
        queued: Those of them that it has not begun, in order.
        at: The shard that it makes.
        asked: The sources that it is asked about.
        is_ready: Whether it has begun to serve.
        touching: The source that a careful worker is at.
        failure: How the source failed that it was at for too long.
        silent: Seconds since its last event, while it had something to do.
        is_lost: Whether it was silent for so long that its parent ended it.
    """

    process: subprocess.Popen[bytes]
    errors: IO[bytes]
    tasks: dict[str, Task] = field(default_factory=dict)
    queued: dict[str, None] = field(default_factory=dict)
    at: str = ""
    asked: list[Source] = field(default_factory=list)
    is_ready: bool = False
    touching: str = ""
    failure: Failure | None = None
    silent: float = 0.0
    is_lost: bool = False

    @property
    def is_busy(self) -> bool:
        """Whether an event must come from it."""
        return bool(self.tasks or self.asked or not self.is_ready)

    @property
    def is_careful(self) -> bool:
        """Whether it makes a shard image by image, because that ended a worker."""
        return any(task.careful for task in self.tasks.values())

    def take(self, task: Task) -> None:
        """Give it a shard."""
        self.tasks[task.shard] = task
        self.queued[task.shard] = None
        self.touching = ""
        self.send(worker.Work(task))

    def begin(self, shard: str) -> None:
        """Note that it makes a shard from now on."""
        self.at = shard
        self.queued.pop(shard, None)

    def drop(self, shard: str) -> None:
        """Note that it is done with a shard."""
        self.tasks.pop(shard, None)
        if self.at == shard:
            self.at = ""

    def send(self, message: Any) -> None:
        assert self.process.stdin
        try:
            pickle.dump(message, self.process.stdin, pickle.HIGHEST_PROTOCOL)
            self.process.stdin.flush()
        except (BrokenPipeError, OSError):
            pass  # it died: its reader says so

    def last_words(self) -> str:
        """Return the last line that it wrote to its standard error."""
        self.errors.seek(0)
        lines = self.errors.read()[-2000:].decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""


def local_pool(settings: ReadSettings, workers: int, checkpoint: Checkpoint = carry_on) -> Pool:
    """Return what does the work on this machine: so many processes, or this one where it is 0.

    Args:
        settings: How sources are read and scored.
        workers: How many processes.
        checkpoint: Called between two events; what it raises ends the work.

    Raises:
        ScorerError: A worker could not load the scorer.
        Stopped: A worker could not start.
    """
    if not workers:
        return InThisProcess(settings, checkpoint)
    return Processes(settings, workers, checkpoint)


class Processes:
    """Worker processes, each with its own scorer; see :class:`augcli.work.pool.Pool`.

    Args:
        settings: How sources are read and scored.
        count: How many workers.
        checkpoint: Called between two events; what it raises ends the work.

    Raises:
        ScorerError: A worker could not load the scorer.
        Stopped: The system gives no process, no thread or no memory.
    """

    def __init__(
        self, settings: ReadSettings, count: int, checkpoint: Checkpoint = carry_on
    ) -> None:
        self._settings = settings
        self._checkpoint = checkpoint
        self._patience = PATIENCE * settings.seconds_for(settings.max_pixels) or math.inf
        self._looked = time.monotonic()
        self._making: MakeSettings | None = None
        self._events: queue.SimpleQueue[tuple[_Worker, Any]] = queue.SimpleQueue()
        self._workers: list[_Worker] = []
        self._tries: dict[str, int] = {}
        try:
            for _ in range(count):
                self._start()
            for _ in range(count):
                self._wait_for_start()
        except BaseException:
            self.close()
            raise

    def ask(self, question: Asked, batches: Iterator[list[Source]]) -> Iterator[tuple[str, Any]]:
        """See :class:`augcli.work.pool.Pool`."""
        again: list[list[Source]] = []
        ended = 0

        def ask(member: _Worker) -> None:
            member.asked = again.pop() if again else next(batches, [])
            if member.asked:
                member.send(worker.Ask(question(member.asked)))

        for member in self._workers:
            ask(member)
        while any(member.asked for member in self._workers):
            sender, message = self._next_event()
            sources = sender.asked
            if message is None:
                cause, error_text = self._bury(sender)
                ended += 1
                if ended > MOST_ENDED:
                    raise Stopped(f"workers keep ending ({cause}); {error_text}")
                failure = sender.failure
                if not failure and len(sources) == 1:
                    failure = Failure(sources[0].path, "worker", _ended_by(cause))
                if failure:
                    others = [source for source in sources if source.path != failure.source]
                    again += [others] if others else []
                else:
                    # One of these did it: asked for one by one, they will show which.
                    again += [[source] for source in reversed(sources)]
                ask(self._start())
                if failure:
                    yield failure.source, failure
            elif isinstance(message, worker.Answers):
                ended = 0
                ask(sender)
                for source, answer in zip(sources, message.answers, strict=True):
                    yield source.path, answer

    def work(
        self, settings: MakeSettings, tasks: Iterator[Task], widen: Callable[[Task], Task]
    ) -> Iterator[Event]:
        """See :class:`augcli.work.pool.Pool`."""
        self._making = settings
        planned: deque[Task] = deque()
        far = bool(self._settings.read_ahead) or is_url(settings.out)

        def give(member: _Worker) -> None:
            """Give a worker what it makes next, and what it is to go on with."""
            while not member.is_careful:
                # Near the end, no shard waits for a worker while another one has nothing to do.
                waiting = QUEUED if far else int(len(planned) > len(self._workers))
                if len(member.queued) >= (0 if member.at else 1) + waiting:
                    return
                task = planned.popleft() if planned else next(tasks, None)
                if task is None:
                    return
                member.take(task)

        for member in self._workers:
            member.send(worker.Begin(settings))
        for member in self._workers:
            give(member)
        while any(member.tasks for member in self._workers):
            # Planned while the workers are busy, so that none waits for its next shard.
            while self._events.empty() and len(planned) <= len(self._workers):
                task = next(tasks, None)
                if task is None:
                    break
                planned.append(task)
                for member in self._workers:
                    give(member)
            sender, message = self._next_event()
            if message is None:
                yield from self._replace(sender, planned)
                continue
            if isinstance(message, Touching):
                sender.touching = message.path
                continue
            if isinstance(message, worker.Begun):
                sender.begin(message.shard)
                give(sender)
                continue
            if isinstance(message, NeedsDonors):
                sender.drop(message.task.shard)
                sender.take(widen(message.task))
                continue
            if isinstance(message, ShardDone):
                sender.drop(message.shard)
                give(sender)
            yield message

    def close(self) -> None:
        """See :class:`augcli.work.pool.Pool`."""
        try:
            for member in self._workers:
                member.send(None)
                if member.process.stdin and not member.tasks:
                    _close_quietly(member.process.stdin)
            deadline = time.monotonic() + STOP_SECONDS
            for member in self._workers:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    member.process.wait(max(0.0, deadline - time.monotonic()))
        finally:
            # Also where Ctrl-C comes once more from Python.
            for member in self._workers:
                member.process.kill()
            for member in self._workers:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    member.process.wait(STOP_SECONDS)
                if member.process.stdin:
                    _close_quietly(member.process.stdin)
                member.errors.close()
            self._workers = []

    def _start(self) -> _Worker:
        errors = _errors_file()
        try:
            with holding_signals():
                process = subprocess.Popen(
                    module_command("augcli.work.worker"),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=module_environment(),
                )
        except OSError as error:
            errors.close()
            raise Stopped(
                f"a worker process can't be started ({error.strerror}); "
                "give fewer with `workers`, then run the same command again to continue"
            ) from None
        member = _Worker(process, errors)
        self._workers.append(member)
        try:
            threading.Thread(target=self._listen, args=(member,), daemon=True).start()
        except RuntimeError as error:
            assert process.stdout
            process.stdout.close()
            raise refused_by_system(error) or error from None
        member.send(worker.SetUp(self._settings))
        if self._making:
            member.send(worker.Begin(self._making))
        return member

    def _listen(self, member: _Worker) -> None:
        """Pass on a worker's events; None when it is gone."""
        assert member.process.stdout
        with member.process.stdout as channel:
            try:
                while True:
                    self._events.put((member, pickle.load(channel)))
            except Exception:  # broken bytes lead pickle to any error; all mean the same here
                self._events.put((member, None))

    def _next_event(self) -> tuple[_Worker, Any]:
        """Return the next event and its worker; None in its place when the worker is gone."""
        while True:
            sender, message = self._next()
            if isinstance(message, Overdue):
                sender.failure = message.failure
            elif not isinstance(message, worker.Ready):
                return sender, message

    def _next(self) -> tuple[_Worker, Any]:
        """Return the next message and its worker."""
        while True:
            self._checkpoint()
            self._end_silent_workers()
            try:
                sender, message = self._events.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                continue
            sender.silent = 0.0
            if isinstance(message, worker.Broken):
                raise _as_raised(message)
            if isinstance(message, worker.Ready):
                sender.is_ready = True
            return sender, message

    def _end_silent_workers(self) -> None:
        """End workers that should have sent something long ago, and whose own clock stands."""
        now = time.monotonic()
        passed = now - self._looked
        if passed < LOOK_SECONDS:
            return
        self._looked = now
        for member in self._workers:
            # Where this process was stopped meanwhile, the workers were too.
            member.silent += min(passed, 2 * LOOK_SECONDS) if member.is_busy else 0
            if member.silent > self._patience:
                member.is_lost = True
                member.process.kill()

    def _wait_for_start(self) -> None:
        """Wait until a worker is set up."""
        sender, message = self._next()
        if message is None:
            raise Stopped(
                f"a worker ended ({_cause(sender)}) before it made anything: "
                f"{sender.last_words() or 'it wrote no error'}; fix that, free memory or give "
                "fewer with `workers`, then run the same command again"
            )

    def _replace(self, dead: _Worker, planned: deque[Task]) -> Iterator[WorkerEnded]:
        """Start a worker for one that died, and give it the shard at which it did.

        Its other shards, not begun or not committed, go back to those that are planned.
        """
        cause, error_text = self._bury(dead)
        if not dead.tasks:
            return
        task = dead.tasks.pop(dead.at or next(iter(dead.tasks)))
        planned.extendleft(reversed(dead.tasks.values()))
        tries = self._tries[task.shard] = self._tries.get(task.shard, 0) + 1
        failure = dead.failure
        if not failure and dead.touching:
            failure = Failure(dead.touching, "worker", _ended_by(cause))
        if failure:
            task.avoid[failure.source] = failure
            self._tries[task.shard] = 1
        elif tries > TRIES:
            raise Stopped(f"workers keep ending ({cause}) without touching an image; {error_text}")
        task.careful = tries >= TRIES or bool(task.avoid)
        yield WorkerEnded(task.shard, cause)
        self._start().take(task)

    def _bury(self, dead: _Worker) -> tuple[str, str]:
        """Forget a worker that died; return how it ended and its standard error."""
        self._workers.remove(dead)
        dead.asked = []
        if dead.process.stdin:
            _close_quietly(dead.process.stdin)
        error_text = dead.last_words()
        dead.errors.close()
        return _cause(dead), error_text


def _errors_file() -> IO[bytes]:
    """Return a file for what a worker writes to its standard error."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return open_null()  # no room in the system's temporary folder


def _ended_by(cause: str) -> str:
    return f"a worker ended ({cause}) while it worked on this image"


def _cause(member: _Worker) -> str:
    try:
        code = member.process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # It lives but can't be understood.
        member.process.kill()
        code = member.process.wait()
    if member.failure:
        return "time limit"
    if member.is_lost:
        return "no answer"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"exit code {code}"


def _as_raised(broken: worker.Broken) -> Exception:
    refused = refused_by_system(broken.error)
    if refused:
        return refused
    broken.error.add_note(f"in a worker:\n{broken.trace}")
    return broken.error


def _close_quietly(channel: IO[bytes]) -> None:
    with contextlib.suppress(OSError):
        channel.close()
