"""The command line in a process of its own."""

from __future__ import annotations

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


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)
