"""Running a command under watch: its rate, its processor time, its memory, its first image."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE_SECONDS = 0.05
LOOK_SECONDS = 0.005


class Watched(NamedTuple):
    """What one run of a command cost.

    Attributes:
        images: How many it made.
        rate: Images a second between the first and the last, by its own clock.
        wall: Seconds of the whole process.
        cpu: Seconds of processor time of all its processes.
        peak: Highest resident memory of all its processes together, in bytes; 0 if unknown.
        first: Seconds from the start until an image lay in OUT; 0 if none was seen.
        told: The last line that it printed.
    """

    images: int
    rate: float
    wall: float
    cpu: float
    peak: int
    first: float
    told: dict[str, Any]


def watched(command: list[str], out: str = "") -> Watched:
    """Run a command whose last line of output is JSON.

    Args:
        command: Program and arguments.
        out: The folder whose first image is waited for.

    Raises:
        SystemExit: The command failed.
    """
    before = _children()
    begun = time.monotonic()
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AUGCLI_")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=plain)
    watch = _Watch(process.pid, out, begun)
    watch.start()
    text = process.communicate()[0]
    wall = time.monotonic() - begun
    watch.stop()
    # 1 says that some images failed: a grey photo has no colour channel to drop.
    if process.returncode > 1:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{text[-500:]}")
    lines = text.strip().splitlines()
    told = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    images = told.get("new", told.get("images", 0))
    rate = told.get("images_per_second", 0.0)
    return Watched(images, rate, wall, _children() - before, watch.peak, watch.first, told)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _Watch(threading.Thread):
    """Looks at a process tree and at OUT until it is stopped."""

    def __init__(self, process: int, out: str, begun: float) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self.first = 0.0
        self._process = process
        self._out = out
        self._begun = begun
        self._over = threading.Event()

    def run(self) -> None:
        """Look for the first image often, at the memory less often."""
        next_sample = 0.0
        while not self._over.is_set():
            now = time.monotonic()
            waits = self._out and not self.first
            if waits and _holds_image(self._out):
                self.first = now - self._begun
            if now >= next_sample:
                self.peak = max(self.peak, memory(self._process))
                next_sample = now + SAMPLE_SECONDS
            self._over.wait(LOOK_SECONDS if waits else SAMPLE_SECONDS)

    def stop(self) -> None:
        """End and wait."""
        self._over.set()
        self.join()


def new_out(work: Path) -> Path:
    """Return a folder for outputs; those of the run before are removed."""
    out = work / "out"
    shutil.rmtree(out, ignore_errors=True)
    return out


def memory(process: int) -> int:
    """Return the resident memory of a process and all below it; 0 without psutil."""
    try:
        import psutil  # noqa: PLC0415
    except ImportError:
        return 0
    total = 0
    with suppress(psutil.Error):
        top = psutil.Process(process)
        for one in (top, *top.children(recursive=True)):
            with suppress(psutil.Error):
                total += one.memory_info().rss
    return total


def _holds_image(out: str) -> bool:
    """Return whether a class folder of OUT holds a file."""
    with suppress(OSError), os.scandir(out) as labels:
        for label in labels:
            if not label.name.startswith(".") and label.is_dir():
                with os.scandir(label.path) as files:
                    if next(files, None):
                        return True
    return False
