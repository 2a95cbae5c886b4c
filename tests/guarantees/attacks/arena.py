"""The folder in which an attack runs, and the checks that every command there must pass."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.command import Outcome, environment
from tests.photos import class_folders, tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIMIT = 30.0
"""Seconds after which a command hangs."""
DOCUMENTED = frozenset({0, 1, 2, 3, 130, 143})
"""Exit codes that augcli may end with."""
PRECIOUS = ("1", "cat-b2ae7f79-cutout-0.jpg", "sub/run.json")


class Check(NamedTuple):
    """One thing that must hold.

    Attributes:
        held: Whether it does.
        what: What was expected, and what was found.
    """

    held: bool
    what: str


class Entry(NamedTuple):
    """What is known of one file, link or folder outside OUT."""

    mode: int
    size: int
    changed: int
    content: str


@dataclass
class Arena:
    """A fresh folder with INPUT, files of somebody else, and a place for OUT.

    Attributes:
        folder: Holds all of it, and nothing else.
        slow: How many times longer commands may take on a busy machine.
        checks: What was checked so far.
    """

    folder: Path
    slow: float = 1.0
    checks: list[Check] = field(default_factory=list)
    _processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        class_folders(self.photos, {"cat": 4, "dog": 3})
        for name in PRECIOUS:
            (self.precious / name).parent.mkdir(parents=True, exist_ok=True)
            (self.precious / name).write_bytes(b"mine")

    @property
    def photos(self) -> Path:
        """INPUT."""
        return self.folder / "photos"

    @property
    def out(self) -> Path:
        """OUT; it is not there at the start."""
        return self.folder / "out"

    @property
    def precious(self) -> Path:
        """Files of somebody else."""
        return self.folder / "precious"

    @property
    def cutout(self) -> tuple[object, ...]:
        """The command that most attacks run."""
        return ("cutout", self.photos, "--fill", "black", "--workers", 0, "--out", self.out)

    def check(self, what: str, held: bool, found: object = "") -> None:
        """Record a check."""
        shown = str(found)
        self.checks.append(Check(held, what if held or not shown else f"{what}: {shown[-1500:]}"))

    def run(
        self,
        *words: object,
        code: int | set[int] | None = None,
        says: str = "",
        changes: tuple[Path, ...] = (),
        silent: bool = False,
        **options: Any,
    ) -> Outcome:
        """Run a command, check how it ends and that it changed nothing outside OUT.

        Args:
            *words: The words of the command line.
            code: Exit codes that are right here; None for all that are documented.
            says: What the sentence on standard error holds.
            changes: Files and folders that it may change, besides OUT.
            silent: Whether it has no standard error to write to.
            **options: See :meth:`start`.
        """
        before = self.surroundings(*changes)
        process = self.start(*words, **options)
        end = self.end(process, code=code, says=says, silent=silent)
        after = self.surroundings(*changes)
        self.check("nothing outside OUT changed", before == after, _difference(before, after))
        return end

    def start(
        self, *words: object, shell: str = "", cwd: Path | None = None, **options: Any
    ) -> subprocess.Popen[str]:
        """Start a command as the leader of a process group.

        Args:
            *words: The words of the command line.
            shell: Commands of bash that come before it in the same process: limits, streams.
            cwd: Its current folder.
            **options: Of :class:`subprocess.Popen`.
        """
        return self.start_python("-P", "-m", "augcli", *words, shell=shell, cwd=cwd, **options)

    def start_python(
        self, *words: object, shell: str = "", cwd: Path | None = None, **options: Any
    ) -> subprocess.Popen[str]:
        """Start Python as the leader of a process group; see :meth:`start`."""
        command = [sys.executable, *map(_text, words)]
        if shell:
            command = ["/bin/bash", "-c", f'{shell}\nexec "$@"', "bash", *command]
        process = subprocess.Popen(
            command,
            **{
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                "text": True,
                "errors": "backslashreplace",
                "cwd": cwd or self.folder,
                "env": environment(),
                "start_new_session": True,
                **options,
            },
        )
        self._processes.append(process)
        return process

    def end(
        self,
        process: subprocess.Popen[str],
        *,
        code: int | set[int] | None = None,
        says: str = "",
        silent: bool = False,
    ) -> Outcome:
        """Wait for a command and check how it ends."""
        try:
            out, err = process.communicate(timeout=LIMIT * self.slow)
        except subprocess.TimeoutExpired:
            self.kill(process)
            out, err = process.communicate()
            self.check(f"ends within {LIMIT:.0f} s", False, err)
            return Outcome(-signal.SIGKILL, out or "", err or "")
        end = Outcome(process.returncode, out or "", err or "")
        wanted = DOCUMENTED if code is None else {code} if isinstance(code, int) else code
        self.check(f"exit code {_codes(wanted)}", end.code in wanted, f"{end.code}: {end.err}")
        self.check("no traceback", "Traceback (most recent" not in end.err + end.out, end.err)
        if end.code in (2, 3) and not silent:
            said = [line for line in end.err.splitlines() if line.startswith("augcli: ")]
            self.check("one sentence says why", len(said) == 1, end.err)
        if says:
            self.check(f"says {says!r}", says in end.err + end.out, end.err)
        return end

    def python(self, code: str, **options: Any) -> Outcome:
        """Run a program that uses the Python API; it must end with 0 and leave no trace outside."""
        before = self.surroundings()
        process = self.start_python("-c", code, **options)
        end = self.end(process, code=0)
        after = self.surroundings()
        self.check("nothing outside OUT changed", before == after, _difference(before, after))
        return end

    def surroundings(self, *changes: Path) -> dict[str, Entry]:
        """Return what lies in the folder outside OUT."""
        skipped = {os.fspath(path) for path in (self.out, *changes)}
        return dict(_entries(os.fspath(self.folder), skipped))

    def clean(self, *words: object, **options: Any) -> dict[str, bytes]:
        """Return what a command makes in an OUT that was never touched.

        Args:
            *words: Without OUT; :attr:`cutout` where there are none.
            **options: See :meth:`start`.
        """
        command = words or self.cutout[:-2]
        with self.scratch() as out:
            self.end(self.start(*command, "--out", out, **options), code={0, 1})
            return tree(out, hidden=False)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder beside the arena for the time of a block."""
        import shutil
        import tempfile

        with tempfile.TemporaryDirectory(dir=self.folder.parent) as folder:
            yield Path(folder) / "out"
            shutil.rmtree(Path(folder) / "out", ignore_errors=True)

    def is_clean(self, *words: object, out: Path | None = None) -> None:
        """Check that OUT holds the bytes of a clean run."""
        found, wanted = tree(out or self.out, hidden=False), self.clean(*words)
        differ = [name for name in sorted({*found, *wanted}) if found.get(name) != wanted.get(name)]
        self.check("the bytes of a clean run", not differ, differ)

    def verify(self, *more: object, code: int | set[int] = 0) -> Outcome:
        """Verify OUT, against INPUT too."""
        return self.run("verify", self.out, "--against", self.photos, *more, code=code)

    def recovers(self) -> None:
        """Check that the same command ends with the bytes of a clean run, which verify."""
        self.run(*self.cutout, code={0, 1})
        self.is_clean()
        self.verify()

    def wait(self, condition: Callable[[], bool], what: str = "begins in time") -> bool:
        """Wait until a condition holds, and record that it did."""
        deadline = time.monotonic() + LIMIT * self.slow
        while not condition():
            if time.monotonic() > deadline:
                self.check(what, False)
                return False
            time.sleep(0.002)
        return True

    def kill(self, process: subprocess.Popen[str]) -> None:
        """Kill a command and its workers."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End what still runs."""
        for process in self._processes:
            if process.poll() is None:
                self.kill(process)
                process.communicate()


def _text(word: object) -> str | bytes:
    return word if isinstance(word, bytes) else str(word)


def _codes(codes: frozenset[int] | set[int]) -> str:
    return "documented" if codes == DOCUMENTED else " or ".join(map(str, sorted(codes)))


def _entries(folder: str, skipped: set[str]) -> Iterator[tuple[str, Entry]]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.path in skipped:
            continue
        status = entry.stat(follow_symlinks=False)
        content = os.readlink(entry.path) if entry.is_symlink() else ""
        if stat.S_ISREG(status.st_mode) and status.st_size < 1 << 24:
            with suppress(PermissionError), open(entry.path, "rb") as file:
                content = hashlib.sha256(file.read()).hexdigest()
        is_folder = stat.S_ISDIR(status.st_mode)
        # A folder's own time and size change with OUT, which lies beside the others.
        size, changed = (0, 0) if is_folder else (status.st_size, status.st_mtime_ns)
        yield entry.path, Entry(status.st_mode, size, changed, content)
        if is_folder:
            yield from _entries(entry.path, skipped)


def _difference(before: dict[str, Entry], after: dict[str, Entry]) -> str:
    names = sorted({*before, *after})
    return ", ".join(name for name in names if before.get(name) != after.get(name))
