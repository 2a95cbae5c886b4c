"""Small class folders of synthetic pictures, and what lies in a folder afterwards."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pillow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from augcli.pixels.frame import Image

LONG_AGO = 1_600_000_000_000_000_000
"""Time of change of every picture: folders that are made twice are equal."""


def picture(seed: int, height: int, width: int) -> Image:
    """Return noise of 2 x 2 blocks: no two pictures share many pixels."""
    random = np.random.default_rng([seed, height, width])
    blocks = random.integers(0, 256, (height // 2 + 1, width // 2 + 1, 3), np.uint8)
    return blocks.repeat(2, axis=0).repeat(2, axis=1)[:height, :width].copy()


def save(path: Path, image: Image) -> Path:
    """Write a picture in the format of its extension."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(image).save(path, quality=90)
    os.utime(path, ns=(LONG_AGO, LONG_AGO))
    return path


def class_folders(
    folder: Path, counts: Mapping[str, int], *, side: int = 24, backwards: bool = False
) -> Path:
    """Make one folder for each class, with JPEG and PNG pictures of different sizes.

    Args:
        folder: Takes the folders of the classes.
        counts: How many pictures by class.
        side: Length of the shortest side.
        backwards: Make the files in the opposite order.
    """
    wanted = [(label, number) for label, count in counts.items() for number in range(count)]
    for label, number in reversed(wanted) if backwards else wanted:
        height, width = side + 5 * (number % 3), side + 7 * (number % 4)
        extension = "png" if number % 2 else "jpg"
        seed = 1000 * sorted(counts).index(label) + number
        save(folder / label / f"{number:03d}.{extension}", picture(seed, height, width))
    return folder


def read(path: Path) -> Image:
    """Return the pixels of a picture, as Pillow reads them."""
    with Pillow.open(path) as found:
        return np.array(found.convert("RGB"))


def tree(folder: Path, *, hidden: bool = True) -> dict[str, bytes]:
    """Return the bytes of every file below OUT but run.json, by its path.

    Args:
        folder: OUT.
        hidden: Whether the records of parts come along.
    """
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return {
        name: content
        for name, content in found.items()
        if name != "run.json" and (hidden or not name.startswith((".augcli", "parts.jsonl")))
    }


def times(folder: Path) -> dict[str, int]:
    """Return the time of change of every file below a folder, by its path."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file()
    }


def rows(out: Path, table: str = "metadata.csv") -> list[dict[str, str]]:
    """Return the rows of a table in OUT."""
    with (out / table).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
