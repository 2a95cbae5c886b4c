"""The command line in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
PATIENCE = 120.0
"""Seconds after which something hangs; a busy machine may need many times the usual."""


class Outcome(NamedTuple):
    """What a command ended with."""

    code: int
    out: str
    err: str


def environment(**extra: str) -> dict[str, str]:
    """Return the environment of a user who has set no option of augcli."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AUGCLI_")}
    return {**plain, "PYTHONPATH": str(ROOT), **extra}


def start(*arguments: object, cwd: Path | None = None, **options: Any) -> subprocess.Popen[str]:
    """Start the command line as the leader of a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "augcli", *map(str, arguments)],
        **{
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
            "cwd": cwd or ROOT,
            "env": environment(),
            "start_new_session": True,
            **options,
        },
    )


def call(*arguments: object, cwd: Path | None = None, **options: Any) -> Outcome:
    """Run the command line in a process of its own and wait for its end."""
    process = start(*arguments, cwd=cwd, **options)
    out, err = process.communicate(timeout=PATIENCE)
    return Outcome(process.returncode, out, err)


def figures_of(module: str, *arguments: object) -> dict[str, Any]:
    """Return what a module of the guarantees counts, in a process of its own.

    A crash of a decoder is a failure here, and memory can be measured.
    """
    end = subprocess.run(
        [sys.executable, "-m", f"tests.guarantees.{module}", *map(str, arguments)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=4 * PATIENCE,
        check=False,
    )
    assert end.returncode == 0, end.stderr[-3000:]
    figures: dict[str, Any] = json.loads(end.stdout)
    return figures


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)
