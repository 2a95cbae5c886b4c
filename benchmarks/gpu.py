"""How fast scoring and mixing are on a GPU, and whether its cells are those of the processor.

    python benchmarks/gpu.py --device cuda --page docs/heatmaps.md

Scoring needs the package onnxruntime-gpu, mixing on the GPU a PyTorch with CUDA; what can't be
measured is left out with the reason. Takes about a minute; `--data` is a folder of class folders.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
import onnxruntime
from contenders import augcli
from pictures import drawn
from report import machine, table, write_between
from stored_maps import NAMES, stored_maps
from watch import watched

from augcli import AttentiveCutMix, read
from augcli.attention.scorer import Scorer
from augcli.errors import AugcliError
from augcli.torch import BatchMixer
from augcli.torch.libraries import torch_or_none

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CPU = "cpu"
BATCHES = (32, 128, 512)
WORKERS = (2, 16)
SIDES = {"photos": (375, 500), "32x32": (32, 32)}
PACKAGES = ("numpy", "opencv-python-headless", "torch")
MIXED = 128
CLASSES = 10

TEXT = """{scorer}{machine}
{graphics}

{count:,} {what}; medians of {rounds} rounds, one run of each command.

Scoring alone, from pictures of the scorer's input size to heat maps, in one session (on the
processor, that is one thread):

{scoring}
`augcli cutmix --top-n 6`, images/s between the first and the last image; *whole* counts the start
of the process and of the GPU too:

{commands}
`BatchMixer`, attentive CutMix with stored heat maps, a call on a batch of {mixed} pictures that is
on the device:

{mixing}
{equal}
"""


class Run(NamedTuple):
    """A run of the whole command.

    Attributes:
        rate: Images a second between the first and the last.
        whole: Images a second of the whole process.
        cells: The cells that it chose, by source.
    """

    rate: float
    whole: float
    cells: dict[str, list[int]]


def main() -> None:
    """Measure all that can be measured here and write it into a page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda", help="as of augcli; cpu tries this script")
    parser.add_argument("--data", type=Path, help="pictures of the whole command; drawn if none")
    parser.add_argument("--images", type=int, default=6000, help="how many are drawn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--page", type=Path, help="takes the tables; printed if not given")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    device, lacks = given.device, ""
    try:
        Scorer(device=device)
    except AugcliError as error:
        device = CPU
        lacks = f"No scoring on {given.device}: {error}. So the processor scored."
        lacks = textwrap.fill(lacks, 100, break_on_hyphens=False) + "\n\n"
    devices = tuple(dict.fromkeys((CPU, device)))
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="augcli-gpu-", dir=memory) as temporary:
        work = Path(temporary)
        folder = given.data or photos(work / "photos", given.images)
        rates = {one: scoring(one, given.rounds) for one in devices}
        print("scored alone", file=sys.stderr, flush=True)
        runs = {
            (one, workers): run(folder, work / "out", one, workers)
            for one in devices
            for workers in WORKERS
        }
        print("ran the whole command", file=sys.stderr, flush=True)
        mixed = mixing(given.device, work, given.rounds)
    count = len(runs[CPU, WORKERS[0]].cells)
    text = TEXT.format(
        scorer=lacks,
        machine=machine(f"benchmarks/gpu.py --device {given.device}", PACKAGES),
        graphics=graphics(),
        count=count,
        what="pictures" if given.data else "drawn pictures of 500 x 375",
        rounds=given.rounds,
        scoring=table(("images", "batch", *(f"{one}: images/s" for one in devices)), scored(rates)),
        commands=table(
            ("scored on", "workers", "images/s", "whole: images/s"),
            (
                (one, f"{workers}", f"{done.rate:,.0f}", f"{done.whole:,.0f}")
                for (one, workers), done in runs.items()
            ),
        ),
        mixed=MIXED,
        mixing=table(("pictures", "on", "ms", "images/s"), mixed),
        equal=cells(runs),
    )
    write_between(given.page, "gpu", f"\n{text.strip()}\n\n" if given.page else text)


def photos(folder: Path, count: int) -> Path:
    """Draw pictures, all of them different, into class folders."""
    for label in range(CLASSES):
        (folder / f"class-{label}").mkdir(parents=True)
    with ProcessPoolExecutor() as pool:
        list(pool.map(partial(_draw, folder), range(count), chunksize=64))
    return folder


