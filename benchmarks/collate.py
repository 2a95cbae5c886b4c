"""How much mixing adds to collating a batch, beside torchvision's CutMix and timm's mixup.

All take the same batch of uint8 tensors, on one thread, in turns; medians of the thread's processor
time are reported, and ratios of them. `collate` is PyTorch's default_collate. As in the worker of a
loader, each batch gets new memory from the system, which counts for all of them.

    python benchmarks/collate.py --rounds 40

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
from typing import TYPE_CHECKING, Any

os.environ["OMP_NUM_THREADS"] = "1"

import cv2
import numpy as np
import torch
from torch.utils.data import default_collate

import augcli
from augcli.attention.heat_map_file import About, save_maps
from augcli.torch import BatchMixer

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from tests.loaders.torchvision_import import torchvision

if TYPE_CHECKING:
    from collections.abc import Callable

CLASSES = 10
STORED = 50_000
"""Heat maps in the file, as many as CIFAR-10 has pictures."""
MMAP_THRESHOLD = -3
"""Number of the option of the C library: larger blocks of memory come from the system."""


def heat_maps(folder: str) -> str:
    """Write a file of heat maps and return its path."""
    random = np.random.default_rng(0)
    names = [f"class/{number:05d}.jpg" for number in range(STORED)]
    maps = random.random((STORED, 7, 7)).astype(np.float16)
    path = f"{folder}/maps.npz"
    save_maps(path, About("00" * 32, 7, True), names, np.zeros((STORED, 32), np.uint8), maps)
    return path


def contenders(side: int, batch: int, maps: str) -> dict[str, Callable[[], Any]]:
    """Return what is timed, by name; all work on the same samples."""
    random = np.random.default_rng(1)
    shape = (batch, 3, side, side)
    pixels = torch.from_numpy(random.integers(0, 256, shape, np.uint8))
    labels = random.integers(0, CLASSES, batch).tolist()
    names = [f"class/{number:05d}.jpg" for number in random.permutation(STORED)[:batch]]
    pairs = [(image.clone(), label) for image, label in zip(pixels, labels, strict=True)]
    named = [(*pair, name) for pair, name in zip(pairs, names, strict=True)]
    numpy_pairs = [(image.numpy(), label) for image, label in pairs]
    attentive = BatchMixer(augcli.AttentiveCutMix(top_n=6), heat_maps=maps, classes=CLASSES)
    box = BatchMixer(augcli.CutMix(region="box"), classes=CLASSES)
    found: dict[str, Callable[[], Any]] = {
        "collate": lambda: default_collate(pairs),
        "augcli attentive": lambda: attentive(named),
        "augcli box": lambda: box(named),
    }
    try:
        torchvision()
        from torchvision.transforms import v2  # noqa: PLC0415

        cutmix = v2.CutMix(num_classes=CLASSES)
        found["torchvision CutMix"] = lambda: cutmix(*default_collate(pairs))
    except ImportError:
        print("torchvision is not installed: left out")
    try:
        from timm.data.mixup import FastCollateMixup  # noqa: PLC0415

        for mode in ("batch", "elem"):
            options = {"mixup_alpha": 0, "cutmix_alpha": 1.0, "label_smoothing": 0}
            mixup = FastCollateMixup(**options, mode=mode, num_classes=CLASSES)
            found[f"timm FastCollateMixup, {mode}"] = lambda mixup=mixup: mixup(numpy_pairs)
    except ImportError:
        print("timm is not installed: left out")
    return found


def medians(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Return milliseconds of each, timed in turns."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.thread_time()
            call()
            taken[name].append(1000 * (time.thread_time() - start))
    return {name: statistics.median(times[2:]) for name, times in taken.items()}


def on_a_gpu(batch: int, maps: str, rounds: int) -> None:
    """Time a call in the loop on CUDA, where there is a GPU."""
    if not torch.cuda.is_available():
        print("\nCUDA: no GPU here, not measured")
        return
    mixer = BatchMixer(augcli.AttentiveCutMix(top_n=6), heat_maps=maps, classes=CLASSES)
    names = [f"class/{number:05d}.jpg" for number in range(batch)]
    for side in (32, 224):
        images = torch.zeros((batch, 3, side, side), dtype=torch.uint8, device="cuda")
        labels = torch.zeros(batch, dtype=torch.int64, device="cuda")
        taken = []
        for _ in range(rounds):
            torch.cuda.synchronize()
            start = time.perf_counter()
            mixer(images, labels, names)
            torch.cuda.synchronize()
            taken.append(1000 * (time.perf_counter() - start))
        print(f"\nCUDA, {side} x {side}: {statistics.median(taken[2:]):.2f} ms")


def main() -> None:
    """Time all and print a table for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--batch", type=int, default=128)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(MMAP_THRESHOLD, 1 << 22)
    with tempfile.TemporaryDirectory() as folder:
        maps = heat_maps(folder)
        for side in (32, 224):
            times = medians(contenders(side, options.batch, maps), options.rounds)
            plain = times["collate"]
            print(f"\n{options.batch} pictures of {side} x {side}, uint8\n")
            print("| what | ms | more than collate, ms | times collate |\n|---|---:|---:|---:|")
            for name, taken in times.items():
                print(f"| {name} | {taken:.2f} | {taken - plain:.2f} | {taken / plain:.2f} |")
        on_a_gpu(options.batch, maps, options.rounds)


if __name__ == "__main__":
    main()
