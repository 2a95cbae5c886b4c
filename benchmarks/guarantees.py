"""The long versions of the tests of docs/guarantees.md, and what syncing to the disk costs.

    python -m benchmarks.guarantees --kills 220 --pictures 20000 --words 2000 --faults --damage 2000
    python -m benchmarks.guarantees --histories 500
    python -m benchmarks.guarantees --containers 100000
    python -m benchmarks.guarantees --fsync

Each loop fails with a traceback at the first thing that is not as promised; else it prints a
line of figures.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import augcli
from augcli.run.machine import usable_cores
from tests.guarantees import damage, faults
from tests.photos import class_folders

ROOT = Path(__file__).parents[1]
ROUNDS = 5


def module(name: str, *arguments: int) -> str:
    """Run a loop in a process of its own and return its figures."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", f"tests.guarantees.{name}", f"{folder}/{name}"]
        Path(folder, name).mkdir()
        end = subprocess.run(
            [*command, *map(str, arguments)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    if end.returncode:
        raise SystemExit(end.stderr[-5000:])
    return end.stdout.strip()


def all_faults() -> str:
    """Let every call fail with every error, once and for ever, at every level of syncing."""
    total: Counter[str] = Counter()
    for fsync in ("none", "shard", "file"):
        for forever in (False, True):
            for number in faults.LASTING if forever else faults.ERRORS:
                with tempfile.TemporaryDirectory() as folder:
                    figures = faults.loop(Path(folder), [number], fsync, forever=forever, sources=4)
                total.update(figures)
    return str(dict(total))


def all_damage(most: int) -> str:
    """Read parts in every state of damage, and resume the run after ``most`` of them."""
    figures = {}
    for name, loop in (
        ("read", damage.read_all),
        ("resumed", lambda folder: damage.resume_all(folder, most)),
        ("resumed from folded parts", lambda folder: damage.fold_all(folder, most)),
    ):
        with tempfile.TemporaryDirectory() as folder:
            figures[name] = loop(Path(folder))
    return str(figures)


def costs(folder: Path) -> str:
    """Time each level of syncing over the same pictures, in turns; the best of the rounds."""
    source = class_folders(folder / "photos", {"a": 200, "b": 200}, side=128)
    best: dict[str, float] = {}
    method = augcli.Cutout(fill="black")
    for round_ in range(ROUNDS):
        for fsync in ("none", "shard", "file"):
            out = folder / f"{fsync}-{round_}"
            begun = time.perf_counter()
            augcli.augment(source, method, out=out, workers=0, fsync=fsync)
            spent = 1000 * (time.perf_counter() - begun) / 400
            best[fsync] = min(best.get(fsync, spent), spent)
    return ", ".join(f"{fsync}: {spent:.2f} ms an image" for fsync, spent in best.items())


def main() -> None:
    """Run what was asked for and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("kills", "pictures", "words", "histories", "containers"):
        parser.add_argument(f"--{name}", type=int, default=0, metavar="COUNT")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--damage", type=int, default=0, metavar="COUNT")
    parser.add_argument("--arrays", type=int, default=0, metavar="COUNT", help="mutants of each")
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--fsync", action="store_true")
    parser.add_argument("--folder", help="where --fsync writes; by default a temporary folder")
    wanted = parser.parse_args()
    print(f"{platform.platform()}, Python {platform.python_version()}, {usable_cores()} cores")
    loops = {
        "kills": lambda: module("kills", wanted.kills),
        "pictures": lambda: module("fuzz", wanted.pictures, wanted.seed),
        "words": lambda: module("words", wanted.words, wanted.seed),
        "histories": lambda: module("histories", wanted.histories),
        "containers": lambda: module("containers", wanted.containers, wanted.seed),
        "damage": lambda: all_damage(wanted.damage),
        "arrays": lambda: module("arrays", wanted.arrays, wanted.seed),
        "faults": all_faults,
    }
    for name, loop in loops.items():
        if getattr(wanted, name):
            begun = time.monotonic()
            print(f"{name}: {loop()} in {time.monotonic() - begun:.0f} s", flush=True)
    if wanted.fsync:
        with tempfile.TemporaryDirectory(dir=wanted.folder) as folder:
            print(f"fsync: {costs(Path(folder))}")


if __name__ == "__main__":
    main()