def _draw(folder: Path, number: int) -> None:
    file = cv2.imencode(".jpg", drawn(number, *SIDES["photos"]), [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    (folder / f"class-{number % CLASSES}" / f"{number:05d}.jpg").write_bytes(file.tobytes())


def scoring(device: str, rounds: int) -> dict[tuple[str, int], float]:
    """Return images/s of the shipped scorer for each kind of picture and each batch."""
    rates = {}
    for batch in BATCHES:
        scorer = Scorer(device=device, batch=batch)
        for name, sides in SIDES.items():
            few = [scorer.fit().fitted(drawn(number, *sides)) for number in range(32)]
            images = [few[number % len(few)] for number in range(batch)]
            spent = timed(partial(scorer.storable_maps, images), rounds)
            rates[name, batch] = batch / spent
    return rates


def timed(work: Callable[[], Any], rounds: int) -> float:
    """Return the median seconds of some work; the first two times prepare it."""
    spent = []
    for _ in range(rounds + 2):
        begun = time.perf_counter()
        work()
        spent.append(time.perf_counter() - begun)
    return statistics.median(spent[2:])


def run(folder: Path, out: Path, device: str, workers: int) -> Run:
    """Run the whole command once."""
    done = watched(augcli("cutmix", folder, out, workers, "--top-n", "6", "--device", device))
    found = {row.source_a: sorted(json.loads(row.draw)["cells"]) for row in read(out).rows}
    shutil.rmtree(out)
    return Run(done.rate, done.images / done.wall, found)


def mixing(device: str, work: Path, rounds: int) -> list[tuple[str, ...]]:
    """Return a row for each size of pictures: what a call of BatchMixer takes."""
    mixer = BatchMixer(AttentiveCutMix(top_n=6), heat_maps=stored_maps(str(work)), classes=CLASSES)
    names = NAMES[:MIXED]
    random = np.random.default_rng(0)
    labels = random.integers(0, CLASSES, MIXED)
    torch = torch_or_none() if device == "cuda" else None
    rows = []
    for side in (32, 224):
        images = random.integers(0, 256, (MIXED, side, side, 3), np.uint8)
        spent = timed(lambda images=images: mixer(images, labels, names), rounds)
        rows.append(_row(side, "the processor (NumPy)", spent))
        if torch and torch.cuda.is_available():
            tensors = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().cuda()
            numbers = torch.from_numpy(labels).cuda()

            def call(tensors: Any = tensors, numbers: Any = numbers) -> Any:
                mixed = mixer(tensors, numbers, names)
                torch.cuda.synchronize()
                return mixed

            spent = timed(call, rounds)
            mixed, targets = call()
            expected, vectors = mixer(images, labels, names)
            assert np.array_equal(mixed.permute(0, 2, 3, 1).cpu().numpy(), expected)
            assert np.allclose(targets.cpu().numpy(), vectors)
            rows.append(_row(side, "the GPU (PyTorch), pixels equal to the processor's", spent))
    return rows


def _row(side: int, where: str, spent: float) -> tuple[str, ...]:
    return (f"{side} x {side}", where, f"{1000 * spent:.2f}", f"{MIXED / spent:,.0f}")


def scored(rates: dict[str, dict[tuple[str, int], float]]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each kind of picture and each batch."""
    for name, batch in rates[CPU]:
        yield (name, f"{batch}", *(f"{found[name, batch]:,.0f}" for found in rates.values()))


def cells(runs: dict[tuple[str, int], Run]) -> str:
    """Say in how many outputs the cells of a run are those of the processor."""
    expected = runs[CPU, WORKERS[0]].cells
    lines = []
    for (device, workers), done in runs.items():
        equal = sum(done.cells[source] == chosen for source, chosen in expected.items())
        lines.append(f"{equal:,} ({device}, {workers} workers)")
    text = f"Outputs with the cells of the processor, of {len(expected):,}: {', '.join(lines)}."
    return textwrap.fill(text, 100, break_on_hyphens=False)


def graphics() -> str:
    """Return the name of the GPU and its driver, and the version of onnxruntime."""
    asked = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        told = "none of NVIDIA"
    return f"GPU and driver: {told}. onnxruntime {onnxruntime.__version__}."


if __name__ == "__main__":
    main()
