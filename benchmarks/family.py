"""Images a second of every command beside ``cutout``: docs/family-speed.md.

python benchmarks/family.py --data DIR --out docs/family-speed.md
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

from contenders import PROCESSES, augcli
from pictures import SCENARIOS, prepare
from report import machine, table
from watch import watched

FIRST = "cutout"

TEXT = """# The speed of each command

Photos, {processes} workers, default options, {images} images; medians of {rounds} rounds, counted
from the first written image to the last. Commands that score look at each picture with the
shipped scorer.

{machine}

"""


def main() -> None:
    """Measure every command of the registry and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="holds photos.tar; drawn if not given")
    parser.add_argument("--out", type=Path, help="the page to write; printed if not given")
    parser.add_argument("--work", type=Path, help="keeps the pictures for the next time")
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    from augcli.augmentations import REGISTRY  # noqa: PLC0415 - not for --help

    names = [one.name for one in REGISTRY]
    with tempfile.TemporaryDirectory(prefix="augcli-bench-") as temporary:
        work = given.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        folder = prepare(SCENARIOS["photos"], [given.images], given.data, work)[0]
        rates: dict[str, list[float]] = {name: [] for name in names}
        for number in range(given.rounds):
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                out = work / "family"
                shutil.rmtree(out, ignore_errors=True)
                rates[name].append(watched(augcli(name, folder, out, PROCESSES)).rate)
                shutil.rmtree(out, ignore_errors=True)
    first = statistics.median(rates[FIRST])
    medians = [(name, statistics.median(found)) for name, found in rates.items()]
    rows = ((f"`{name}`", f"{rate:,.0f}", f"{rate / first:.2f}") for name, rate in medians)
    text = TEXT.format(
        processes=PROCESSES,
        images=given.images,
        rounds=given.rounds,
        machine=machine("benchmarks/family.py"),
    )
    text += table(("command", "images/s", f"of `{FIRST}`"), rows)
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
