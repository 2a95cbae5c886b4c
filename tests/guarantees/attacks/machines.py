"""Signals, and workers that are stopped, killed or ended."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.guarantees.attacks.registry import each
from tests.guarantees.attacks.system import children

if TYPE_CHECKING:
    import subprocess

    from tests.guarantees.attacks.arena import Arena

COPIES = ("--copies", 150)


def _workers(arena: Arena, *more: object) -> tuple[subprocess.Popen[str], list[int]]:
    process = arena.start(*arena.cutout, *COPIES, "--workers", 2, *more)
    arena.wait(lambda: any(arena.out.glob("cat/*")) or process.poll() is not None)
    return process, children(process.pid)


def _whole(arena: Arena) -> None:
    arena.run(*arena.cutout, *COPIES, code={0, 1})
    arena.is_clean(*arena.cutout[:-2], *COPIES)
    arena.verify()


def _send(process: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)


@each(
    hang_up=(signal.SIGHUP, {0, 3, 129, 143, -1}),
    interrupt=(signal.SIGINT, {0, 130}),
    terminate=(signal.SIGTERM, {0, 143}),
    pipe=(signal.SIGPIPE, {0}),
    alarm=(signal.SIGALRM, {0, -14}),
    user=(signal.SIGUSR1, {0, -10}),
    window=(signal.SIGWINCH, {0}),
    child=(signal.SIGCHLD, {0}),
    urgent=(signal.SIGURG, {0}),
    terminal=(signal.SIGTTOU, {0}),
)
def signal_to_the_run(arena: Arena, case: tuple[signal.Signals, set[int]]) -> None:
    number, codes = case
    process, _ = _workers(arena)
    _send(process.pid, number)
    if number == signal.SIGTTOU:
        _send(process.pid, signal.SIGCONT)
    arena.end(process, code=codes)
    _whole(arena)


@each(
    interrupt=signal.SIGINT,
    terminate=signal.SIGTERM,
    hang_up=signal.SIGHUP,
    kill=signal.SIGKILL,
    quit=signal.SIGQUIT,
    fault=signal.SIGSEGV,
    bus=signal.SIGBUS,
    abort=signal.SIGABRT,
    pipe=signal.SIGPIPE,
    user=signal.SIGUSR2,
)
def signal_to_a_worker(arena: Arena, number: signal.Signals) -> None:
    process, workers = _workers(arena)
    for worker in workers[-1:]:
        _send(worker, number)
    end = arena.end(process, code={0, 1, 3})
    arena.check("no image of content fails", end.code != 1 or "decode" not in end.err, end.err)
    _whole(arena)


def workers_killed_again_and_again(arena: Arena) -> None:
    process, _ = _workers(arena)
    deadline = time.monotonic() + 5
    while process.poll() is None and time.monotonic() < deadline:
        for worker in children(process.pid):
            _send(worker, signal.SIGKILL)
        time.sleep(0.15)
    arena.end(process, code={0, 1, 3})
    _whole(arena)


def worker_stopped_and_continued(arena: Arena) -> None:
    process, workers = _workers(arena)
    for worker in workers:
        _send(worker, signal.SIGSTOP)
    time.sleep(1)
    for worker in workers:
        _send(worker, signal.SIGCONT)
    arena.end(process, code=0)
    arena.is_clean(*arena.cutout[:-2], *COPIES)


def worker_stopped_for_ever(arena: Arena) -> None:
    """The time limit of an image replaces it."""
    process, workers = _workers(arena, "--timeout", 1)
    for worker in workers[:1]:
        _send(worker, signal.SIGSTOP)
    arena.end(process, code={0, 1, 3})
    _whole(arena)


def worker_stopped_when_the_run_is_interrupted(arena: Arena) -> None:
    process, workers = _workers(arena)
    for worker in workers:
        _send(worker, signal.SIGSTOP)
    begun = time.monotonic()
    _send(process.pid, signal.SIGTERM)
    end = arena.end(process, code={0, 143})
    spent = time.monotonic() - begun
    arena.check("within 2 s", spent < 2.5 * arena.slow, f"{spent:.1f} s, {end.err}")
    time.sleep(0.2)
    alive = [worker for worker in workers if Path(f"/proc/{worker}").exists()]
    arena.check("no process is left", not alive, alive)
    _whole(arena)


def stopped_and_continued(arena: Arena) -> None:
    process, _ = _workers(arena)
    for _ in range(5):
        os.killpg(process.pid, signal.SIGSTOP)
        time.sleep(0.1)
        os.killpg(process.pid, signal.SIGCONT)
        time.sleep(0.05)
    arena.end(process, code=0)
    arena.is_clean(*arena.cutout[:-2], *COPIES)


def a_storm_of_harmless_signals(arena: Arena) -> None:
    process, _ = _workers(arena)
    while process.poll() is None:
        for number in (signal.SIGWINCH, signal.SIGCHLD, signal.SIGCONT, signal.SIGURG):
            _send(process.pid, number)
        time.sleep(0.001)
    arena.end(process, code=0)
    arena.is_clean(*arena.cutout[:-2], *COPIES)


@each(**{f"{number}_ms": number for number in (0, 30, 80, 150, 250, 400)})
def terminated_early(arena: Arena, milliseconds: int) -> None:
    process = arena.start(*arena.cutout, "--workers", 2, "--copies", 50)
    time.sleep(0.05 + milliseconds / 1000)
    _send(process.pid, signal.SIGTERM)
    end = arena.end(process, code={0, 143, -15})
    arena.check("no word from a library", "Error" not in end.err, end.err)
    arena.run(*arena.cutout, "--copies", 50, code=0)
    arena.is_clean(*arena.cutout[:-2], "--copies", 50)


@each(
    ignored_interrupt="trap '' INT",
    ignored_terminate="trap '' TERM",
    ignored_hang_up="trap '' HUP",
    ignored_child="trap '' CHLD",
    ignored_pipe="trap '' PIPE",
)
def signals_that_are_ignored_already(arena: Arena, shell: str) -> None:
    arena.run(*arena.cutout, "--workers", 2, code=0, shell=shell)
    arena.recovers()


def parent_dies(arena: Arena) -> None:
    """The run's own parent, a shell, is killed: the run ends or is made, and no worker is left."""
    words = " ".join(map(str, (*arena.cutout, *COPIES, "--workers", 2)))
    process = arena.start_python(
        "-c",
        "import os, subprocess, sys\n"
        f"subprocess.Popen([sys.executable, '-P', '-m', 'augcli', *{words.split()!r}])\n"
        "os._exit(0)",
    )
    process.communicate()
    arena.wait((arena.out / "parts.jsonl.gz").exists, "the run comes to its end")
    arena.wait(lambda: not (arena.out / ".augcli").exists(), "and cleans up")
    arena.is_clean(*arena.cutout[:-2], *COPIES)


def run_killed_with_its_workers_stopped(arena: Arena) -> None:
    process, workers = _workers(arena)
    for worker in workers:
        _send(worker, signal.SIGSTOP)
    process.kill()
    process.communicate()
    for worker in workers:
        _send(worker, signal.SIGCONT)
    arena.wait(
        lambda: all(not Path(f"/proc/{worker}").exists() for worker in workers),
        "workers end with the run",
    )
    _whole(arena)


def heat_maps_interrupted(arena: Arena) -> None:
    maps = arena.folder / "maps.npz"
    words = ("heatmaps", arena.photos, "--workers", 1, "--out", maps)
    process = arena.start(*words)
    time.sleep(0.7)
    _send(process.pid, signal.SIGINT)
    arena.end(process, code={0, 130})
    arena.run(*words, code=0, changes=(maps,))
