"""A worker process: reads tasks on its standard input, writes events on its standard output.

Started with ``python -m augcli.work.worker``, not with multiprocessing, so that a script that
calls :func:`augcli.augment` needs no ``if __name__ == "__main__"`` and one crash breaks
nothing else. It ends with its parent: when the parent is gone, standard input closes.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from augcli.plan.jobs import Settings, Task
    from augcli.recipes.chain import Chain


MOST_KEPT = 256 << 20
"""Bytes that a worker does not need now and keeps all the same."""


class SetUp(NamedTuple):
    """To a worker: what to do; it answers with :class:`Ready`."""

    settings: Settings


class Measure(NamedTuple):
    """To a worker: estimate the mean colours of sources; it answers with :class:`Answers`."""

    paths: list[str]


class Score(NamedTuple):
    """To a worker: give or prepare heat maps of sources; it answers with :class:`Answers`."""

    paths: list[str]


class Use(NamedTuple):
    """To a worker: go on with another chain."""

    chain: Chain


class Work(NamedTuple):
    """To a worker: make a shard."""

    task: Task


class Ready(NamedTuple):
    """From a worker: set up, the scorer is loaded."""


class Answers(NamedTuple):
    """From a worker: what was asked for, of each source in order."""

    answers: list[Any]


class Broken(NamedTuple):
    """From a worker: it can't go on."""

    error: Exception
    trace: str


def main() -> None:
    """Serve tasks until standard input closes."""
    # The workers are the parallelism: libraries must not start threads of their own. Set before
    # NumPy and OpenCV are imported, which read it then, and never in the parent.
    for library in ("OPENBLAS", "OMP", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    # Ctrl-C reaches the whole group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        _end_with_parent()
        _keep_memory()
    answers = os.fdopen(os.dup(1), "wb")
    # What a C library prints must not end up between the events.
    os.dup2(2, 1)
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stopping = threading.Event()
    threading.Thread(target=_receive, args=(sys.stdin.buffer, tasks, stopping), daemon=True).start()

    def answer(message: Any) -> None:
        pickle.dump(message, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()

    try:
        _serve(tasks, answer, stopping)
    except BrokenPipeError:
        os._exit(3)


def _end_with_parent() -> None:
    """Let Linux end this process the moment its parent is gone, whatever it is at."""
    import ctypes  # noqa: PLC0415 - NumPy imports it anyway

    death_signal = 1
    ctypes.CDLL(None).prctl(death_signal, signal.SIGKILL)


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
        libc.mallopt(trim_threshold, MOST_KEPT)


def _serve(tasks: queue.SimpleQueue[Any], answer: Any, stopping: threading.Event) -> None:
    import traceback  # noqa: PLC0415

    import cv2  # noqa: PLC0415 - after the environment is set

    from augcli.work.workbench import StopAsked, Workbench  # noqa: PLC0415

    cv2.setNumThreads(1)
    bench: Workbench | None = None
    while True:
        message = tasks.get()
        try:
            match message:
                case SetUp(settings):
                    bench = Workbench(settings)
                    answer(Ready())
                case Measure(paths):
                    assert bench
                    answer(Answers(bench.mean_colours(paths)))
                case Score(paths):
                    assert bench
                    answer(Answers(bench.scored(paths)))
                case Use(chain):
                    assert bench
                    bench.use(chain)
                case Work(task):
                    assert bench
                    bench.make_shard(task, answer, stopping.is_set)
        except StopAsked:
            os._exit(0)
        except BrokenPipeError:
            raise
        except Exception as error:
            answer(Broken(error, traceback.format_exc()))


def _receive(channel: BinaryIO, tasks: queue.SimpleQueue[Any], stopping: threading.Event) -> None:
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
