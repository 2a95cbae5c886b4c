"""How many outputs are made again when a picture is added: the table of docs/amounts.md.

python benchmarks/pairs.py --page docs/amounts.md

A long-tailed set of small pictures is mixed for real, a picture is added, and the same command is
run again. An output whose row is another one then was made again.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from report import table, write_between

if TYPE_CHECKING:
    from collections.abc import Iterator

CLASSES = 10
SMALLEST = 5
"""Pictures of the rarest class."""
SIDE = 16
CASES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("--pair any", {"pair": "any"}),
    ("--pair balanced", {"pair": "balanced"}),
    ("--pair balanced --per-class max", {"pair": "balanced", "per_class": "max"}),
)


def main() -> None:
    """Measure every case and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--page", type=Path, help="the page to write into; printed if not given")
    parser.add_argument("--images", type=int, default=500, help="of the largest class")
    given = parser.parse_args()
    head = ("options", "outputs", "added to the largest class", "added to the rarest class")
    text = table(head, measured(given.images))
    write_between(given.page, "pairs", text)


def measured(largest: int) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the table.

    Args:
        largest: Pictures of the largest class; each class has fewer than the one before.
    """
    import augcli  # noqa: PLC0415 - not for --help

    with tempfile.TemporaryDirectory(prefix="augcli-pairs-") as temporary:
        work = Path(temporary)
        folder = work / "images"
        ratio = (SMALLEST / largest) ** (1 / (CLASSES - 1))
        for number in range(CLASSES):
            for picture in range(round(largest * ratio**number)):
                _draw(folder, number, picture)
        for words, options in CASES:
            cells = []
            for number in (0, CLASSES - 1):
                out = work / "out"
                shutil.rmtree(out, ignore_errors=True)
                augcli.augment(folder, augcli.MixUp(), out=out, workers=0, **options)
                before = _rows(out)
                added = _draw(folder, number, 99_999)
                augcli.augment(folder, augcli.MixUp(), out=out, workers=0, **options)
                added.unlink()
                after = _rows(out)
                changed = sum(after.get(name, one) != one for name, one in before.items())
                cells.append(f"{100 * changed / len(before):.2f} %")
            yield f"`{words}`", f"{len(before):,}", *cells


def _rows(out: Path) -> dict[str, dict[str, str]]:
    """Return the row of each output by its name."""
    with (out / "metadata.csv").open(encoding="utf-8", newline="") as file:
        return {row["file_name"]: row for row in csv.DictReader(file)}


def _draw(folder: Path, number: int, picture: int) -> Path:
    place = folder / f"class {number}"
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{picture:05}.png"
    random = np.random.default_rng([number, picture])
    cv2.imwrite(str(path), random.integers(0, 256, (SIDE, SIDE, 3), np.uint8))
    return path


if __name__ == "__main__":
    main()
