"""The time limit: a worker that is at one picture for too long reports the picture and ends.

A thread of the worker looks at what its reader is at, a few times within the limit: that costs a
picture nothing. Libraries in C let this thread run while they work. Where one doesn't, the parent
ends the worker: see :data:`augcli.work.processes.PATIENCE`.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from augcli.data.codecs.headers import read_header
from augcli.data.manifest import Failure
from augcli.errors import UnreadableImage
from augcli.work.events import Overdue

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.work.reading import Reader

LOOK_SECONDS = 1.0
"""The longest time between two looks."""


def end_when_overdue(reader: Reader, answer: Callable[[Overdue], None]) -> None:
    """Watch what a reader is at, until it is there for too long; then end the process.

    Args:
        reader: The worker's; its settings have the limit.
        answer: Sends an event to the parent.
    """
    seconds = reader.settings.timeout
    step = min(seconds / 4, LOOK_SECONDS)
    at, spent = reader.at, 0.0
    while True:
        begun = time.monotonic()
        time.sleep(step)
        if reader.at is not at:
            at, spent = reader.at, 0.0
            continue
        # A process that was stopped meanwhile did not work all the time.
        spent += min(time.monotonic() - begun, 2 * step)
        if not at.path or spent < seconds:
            continue
        allowed = reader.settings.seconds_for(_pixels(at.data))
        if spent >= allowed:
            reason = f"not done within {allowed:,.4g} seconds (`timeout`)"
            try:
                answer(Overdue(Failure(at.path, "time", reason)))
            finally:
                os._exit(0)


def _pixels(data: bytes) -> int:
    """Return how many pixels a file declares; 0 where that is not known."""
    try:
        header = read_header(data)
    except UnreadableImage:
        return 0
    return header.width * header.height
