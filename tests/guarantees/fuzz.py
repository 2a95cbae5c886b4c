"""Fuzzing with pictures, through the whole pipeline.

python -m tests.guarantees.fuzz FOLDER COUNT [SEED [WORKERS]]
"""

from __future__ import annotations

import io
import json
import random
import shutil
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

import augcli
from tests.guarantees.mutate import mutated
from tests.photos import picture, read, rows, save, tree

BATCH = 250
MAX_PIXELS = 300_000
PATIENCE = 300
"""Seconds for a batch; one takes about one."""


def by_pillow(data: bytes) -> Any:
    """Return the pixels as Pillow alone reads them; 16-bit samples keep their high byte."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        opened = Pillow.open(io.BytesIO(data))
        turned = ImageOps.exif_transpose(opened)
        if turned.mode.startswith("I"):
            grey = (np.asarray(turned) >> 8).astype(np.uint8)
            return np.repeat(grey[..., None], 3, axis=2)
        return np.array(turned.convert("RGB"))


def batch(folder: Path, count: int, seed: int, workers: int) -> dict[str, int]:
    """Make a data set of broken pictures; judge every one of them.

    Returns:
        How many pictures there were, how many came out, and how many were refused.
    """
    shutil.rmtree(folder, ignore_errors=True)
    source, out = folder / "in" / "photos", folder / "in" / "out"
    random_ = random.Random(seed)
    save(source / "cat" / "good.png", picture(1, 30, 30))
    for number in range(count):
        extension, data = mutated(random_)
        path = source / ("cat", "dog", "emu")[number % 3] / f"{number:05d}.{extension}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    before = tree(source)
    summary = augcli.augment(
        source,
        augcli.Cutout(patch=0.3, fill="black"),
        out=out,
        workers=workers,
        originals="encode",
        format="png",
        max_pixels=MAX_PIXELS,
    )
    assert tree(source) == before
    assert [path.name for path in folder.iterdir()] == ["in"]
    assert sorted(path.name for path in (folder / "in").iterdir()) == ["out", "photos"]
    refused = {row["source"]: row["reason"] for row in _errors(out)}
    made = {row["source_a"]: row for row in rows(out) if row["method"] == "original"}
    assert made.keys() | refused.keys() == before.keys()
    assert not made.keys() & refused.keys()
    assert summary.failed == len(refused)
    assert all(refused.values())
    for name, row in made.items():
        found = read(out / row["file_name"])
        assert np.array_equal(found, by_pillow(before[name])), f"seed {seed}: {name}"
        assert found.shape[0] * found.shape[1] <= MAX_PIXELS
    return {"pictures": count, "made": len(made) - 1, "refused": len(refused)}


def _errors(out: Path) -> list[dict[str, str]]:
    return rows(out, "errors.csv") if (out / "errors.csv").exists() else []


def loop(folder: Path, count: int, seed: int = 0, workers: int = 0) -> dict[str, int]:
    """Go through ``count`` pictures in batches; memory is measured as well, in MiB."""
    figures = {"pictures": 0, "made": 0, "refused": 0}
    for number in range(-(-count // BATCH)):
        signal.alarm(PATIENCE)
        size = min(BATCH, count - figures["pictures"])
        for name, value in batch(folder / "batch", size, 1000 * seed + number, workers).items():
            figures[name] += value
    signal.alarm(0)
    return {**figures, "peak_mib": peak_mib()}


def peak_mib() -> int:
    """Return the most memory that this process had; 0 where the system doesn't tell."""
    # Not getrusage, which counts what the parent had when it forked.
    status = Path("/proc/self/status")
    lines = status.read_text("ascii").splitlines() if status.exists() else []
    found = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(found[0]) // 1024 if found else 0


if __name__ == "__main__":
    print(json.dumps(loop(Path(sys.argv[1]), *map(int, sys.argv[2:]))))
