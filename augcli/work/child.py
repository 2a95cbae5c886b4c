"""Processes of Python that run a module of this augcli."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command line that runs a module."""
    # -P: the current folder may hold a file called numpy.py.
    return [sys.executable, "-P", "-m", module, *arguments]


def module_environment() -> dict[str, str]:
    """Return the environment in which a module of this very augcli is found."""
    package = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path}


@contextlib.contextmanager
def holding_signals() -> Iterator[None]:
    """Let a process that the block starts wait with signals until :func:`ignore_signals`.

    Otherwise a Ctrl-C, which the system sends to all processes of a terminal, would end it with a
    traceback while it starts.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignore_signals() -> None:
    """Ignore the signals that end a command, in a process that ends with its parent."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def end_with_parent() -> None:
    """Let Linux end this process the moment its parent is gone."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - NumPy imports it anyway

        death_signal = 1
        ctypes.CDLL(None).prctl(death_signal, signal.SIGKILL)
