"""How much mixing adds to collating a batch, beside torchvision's CutMix and timm's mixup.

All take the same batch of uint8 tensors, on one thread, in turns; medians of the thread's processor
time are reported, and ratios of them. `collate` is PyTorch's default_collate. Each batch gets new
memory from the system, as in a loader, which counts for all of them. In a worker, so does what a
loader does next: a batch that does not lie in shared memory yet is copied there.

    python benchmarks/collate.py --rounds 40 --page docs/training.md

Needs torch, torchvision and timm: see tests/loaders/requirements.txt.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["OMP_NUM_THREADS"] = "1"

import cv2
import numpy as np
import torch
from report import machine, table, write_between
from stored_maps import NAMES, stored_maps
from torch.utils.data import DataLoader, default_collate, get_worker_info

import augcli
from augcli.torch import BatchMixer

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from tests.loaders.torchvision_import import torchvision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLASSES = 10
COLLATE = "`default_collate`"
SIDES = (32, 224)
PLACES = {"a worker of a loader": 1, "the training process": 0}
PACKAGES = ("augcli", "numpy", "opencv-python-headless", "torch", "torchvision", "timm")
TEXT = """Processor time of one thread for a batch of {batch} pictures, medians of {rounds} rounds
in turns; *times* is the ratio to PyTorch's `default_collate`.

{machine}
"""
MMAP_THRESHOLD = -3
"""Number of the option of the C library: larger blocks of memory come from the system."""


def contenders(side: int, batch: int, maps: str) -> dict[str, Callable[[], Any]]:
    """Return what is timed, by name; all work on the same samples."""
    random = np.random.default_rng(1)
    shape = (batch, 3, side, side)
    pixels = torch.from_numpy(random.integers(0, 256, shape, np.uint8))
    labels = random.integers(0, CLASSES, batch).tolist()
    names = random.permutation(NAMES)[:batch].tolist()
    pairs = [(image.clone(), label) for image, label in zip(pixels, labels, strict=True)]
    named = [(*pair, name) for pair, name in zip(pairs, names, strict=True)]
    numpy_pairs = [(image.numpy(), label) for image, label in pairs]
    attentive = BatchMixer(augcli.AttentiveCutMix(top_n=6), heat_maps=maps, classes=CLASSES)
    box = BatchMixer(augcli.CutMix(region="box"), classes=CLASSES)
    found: dict[str, Callable[[], Any]] = {
        COLLATE: lambda: default_collate(pairs),
        "attentive CutMix, stored maps": lambda: attentive(named),
        '`CutMix(region="box")`': lambda: box(named),
    }
    try:
        torchvision()
        from torchvision.transforms import v2  # noqa: PLC0415

        cutmix = v2.CutMix(num_classes=CLASSES)
        found["torchvision `CutMix`, a box for each batch"] = lambda: cutmix(
            *default_collate(pairs)
        )
    except ImportError:
        print("torchvision is not installed: left out")
    try:
        from timm.data.mixup import FastCollateMixup  # noqa: PLC0415

        for mode, what in {"batch": "each batch", "elem": "each picture"}.items():
            options = {"mixup_alpha": 0, "cutmix_alpha": 1.0, "label_smoothing": 0}
            mixup = FastCollateMixup(**options, mode=mode, num_classes=CLASSES)
            name = f"timm `FastCollateMixup`, a box for {what}"
            found[name] = lambda mixup=mixup: mixup(numpy_pairs)
    except ImportError:
        print("timm is not installed: left out")
    return found


def medians(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Return milliseconds of each, timed in turns."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.thread_time()
            batch = call()
            if get_worker_info():
                for tensor in batch:
                    tensor.share_memory_()
            taken[name].append(1000 * (time.thread_time() - start))
    return {name: statistics.median(times[2:]) for name, times in taken.items()}


class Timings:
    """A data set whose items are times: of a size of pictures, measured where it is loaded."""

    def __init__(self, batch: int, rounds: int, maps: str) -> None:
        self._batch = batch
        self._rounds = rounds
        self._maps = maps

    def __len__(self) -> int:
        return len(SIDES)

    def __getitem__(self, index: int) -> dict[str, float]:
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").mallopt(MMAP_THRESHOLD, 1 << 22)
        return medians(contenders(SIDES[index], self._batch, self._maps), self._rounds)


def main() -> None:
    """Time all, in a worker and in the training process, and write a table for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--page", type=Path, help="takes the tables; printed if not given")
    given = parser.parse_args()
    text = ""
    with tempfile.TemporaryDirectory() as folder:
        timings: Any = Timings(given.batch, given.rounds, stored_maps(folder))
        for place, workers in PLACES.items():
            found = list(DataLoader(timings, batch_size=None, num_workers=workers))
            sizes = [f"{side} x {side}{what}" for side in SIDES for what in (", ms", ", times")]
            text += "\n" + table((f"in {place}", *sizes), rows(found))
    about = machine("benchmarks/collate.py", PACKAGES)
    text = TEXT.format(batch=given.batch, rounds=given.rounds, machine=about) + text
    write_between(given.page, "collate", f"\n{text}\n")


def rows(timings: list[dict[str, float]]) -> Iterator[list[str]]:
    """Yield a row for each contender: its milliseconds for each size, and the ratios."""
    for name in timings[0]:
        row = [name]
        for times in timings:
            row += [f"{times[name]:.2f}", f"{times[name] / times[COLLATE]:.2f}"]
        yield row


if __name__ == "__main__":
    main()
