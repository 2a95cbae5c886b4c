"""Silence: what C libraries write to standard error while they decode goes nowhere.

libpng, libjpeg, libtiff and OpenCV write a line to descriptor 2 for every odd file, past Python.
A run reports such files itself, where they can't be read, and the lines name no file.

Three kinds of processes decode:

- The command line owns its process: for all of its time, descriptor 2 leads nowhere and
  ``sys.stderr`` has a descriptor of its own (``cli/streams.py``).
- A worker's standard error is a file, which only its parent reads (``work/processes.py``).
- A Python script that calls augcli owns its process itself. There descriptor 2 leads nowhere only
  while a picture is decoded, and only while no other thread runs, whose lines would be lost. With
  threads, lines on damaged files may appear; those on odd PNGs don't, because
  :func:`augcli.data.codecs.png.bare_png` leaves out what they complain about.
"""

from __future__ import annotations

import os
import threading
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Final

from augcli.files import open_null

if TYPE_CHECKING:
    from collections.abc import Iterator

_STANDARD_ERROR: Final = 2


class Silence:
    """What a process says of its own standard error.

    Attributes:
        is_needed: Whether lines of libraries can reach somebody. A process whose descriptor 2
            leads nowhere, or into a file that only its parent reads, sets it to False.
    """

    def __init__(self) -> None:
        self.is_needed = True
        self._nowhere: int | None = None

    def nowhere(self) -> int:
        """Return a descriptor of the null device, which stays open: opening it takes a while."""
        if self._nowhere is None:
            with open_null() as file:
                self._nowhere = os.dup(file.fileno())
        return self._nowhere


SILENCE: Final = Silence()


_NOTHING: Final = nullcontext()


def silenced() -> AbstractContextManager[None]:
    """Let descriptor 2 lead nowhere while the block runs, if this is the only thread."""
    if not SILENCE.is_needed or threading.active_count() > 1:
        return _NOTHING
    return _redirected()


@contextmanager
def _redirected() -> Iterator[None]:
    try:
        own = os.dup(_STANDARD_ERROR)
    except OSError:  # closed: nothing can be written to it
        yield
        return
    try:
        os.dup2(SILENCE.nowhere(), _STANDARD_ERROR)
        yield
    finally:
        os.dup2(own, _STANDARD_ERROR)
        os.close(own)
