"""What a report on a large output folder costs.

    python benchmarks/large_report.py [ROWS]

makes an output folder with a manifest of that many rows (1,000,000 by default) of cutmix in 1,000
classes, and the pictures that the report shows. It prints as JSON the seconds and the memory of
``augcli report`` in a process of its own, and the bytes of the page.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

SIDE = 224
CELLS = 6
GRID = 7
CLASSES = 1_000


def make_folder(folder: Path, count: int) -> None:
    """Write the tables of an output folder."""
    chance = random.Random(0)
    classes = [f"class-{number:04d}" for number in range(CLASSES)]
    paths = [f"{chance.choice(classes)}/{number:07d}.jpg" for number in range(count)]
    weight = CELLS * (SIDE // GRID) ** 2 / SIDE**2
    header = ("file_name", "label_a", "weight_a", "label_b", "weight_b", "source_a", "source_b")
    with (folder / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow((*header, "method", "draw", "width", "height", "copy", "sha256"))
        for number, path in enumerate(paths):
            donor = paths[number - 1]
            base_class, donor_class = path.partition("/")[0], donor.partition("/")[0]
            label = (base_class, 1 - weight, donor_class, weight)
            if base_class == donor_class:
                label = (base_class, 1.0, "", 0.0)
            cells = chance.sample(range(GRID * GRID), CELLS)
            draw = json.dumps({"grid": GRID, "cells": cells})
            name = f"{path.removesuffix('.jpg')}-0a1b2c3d-cutmix-0.jpg"
            digest = hashlib.sha256(name.encode()).hexdigest()
            table.writerow(
                (name, *label, path, donor, "cutmix", draw, SIDE, SIDE, 0, digest),
            )
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in classes), encoding="utf-8")


def make_record(folder: Path, count: int) -> None:
    """Write a run.json: that of a small run, with another count."""
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    with tempfile.TemporaryDirectory() as small:
        for name in ("a", "b"):
            os.makedirs(f"{small}/images/{name}")
            cv2.imwrite(f"{small}/images/{name}/1.jpg", picture)
        command = [sys.executable, "-m", "augcli", "cutmix", f"{small}/images"]
        subprocess.run([*command, "--out", f"{small}/out"], check=True, capture_output=True)
        record = json.loads(Path(f"{small}/out/run.json").read_text(encoding="utf-8"))
    record["counts"]["images"] = count
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")


def make_pictures(folder: Path) -> int:
    """Write the outputs that the report shows; return how many."""
    from augcli.report.view import view_of  # noqa: PLC0415 - the report is measured elsewhere

    noise = np.random.default_rng(0)
    chosen = view_of(folder).chosen
    for one in chosen:
        coarse = noise.integers(0, 256, (14, 14, 3), np.uint8)
        path = folder / one.row.file_name
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(os.fspath(path), cv2.resize(coarse, (SIDE, SIDE)))
    return len(chosen)


def measure(folder: Path) -> dict[str, float]:
    """Make the report in a process of its own."""
    code = (
        "import resource, sys\n"
        "from augcli.report.report import report\n"
        "made = report([sys.argv[1]])\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(made.bytes, made.pictures, peak)"
    )
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, folder], check=True, capture_output=True, text=True
    )
    seconds = time.perf_counter() - begun
    size, pictures, peak = map(int, done.stdout.split())
    return {
        "seconds": round(seconds, 1),
        "peak_mb": round(peak * 1024 / 1e6),
        "page_mb": round(size / 1e6, 2),
        "pictures": pictures,
    }


def main() -> None:
    """Measure a report of so many rows."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "out"
        folder.mkdir()
        make_folder(folder, count)
        make_record(folder, count)
        make_pictures(folder)
        manifest = (folder / "metadata.csv").stat().st_size
        found = {"rows": count, "manifest_mb": round(manifest / 1e6), **measure(folder)}
    print(json.dumps({**found, "machine": platform.processor() or platform.machine()}))


if __name__ == "__main__":
    main()
