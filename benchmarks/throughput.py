"""How fast augcli is, side by side with the floor and with what a user would otherwise write.

    python benchmarks/throughput.py --data DIR --models DIR --out docs/performance.md

`--data` holds photos.tar and cifar10.tar, tar files of one folder for each class; without it the
pictures are drawn. `--models` holds mobilenet-v2-100-224.onnx for the port of Attentive
CutMix; without it the port does not take part. albumentations, psutil and onnx are optional.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import scale
from contenders import contenders
from pictures import SCENARIOS, prepare
from report import page
from rounds import measure
from stages import profiled
from targets import Measured

CURVE = [1000, 10_000, 100_000, 1_000_000]
PROFILED = {"cutout": ("--patch", "0.25"), "cutmix": ("--top-n", "6")}


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="holds photos.tar and cifar10.tar")
    parser.add_argument("--models", type=Path, help="holds the classifier of the port")
    parser.add_argument("--out", type=Path, help="the page to write; printed if not given")
    parser.add_argument("--work", type=Path, help="keeps the pictures for the next time")
    parser.add_argument("--scenarios", default=",".join(SCENARIOS), metavar="A,B")
    parser.add_argument("--only", default="", metavar="A,B", help="contenders named so in part")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="few files and one round")
    parser.add_argument("--share", type=float, default=1.0, help="of the files, such as 0.1")
    parser.add_argument("--long", action="store_true", help="100,000 outputs, not 50,000")
    given = parser.parse_args()
    unknown = set(given.scenarios.split(",")) - set(SCENARIOS)
    if unknown:
        parser.error(f"--scenarios: {', '.join(sorted(unknown))} is none of {list(SCENARIOS)}")
    if given.quick:
        given.rounds = 1
    return given


def main() -> None:
    """Measure everything and write the page."""
    given = parse()
    # In memory where there is such a place: for minutes after files were removed, ext4 without a
    # journal goes through their places one by one to make a new one.
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="augcli-bench-", dir=memory) as temporary:
        work = given.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        measured = everything(given, work)
    command = " ".join(["benchmarks/throughput.py", *_settings(given)])
    text = page(measured, command, given.rounds)
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    else:
        print(text)


def everything(given: argparse.Namespace, work: Path) -> Measured:
    """Measure all scenarios and all costs."""
    begun = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - begun:6.0f} s  {what}", file=sys.stderr, flush=True)

    figures, stages = {}, {}
    chosen = [SCENARIOS[name] for name in given.scenarios.split(",")]
    folders = {}
    for scenario in chosen:
        wanted = scenario.quick if given.quick else scenario.counts
        counts = [max(4, round(count * given.share)) for count in wanted]
        tell(f"{scenario.title}: {counts} files")
        folders[scenario.name] = prepare(scenario, counts, given.data, work)
    wanted_names = given.only.split(",")
    taking_part = [
        one for one in contenders(given.models) if any(name in one.title for name in wanted_names)
    ]
    for scenario in chosen:
        tell(f"{scenario.title}: {given.rounds} rounds of {len(taking_part)} contenders")
        figures[scenario.name] = measure(
            taking_part, folders[scenario.name], given.models, given.rounds, work
        )
    for scenario in chosen:
        for name, options in PROFILED.items():
            tell(f"{scenario.title}: profile of {name}")
            folder = folders[scenario.name][-1]
            images = sum(1 for _ in folder.glob("*/*"))
            found = profiled(name, folder, work, images, *options)
            stages[name, scenario.name] = found
    tell("long lists")
    lists = scale.curve(CURVE[:2] if given.quick else CURVE)
    tell("start, memory, finished folders")
    memories, finished = [], None
    if {"photos", "small"} <= set(folders):
        photos, small = _some_photos(given, work), folders["small"]
        memories = scale.memories([photos, small[0]], work)
        finished = scale.finished(small[0], small[-1], 2 if given.long else 1, work)
    titles = {one.name: one.title for one in chosen}
    start_up = scale.start_up(3 if given.quick else 15)
    tell("done")
    return Measured(figures, titles, lists, start_up, finished, memories, stages)


def _some_photos(given: argparse.Namespace, work: Path) -> Path:
    """Return the folder whose memory is compared with that of the small images."""
    count = max(4, round((40 if given.quick else 1000) * given.share))
    return prepare(SCENARIOS["photos"], [count], given.data, work)[0]


def _settings(given: argparse.Namespace) -> list[str]:
    """Return what changes the figures; folders of this machine are of no use to others."""
    settings = [f"--scenarios {given.scenarios}", f"--rounds {given.rounds}"]
    settings += ["--quick"] * given.quick + ["--long"] * given.long
    drawn = [] if given.data else ["(pictures drawn)"]
    return settings + drawn


if __name__ == "__main__":
    main()
