"""A worker process: reads tasks on its standard input, writes events on its standard output.

Started with ``python -m augcli.work.worker``, not with multiprocessing, so that a script that
calls :func:`augcli.augment` needs no ``if __name__ == "__main__"`` and one crash breaks
nothing else. It ends with its parent: when the parent is gone, standard input closes.
"""

from __future__ import annotations

import gc
import os
import pickle
import queue
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from augcli.work.child import end_with_parent, ignore_signals

if TYPE_CHECKING:
    from augcli.plan.jobs import Task
    from augcli.work.questions import Question
    from augcli.work.reading import Reader
    from augcli.work.settings import MakeSettings, ReadSettings
    from augcli.work.shard_maker import ShardMaker


SPARE_MEMORY = 256 << 20
"""Bytes that a worker does not need now and does not give back to the system."""


NEW_OBJECTS = 20_000
"""Objects that come before Python looks for cycles among them."""


class SetUp(NamedTuple):
    """To a worker: how sources are read and scored; it answers with :class:`Ready`."""

    settings: ReadSettings


class Ask(NamedTuple):
    """To a worker: answer a question; it answers with :class:`Answers`."""

    question: Question


class Begin(NamedTuple):
    """To a worker: what is made of the sources from now on."""

    settings: MakeSettings


class Work(NamedTuple):
    """To a worker: make a shard."""

    task: Task


class Begun(NamedTuple):
    """From a worker: it makes a shard from now on."""

    shard: str


class Ready(NamedTuple):
    """From a worker: set up, the scorer is loaded."""


class Answers(NamedTuple):
    """From a worker: the answer for each source of a question, in order."""

    answers: list[Any]


class Broken(NamedTuple):
    """From a worker: it failed and can't continue."""

    error: Exception
    trace: str


