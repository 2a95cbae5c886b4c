"""Commands in processes that are forks of one which has imported everything.

So a command starts within milliseconds, is a process of its own all the same, and can be ended at
an exact instant: before the n-th of its calls that change a folder. The process that forks has no
threads; it is started with ``python -m tests.guarantees.forks`` and takes one command a line.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from augcli.cli.app import application
from augcli.cli.app import main as augcli
from tests.command import ROOT, Outcome, environment
from tests.photos import class_folders

if TYPE_CHECKING:
    from types import TracebackType

LIMIT = 60
"""Seconds after which a command hangs."""
CHANGES = frozenset({"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link"})
DROPPED = (1, 2)
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: what lets root read everything."""
SET_BOUNDS = 24
"""PR_CAPBSET_DROP"""
VERSION_3 = 0x20080522
"""_LINUX_CAPABILITY_VERSION_3"""


@dataclass(frozen=True)
class Ending:
    """How a command is ended from outside.

    Attributes:
        number: The signal: SIGINT or SIGKILL.
        moment: Which change to a folder it comes before, counted from 1. With worker processes,
            which change themselves: after how many outputs.
    """

    number: int
    moment: int

    def __str__(self) -> str:
        return f"{signal.Signals(self.number).name} at change {self.moment}"


class Forks:
    """Runs the command line in forks; a context manager.

    Attributes:
        can_hide: Whether there is a way to make files unreadable for commands; not for a root
            that can't give up its rights.
    """

    can_hide: bool

    def __enter__(self) -> Forks:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.guarantees.forks"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(OPENBLAS_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1"),
        )
        assert self._server.stdout
        self.can_hide = json.loads(self._server.stdout.readline())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.close()
        self._server.wait(LIMIT)
        self._server.stdout.close()

    def run(
        self, arguments: list[str], cwd: str, out: str = "", ending: Ending | None = None
    ) -> Outcome:
        """Run a command without the rights of root over files; return how it ended.

        Args:
            arguments: Of augcli.
            cwd: The current folder.
            out: Where its outputs go, for an ending with worker processes.
            ending: How it is ended; None lets it end by itself.
        """
        order = {
            "arguments": arguments,
            "cwd": cwd,
            "out": out,
            "ending": asdict(ending) if ending else None,
        }
        assert self._server.stdin
        assert self._server.stdout
        print(json.dumps(order), file=self._server.stdin, flush=True)
        return Outcome(*json.loads(self._server.stdout.readline()))


def serve() -> None:
    """Run one command for each line of standard input; answer with a line."""
    _import_all()
    print(json.dumps(_can_hide()), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = os.fork()
            if not process:
                _be(order, out.fileno(), err.fileno())
            code = _end_of(process, order)
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode("utf-8", "replace"))
        print(json.dumps([code, *texts]), flush=True)


def _import_all() -> None:
    """Import what commands import, by running two of them; none of it starts a thread."""
    with tempfile.TemporaryDirectory() as folder:
        source = class_folders(Path(folder, "photos"), {"a": 1, "b": 1}, side=8)
        out = ["--out", f"{folder}/out", "--workers", "0", "--quiet"]
        for command in (
            ["cutmix", str(source), "--region", "cells", *out],
            ["verify", f"{folder}/out", "--against", str(source), "--json"],
        ):
            with contextlib.redirect_stdout(io.StringIO()):
                application()(command, standalone_mode=False)


def _be(order: dict[str, Any], out: int, err: int) -> NoReturn:
    """Be the command: in the fork."""
    code = 99
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.chdir(order["cwd"])
        signal.alarm(LIMIT)
        _be_no_root()
        if order["ending"] and not _has_workers(order):
            _end_at(Ending(**order["ending"]))
        sys.argv = ["augcli", *order["arguments"]]
        augcli()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 98
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def _has_workers(order: dict[str, Any]) -> bool:
    arguments = order["arguments"]
    return "--workers" in arguments and arguments[arguments.index("--workers") + 1] != "0"


def _be_no_root() -> None:
    """Give up the right to read what permissions forbid, for workers too."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for right in DROPPED:
        libc.prctl(SET_BOUNDS, right, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(VERSION_3, 0)
    # Effective, permitted and inheritable, of rights 0 to 31 and then of those above.
    rights = (ctypes.c_uint32 * 6)()
    if libc.capget(header, rights) == 0:
        for index in range(3):
            for right in DROPPED:
                rights[index] &= ~(1 << right)
        libc.capset(header, rights)


def _can_hide() -> bool:
    """Return whether a command can't read a file without permissions."""
    with tempfile.NamedTemporaryFile() as file:
        os.chmod(file.name, 0)
        process = os.fork()
        if not process:
            _be_no_root()
            os._exit(os.access(file.name, os.R_OK))
        return os.waitpid(process, 0)[1] == 0


def _end_at(ending: Ending) -> None:
    """Send this process a signal right before one of its changes to a folder."""
    count = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        # Not where an open file gets an object, and not the null device.
        named = event == "open" and isinstance(arguments[0], str) and arguments[0] != os.devnull
        made = named and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT
        if made or event in CHANGES:
            count += 1
            if count == ending.moment:
                os.kill(os.getpid(), ending.number)

    sys.addaudithook(hook)


def _end_of(process: int, order: dict[str, Any]) -> int:
    """Wait for the end of a command, and bring it about where it has workers."""
    status = 0
    if order["ending"] and _has_workers(order):
        ending, begun = Ending(**order["ending"]), time.time()
        while not (found := os.waitpid(process, os.WNOHANG))[0]:
            if _outputs_since(order["out"], begun) >= ending.moment:
                if ending.number == signal.SIGKILL:
                    os.killpg(process, signal.SIGKILL)
                else:
                    os.kill(process, ending.number)
                found = os.waitpid(process, 0)
                break
            time.sleep(0.001)
        status = found[1]
    else:
        status = os.waitpid(process, 0)[1]
    with contextlib.suppress(ProcessLookupError):  # in most cases nobody was left behind
        os.killpg(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(status)


def _outputs_since(out: str, begun: float) -> int:
    """Return how many files below the folders of OUT are newer."""
    count = 0
    try:
        folders = [entry.path for entry in os.scandir(out) if entry.is_dir()]
        for folder in folders:
            for entry in os.scandir(folder):
                found = entry.stat(follow_symlinks=False)
                count += stat.S_ISREG(found.st_mode) and found.st_ctime >= begun
    except FileNotFoundError:
        pass  # not there yet, or not any more
    return count


if __name__ == "__main__":
    serve()
