"""The n-th fault loop, as SQLite does it: the n-th call to the system fails, for every n.

The calls are those with which augcli writes OUT and reads its parts back.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import augcli
from augcli.data import output
from augcli.errors import AugcliError, Stopped
from augcli.files import descriptors, draft, folder, publishing, reading
from tests.guarantees.state import assert_committed_rows_are_true, photos, vary
from tests.photos import tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

LASTING = (errno.ENOSPC, errno.EIO)
ERRORS = (*LASTING, errno.EINTR)
"""Interrupted calls are tried again by Python itself, so that one can't fail for ever."""
CALLS = frozenset(
    {"open", "write", "fsync", "replace", "close", "mkdir", "makedirs", "unlink", "rmdir"}
    | {"listdir", "scandir"}
)
MOST = 2000
OPENING: tuple[Any, ...] = (folder, publishing, reading)
"""Modules that call the built-in open."""


class Plan:
    """Which call fails, and how.

    Args:
        nth: The first call that fails, counted from 1; 0 lets all be.
        number: The error's number.
        forever: Whether all calls after it fail too.
    """

    def __init__(self, nth: int, number: int, *, forever: bool) -> None:
        self.fired = 0
        self._nth = nth
        self._number = number
        self._forever = forever
        self._count = 0

    def call(self) -> None:
        """Count a call.

        Raises:
            OSError: It is its turn to fail.
        """
        self._count += 1
        if self._nth and (self._count == self._nth or (self._forever and self._count > self._nth)):
            self.fired += 1
            raise OSError(self._number, os.strerror(self._number))


class FaultyOs:
    """The os module, whose calls fail as planned."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in CALLS:
            return real

        def call(*arguments: Any, **options: Any) -> Any:
            if name == "close":
                # A failing close closes all the same.
                real(*arguments)
                self._plan.call()
                return None
            self._plan.call()
            return real(*arguments, **options)

        return call


def faulty_open(plan: Plan) -> Any:
    """Return the built-in open, whose opening and writing fail as planned."""

    class Raw(io.FileIO):
        def write(self, data: Any) -> int:
            plan.call()
            return super().write(data)

    def call(file: Any, mode: str = "r", **options: Any) -> BinaryIO | Any:
        plan.call()
        if mode == "wb":
            return io.BufferedWriter(Raw(file, mode, **options))
        return open(file, mode, **options)

    return call


@contextmanager
def faults(plan: Plan) -> Iterator[None]:
    """Let calls fail as planned."""
    modules: tuple[Any, ...] = (descriptors, draft, folder, publishing, reading, output)
    try:
        for module in modules:
            module.os = FaultyOs(plan)
            if module in OPENING:
                module.open = faulty_open(plan)
        yield
    finally:
        for module in modules:
            module.os = os
            if module in OPENING:
                del module.open


def run(source: Path, out: Path, fsync: str, to: str = "folder") -> None:
    """Make a small data set in this process."""
    method = augcli.Cutout(patch=5, fill="black")
    augcli.augment(source, method, out=out, workers=0, fsync=fsync, to=to)


def loop(
    folder: Path,
    numbers: Iterable[int],
    fsync: str,
    *,
    forever: bool,
    sources: int,
    to: str = "folder",
) -> dict[str, int]:
    """Let the first, second, … call fail until none is left, over new and over changed INPUT.

    Args:
        folder: For INPUT and OUT.
        numbers: Error numbers, used in turn.
        fsync: See :class:`augcli.recipes.options.RunOptions`.
        forever: Whether all calls after the n-th fail too.
        sources: How many images INPUT has, besides those that change.
        to: The kind of outputs.

    Returns:
        How many faults were put in, and how many of them ended the run.
    """
    source, out, begun = folder / "photos", folder / "out", folder / "begun"
    photos(source, count=sources)
    cycle = list(numbers)
    figures = {"faults": 0, "stopped": 0}
    for variant in (0, 1):
        vary(source, variant)
        shutil.rmtree(out, ignore_errors=True)
        run(source, out, fsync, to)
        clean = tree(out, hidden=False)
        for nth in range(1, MOST):
            shutil.rmtree(out)
            if variant:
                shutil.copytree(begun, out)
            plan = Plan(nth, cycle[nth % len(cycle)], forever=forever)
            figures["stopped"] += _stopped(source, out, fsync, plan, to)
            assert_committed_rows_are_true(out)
            run(source, out, fsync, to)
            assert tree(out, hidden=False) == clean, nth
            assert not (out / ".augcli").exists(), nth
            if not plan.fired:
                break
            figures["faults"] += plan.fired
        else:
            raise AssertionError("calls without end")
        shutil.rmtree(begun, ignore_errors=True)
        out.rename(begun)
        shutil.copytree(begun, out)
    return figures


def _stopped(source: Path, out: Path, fsync: str, plan: Plan, to: str) -> bool:
    """Run with faults; return whether they ended the run, in the right way."""
    said = ""
    try:
        with faults(plan):
            run(source, out, fsync, to)
    except AugcliError as error:
        said, code = str(error), error.exit_code
    if not said:
        return False
    assert plan.fired
    assert (code, said) == (Stopped.exit_code, said) or "can't be" in said, said
    assert "run the same command again" in said or "with `out`" in said, said
    return True
