"""A small set of pictures with heat maps, and what offline runs make of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import augcli
from tests.photos import picture, read, save

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.conftest import Cli

CLASSES = ("cat", "dog", "emu")
SIDES = (32, 36)


class Batch(NamedTuple):
    """All pictures of a set, sorted by name.

    Attributes:
        folder: INPUT.
        names: Paths relative to INPUT.
        images: uint8 (n, H, W, 3).
        labels: int64 (n,).
    """

    folder: Path
    names: list[str]
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


def batch_of(folder: Path, count: int = 13, sides: tuple[int, int] = SIDES) -> Batch:
    """Write pictures of one size into class folders and return them as a batch."""
    names = sorted(f"{CLASSES[index % 3]}/{index:03d}.png" for index in range(count))
    images = [picture(index, *sides) for index in range(count)]
    for name, image in zip(names, images, strict=True):
        save(folder / name, image)
    labels = [CLASSES.index(name.partition("/")[0]) for name in names]
    return Batch(folder, names, np.stack(images), np.array(labels))


def offline(
    batch: Batch, method: Any, out: Path, copy: int, **options: Any
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return pictures and label vectors of one copy, in the order of the sources."""
    augcli.augment(batch.folder, method, out=out, format="png", workers=0, **options)
    data = augcli.read(out)
    row_of = {row.source_a: at for at, row in enumerate(data.rows) if row.copy == copy}
    order = [row_of[name] for name in batch.names]
    assert data.classes == CLASSES
    return np.stack([read(Path(data.paths[at])) for at in order]), data.targets[order]


def heat_maps_of(batch: Batch, scorer: Path, cli: Cli) -> Path:
    """Write a file of heat maps of all pictures."""
    file = batch.folder.parent / "maps.npz"
    assert cli("heatmaps", batch.folder, "--model", scorer, "--out", file).code == 0
    return file
