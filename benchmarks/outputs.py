"""How quickly each kind of output is written: the table of docs/outputs.md.

python benchmarks/outputs.py --page docs/outputs.md

Many small pictures become each kind of output in turns. A rate is the median over the rounds of
images a second, from the start of the command to its end; a ratio is the median of the ratios to
files in a folder in the same round, of rates and of images for a second of the processor, which
other programs of the machine disturb less.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pictures import SCENARIOS, prepare
from report import machine, table, write_between

if TYPE_CHECKING:
    from collections.abc import Iterator

SINKS = ("folder", "webdataset", "parquet", "npz")
COMMANDS = {"augcli export": ("export",), "augcli cutout": ("cutout", "--patch", "8")}
SIDE = 32


def main() -> None:
    """Measure every kind of output and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--page", type=Path, help="the page to write into; printed if not given")
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, help="where files are written, such as /dev/shm")
    given = parser.parse_args()
    titles = [f"`{name}`, {what}" for name in COMMANDS for what in ("images/s", "ratio", "by CPU")]
    text = table(("`--to`", *titles), measured(given.images, given.rounds, given.work))
    work = f" --work {given.work}" if given.work else ""
    command = f"python benchmarks/outputs.py --images {given.images} --rounds {given.rounds}{work}"
    words = machine(command)
    write_between(given.page, "outputs", f"{text}\n{words}\n")


def measured(images: int, rounds: int, place: Path | None) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the table.

    Args:
        images: How many pictures INPUT has.
        rounds: How often each kind is written.
        place: Takes the files; the usual place of temporary ones where None.
    """
    spent: dict[tuple[str, str], list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="augcli-outputs-", dir=place) as temporary:
        work = Path(temporary)
        (folder,) = prepare(SCENARIOS["small"], [images], None, work)
        for number in range(rounds):
            for title, command in COMMANDS.items():
                turn = number % len(SINKS)
                for to in SINKS[turn:] + SINKS[:turn]:
                    seconds = _seconds(command, folder, to, work / "out")
                    spent.setdefault((title, to), []).append(seconds)
    for to in SINKS:
        cells = []
        for title in COMMANDS:
            own, floor = spent[title, to], spent[title, "folder"]
            rate = images / statistics.median(wall for wall, _ in own)
            ratios = [
                statistics.median(two[at] / one[at] for one, two in zip(own, floor, strict=True))
                for at in (0, 1)
            ]
            cells += [f"{rate:,.0f}", *(f"{ratio:.2f}" for ratio in ratios)]
        yield f"`{to}`", *cells


def _seconds(command: tuple[str, ...], folder: Path, to: str, out: Path) -> tuple[float, float]:
    """Return how long a command takes, and the seconds of the processor; start-up included."""
    shutil.rmtree(out, ignore_errors=True)
    name, *options = command
    size = ["--size", str(SIDE)] if to == "npz" else []
    begun, used = time.perf_counter(), _processor()
    subprocess.run(
        [
            *(sys.executable, "-m", "augcli", name, str(folder), *options, *size),
            *("--to", to, "--out", str(out), "--quiet"),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - begun, _processor() - used


def _processor() -> float:
    """Return the seconds of the processor of all commands so far, with their workers."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
