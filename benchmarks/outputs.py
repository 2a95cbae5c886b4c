"""How quickly each kind of output is written: the table of docs/outputs.md.

python benchmarks/outputs.py --page docs/outputs.md

Many small pictures, in memory (/dev/shm), become each kind of output in turns. A figure is the
median over the rounds of images a second, from the start of the command to its end; a ratio is the
median of the ratios to files in a folder in the same round.
"""

from __future__ import annotations

import argparse
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
MEMORY = Path("/dev/shm")


def main() -> None:
    """Measure every kind of output and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--page", type=Path, help="the page to write into; printed if not given")
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    head = ("`--to`", *(f"`{name}`, images/s" for name in COMMANDS), "ratios to files in a folder")
    text = table(head, measured(given.images, given.rounds))
    words = machine(f"python benchmarks/outputs.py --images {given.images}")
    write_between(given.page, "outputs", f"{text}\n{words}\n")


def measured(images: int, rounds: int) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the table.

    Args:
        images: How many pictures INPUT has.
        rounds: How often each kind is written.
    """
    place = MEMORY if MEMORY.is_dir() else None
    rates: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="augcli-outputs-", dir=place) as temporary:
        work = Path(temporary)
        (folder,) = prepare(SCENARIOS["small"], [images], None, work)
        for number in range(rounds):
            for title, command in COMMANDS.items():
                turn = number % len(SINKS)
                for to in SINKS[turn:] + SINKS[:turn]:
                    seconds = _seconds(command, folder, to, work / "out")
                    rates.setdefault((title, to), []).append(images / seconds)
    for to in SINKS:
        ratios = []
        for title in COMMANDS:
            pairs = zip(rates[title, to], rates[title, "folder"], strict=True)
            ratios.append(statistics.median(own / floor for own, floor in pairs))
        yield (
            f"`{to}`",
            *(f"{statistics.median(rates[title, to]):,.0f}" for title in COMMANDS),
            ", ".join(f"{ratio:.2f}" for ratio in ratios),
        )


def _seconds(command: tuple[str, ...], folder: Path, to: str, out: Path) -> float:
    """Return how long a command takes, start-up included."""
    shutil.rmtree(out, ignore_errors=True)
    name, *options = command
    size = ["--size", str(SIDE)] if to == "npz" else []
    begun = time.perf_counter()
    subprocess.run(
        [
            *(sys.executable, "-m", "augcli", name, str(folder), *options, *size),
            *("--to", to, "--out", str(out), "--quiet"),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