def main() -> None:
    """Serve tasks until standard input closes."""
    # The workers are the parallelism: libraries must not start threads of their own. Set before
    # NumPy and OpenCV are imported, which read it then, and never in the parent.
    for library in ("OPENBLAS", "OMP", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    # A signal may reach the whole group; the parent decides what it means.
    ignore_signals()
    end_with_parent()
    if sys.platform == "linux":
        _keep_memory()
    answers = os.fdopen(os.dup(1), "wb")
    # What a C library prints must not end up between the events.
    os.dup2(2, 1)
    tasks = _Inbox()
    stopping = threading.Event()
    threading.Thread(target=_receive, args=(sys.stdin.buffer, tasks, stopping), daemon=True).start()

    lock = threading.Lock()

    def answer(message: Any) -> None:
        with lock:
            pickle.dump(message, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()

    try:
        _serve(tasks, answer, stopping)
    except BrokenPipeError:
        os._exit(3)


def _keep_memory() -> None:
    """Let the C library keep the memory of a picture for the next one.

    By default it gives every large block back and asks for it anew, and the kernel clears each
    page of it again: a tenth of a photo's time.
    """
    import ctypes  # noqa: PLC0415

    trim_threshold, mmap_max = -1, -4
    libc = ctypes.CDLL(None)
    # Not every C library has it.
    if hasattr(libc, "mallopt"):
        libc.mallopt(mmap_max, 0)
        libc.mallopt(trim_threshold, SPARE_MEMORY)


def _collect_seldom() -> None:
    """Let Python seldom look for cycles of objects: a picture leaves none behind.

    By default it goes through the records of a shard, and through all that was imported, every few
    pictures: a twentieth of a small picture's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)


class _Inbox:
    """Messages of the parent, in order; shards may be looked at before their turn."""

    def __init__(self) -> None:
        self._arriving: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._here: deque[Any] = deque()
        self._seen = 0

    def put(self, message: Any) -> None:
        """Add a message; by any thread."""
        self._arriving.put(message)

    def is_empty(self) -> bool:
        """Return whether no message is there."""
        return not self._here and self._arriving.empty()

    def get(self) -> Any:
        """Return the next message, when there is one."""
        if not self._here:
            self._here.append(self._arriving.get())
        self._seen = max(0, self._seen - 1)
        return self._here.popleft()

    def coming(self) -> Task | None:
        """Return the shard after those that were returned, if it is known."""
        while not self._arriving.empty():
            self._here.append(self._arriving.get())
        message = self._here[self._seen] if self._seen < len(self._here) else None
        if not isinstance(message, Work):
            return None
        self._seen += 1
        return message.task.filled()


def _serve(tasks: _Inbox, answer: Any, stopping: threading.Event) -> None:
    import traceback  # noqa: PLC0415

    import cv2  # noqa: PLC0415 - after the environment is set

    from augcli.data.codecs.silence import SILENCE  # noqa: PLC0415
    from augcli.work.reading import Reader  # noqa: PLC0415
    from augcli.work.shard_maker import StopAsked  # noqa: PLC0415

    cv2.setNumThreads(1)
    SILENCE.is_needed = False
    reader: Reader | None = None
    maker: ShardMaker | None = None
    while True:
        message = tasks.get()
        try:
            match message:
                case SetUp(settings):
                    reader = Reader(settings)
                    if settings.timeout:
                        _watch_time(reader, answer)
                    answer(Ready())
                case Ask(question):
                    assert reader
                    reader.expect(question.sources)
                    answers = question.answer(reader)
                    reader.turn_to("")
                    answer(Answers(answers))
                case Begin(settings):
                    assert reader
                    maker = shard_maker(reader, settings, behind=True)
                    _collect_seldom()
                case Work(task):
                    assert maker
                    answer(Begun(task.shard))
                    maker.make_shard(task.filled(), answer, stopping.is_set, tasks.coming)
                    if tasks.is_empty():
                        maker.commits.wait()
        except StopAsked:
            os._exit(0)
        except BrokenPipeError:
            raise
        except Exception as error:
            answer(Broken(error, traceback.format_exc()))


def _watch_time(reader: Reader, answer: Any) -> None:
    from augcli.work.time_limit import end_when_overdue  # noqa: PLC0415 - imports decoders

    threading.Thread(target=end_when_overdue, args=(reader, answer), daemon=True).start()


def shard_maker(reader: Reader, settings: MakeSettings, *, behind: bool = False) -> ShardMaker:
    """Return what makes shards, with the sink that the settings name.

    Args:
        reader: Reads sources.
        settings: What is made of them.
        behind: Whether shards that lie far away may be committed while others are made.

    Raises:
        Stopped: OUT is not the folder any more that the run began in.
    """
    from augcli.data.output import output_files  # noqa: PLC0415
    from augcli.data.sinks.opening import open_sink  # noqa: PLC0415
    from augcli.errors import Stopped  # noqa: PLC0415
    from augcli.files import is_url  # noqa: PLC0415
    from augcli.work.commits import MOST_BEHIND, Commits  # noqa: PLC0415
    from augcli.work.shard_maker import ShardMaker  # noqa: PLC0415

    files = output_files(settings.out, settings.fsync)
    try:
        is_same = files.identity() == settings.out_identity
    except OSError:
        is_same = False
    if not is_same:
        raise Stopped(
            f"OUT {settings.out} was removed while it was being written; "
            "run the same command again to make it anew"
        )
    sink = open_sink(settings.to, files, settings.data_set)
    most = MOST_BEHIND if behind and is_url(settings.out) else 0
    return ShardMaker(reader, settings, sink, Commits(most))


def _receive(channel: BinaryIO, tasks: _Inbox, stopping: threading.Event) -> None:
    """Pass on what the parent sends; end with it."""
    try:
        while True:
            message = pickle.load(channel)
            if message is None:
                stopping.set()
            else:
                tasks.put(message)
    except (EOFError, OSError, pickle.UnpicklingError):
        os._exit(3)


if __name__ == "__main__":
    # Not this module's own classes, which would be those of ``__main__``: the parent knows them
    # as augcli.work.worker's.
    from augcli.work.worker import main as serve

    serve()
