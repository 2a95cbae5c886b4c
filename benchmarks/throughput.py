"""How fast augcli is, side by side with the floor and with what a user would otherwise write.

    python benchmarks/throughput.py --data DIR --models DIR --out docs/performance.md
    python benchmarks/throughput.py --from benchmarks/results/FILE.json --out docs/performance.md

The results go to a JSON file in `benchmarks/results`, of which the page is made; `--from` makes it
of the results of an earlier run. `--quick` takes fewer files of the same kinds: the same ratios
within a tenth, in about four minutes.

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
from results import About, Measured
from rounds import measure
from stages import profiled

RESULTS = Path(__file__).with_name("results")
CURVE = [1000, 10_000, 100_000, 1_000_000]
GROWTH = [1000, 10_000, 100_000]
LONG = 1_000_000
PROFILED = {"cutout": ("--patch", "0.25"), "cutmix": ("--top-n", "6")}


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="holds photos.tar and cifar10.tar")
    parser.add_argument("--models", type=Path, help="holds the classifier of the port")
    parser.add_argument("--out", type=Path, help="the page to write; printed if not given")
    parser.add_argument("--from", dest="results", type=Path, help="results of an earlier run")
    parser.add_argument("--results", dest="save", type=Path, default=RESULTS, help="their folder")
    parser.add_argument("--work", type=Path, help="keeps the pictures for the next time")
    parser.add_argument("--scenarios", default=",".join(SCENARIOS), metavar="A,B")
    parser.add_argument("--only", default="", metavar="A,B", help="contenders named so in part")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="fewer files and rounds")
    parser.add_argument("--share", type=float, default=1.0, help="of the files, such as 0.1")
    parser.add_argument("--long", action="store_true", help="also a million outputs")
    given = parser.parse_args()
    unknown = set(given.scenarios.split(",")) - set(SCENARIOS)
    if unknown:
        parser.error(f"--scenarios: {', '.join(sorted(unknown))} is none of {list(SCENARIOS)}")
    if given.quick:
        given.rounds = min(given.rounds, 3)
    return given


def main() -> None:
    """Measure everything and write the page."""
    given = parse()
    if given.results:
        measured = Measured.load(given.results)
    else:
        # In memory where there is such a place: for minutes after files were removed, ext4 without
        # a journal goes through their places one by one to make a new one.
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
        with tempfile.TemporaryDirectory(prefix="augcli-bench-", dir=memory) as temporary:
            work = given.work or Path(temporary)
            work.mkdir(parents=True, exist_ok=True)
            measured = everything(given, work)
        measured.save(given.save / measured.about.file_name)
    text = page(measured)
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
    wanted_names = given.only.split(",")
    chosen = [SCENARIOS[name] for name in given.scenarios.split(",")]
    folders = {}
    for scenario in chosen:
        wanted = scenario.quick if given.quick else scenario.counts
        counts = [max(4, round(count * given.share)) for count in wanted]
        tell(f"{scenario.title}: {counts} files")
        folders[scenario.name] = prepare(scenario, counts, given.data, work)
    wanted_names = given.only.split(",")
    for scenario in chosen:
        taking_part = [
            one
            for one in contenders(given.models, scenario.name)
            if any(name in one.title for name in wanted_names)
        ]
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
            stages[f"{name}, {scenario.title}"] = found
    tell("long lists")
    lists = scale.curve(CURVE[:2] if given.quick else CURVE)
    tell("workers")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    some = {name: folders[name][min(1, len(folders[name]) - 1)] for name in folders}
    few = {name: some[name] for name in ("photos", "small") if name in some}
    crews = scale.crews(few, [1, cores, 2 * cores], min(given.rounds, 3), work) if few else []
    memories, growth = [], []
    if {"photos", "small"} <= set(folders):
        tell("memory")
        photos, small = _some_photos(given, work), folders["small"]
        memories = scale.memories([photos, small[0]], work)
    if "small" in folders:
        counts = GROWTH[: 2 if given.quick else None] + [LONG] * given.long
        for count in [round(count * given.share) for count in counts]:
            tell(f"{count:,} outputs")
            fits = [one for one in folders["small"] if sum(1 for _ in one.glob("*/*")) <= count]
            growth.append(scale.grown((fits or folders["small"][-1:])[0], count, work))
    tell("start")
    titles = {one.name: one.title for one in chosen}
    start_up = scale.start_up(3 if given.quick else 15)
    tell("done")
    command = " ".join(["benchmarks/throughput.py", *_settings(given)])
    about = About.here(command, given.rounds)
    return Measured(about, titles, figures, stages, lists, start_up, memories, crews, growth)


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
