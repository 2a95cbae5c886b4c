"""A file of heat maps with random content, as many as CIFAR-10 has pictures."""

from __future__ import annotations

import numpy as np

from augcli.attention.heat_map_file import About, save_maps

STORED = 50_000
NAMES = [f"class/{number:05d}.jpg" for number in range(STORED)]


def stored_maps(folder: str) -> str:
    """Write a file with a heat map of each of :data:`NAMES` and return its path."""
    maps = np.random.default_rng(0).random((STORED, 7, 7)).astype(np.float16)
    path = f"{folder}/maps.npz"
    save_maps(path, About("00" * 32, 7, True), NAMES, np.zeros((STORED, 32), np.uint8), maps)
    return path
