"""How many validation pictures share a source with training ones: the table of docs/splits.md.

python benchmarks/leaks.py --page docs/splits.md

A set of small pictures is augmented for real. Its outputs are then divided at random, as people do
who split last, and the rows of metadata.csv say which pictures share a source.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from report import table, write_between

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SHARE = 0.2
"""Of the validation pictures."""
CLASSES = 5
RANDOM_SPLITS = 20
SIDE = 16
CASES = (
    ("cutout", "none", 4),
    ("cutout", "copy", 1),
    ("cutout", "copy", 4),
    ("mixup", "copy", 1),
    ("mixup", "copy", 4),
)
"""Command, originals and copies."""


def main() -> None:
    """Measure every case and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--page", type=Path, help="the page to write into; printed if not given")
    parser.add_argument("--images", type=int, default=1000)
    given = parser.parse_args()
    text = table(
        ("command", "outputs", "split after augmenting: share a source", "split first"),
        measured(given.images),
    )
    write_between(given.page, "leaks", text)


def measured(images: int) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the table.

    Args:
        images: Pictures of the set.
    """
    import augcli  # noqa: PLC0415 - not for --help

    methods = {"cutout": augcli.Cutout(patch=4, fill="black"), "mixup": augcli.MixUp()}
    with tempfile.TemporaryDirectory(prefix="augcli-leaks-") as temporary:
        work = Path(temporary)
        folder = work / "images"
        _draw(folder, images)
        augcli.split(folder, val=SHARE, out=work / "first")
        for name, originals, copies in CASES:
            options = {"originals": originals, "copies": copies, "workers": 0, "overwrite": True}
            augcli.augment(folder, methods[name], out=work / "last", **options)
            sources = [one[1:] for one in rows(work / "last")]
            shares = [_leaked(sources, seed) for seed in range(RANDOM_SPLITS)]
            augcli.augment(work / "first", methods[name], out=work / "both", **options)
            words = f"`{name} --copies {copies}`"
            words = words if originals == "none" else f"{words[:-1]} --originals {originals}`"
            after = f"{100 * statistics.mean(shares):.1f} %"
            yield words, f"{len(sources):,}", after, f"{100 * _crossing(work / 'both'):.1f} %"


def rows(out: Path) -> list[tuple[str, ...]]:
    """Return the split of each row of an output, and its sources."""
    with (out / "metadata.csv").open(encoding="utf-8", newline="") as file:
        return [
            (row.get("split", ""), *(row[role] for role in ("source_a", "source_b") if row[role]))
            for row in csv.DictReader(file)
        ]


def _leaked(sources: Sequence[tuple[str, ...]], seed: int) -> float:
    """Return the share of validation pictures that share a source with a training picture."""
    order = np.random.default_rng(seed).permutation(len(sources))
    count = int(SHARE * len(sources))
    training = {name for index in order[count:] for name in sources[index]}
    validation = [sources[index] for index in order[:count]]
    return sum(any(name in training for name in own) for own in validation) / count


def _crossing(out: Path) -> float:
    """Return the same for an output that has splits."""
    found = rows(out)
    training = {name for split, *own in found if split == "train" for name in own}
    validation = [own for split, *own in found if split == "val"]
    return sum(any(name in training for name in own) for own in validation) / len(validation)


def _draw(folder: Path, images: int) -> None:
    random = np.random.default_rng(0)
    for number in range(images):
        place = folder / f"class {number % CLASSES}"
        place.mkdir(parents=True, exist_ok=True)
        picture = random.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        cv2.imwrite(str(place / f"{number:05}.png"), picture)


if __name__ == "__main__":
    main()
