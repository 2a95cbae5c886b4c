"""Reading the training pictures: photos with an object mask, and plain pictures in tar files."""

import csv
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # (height, width, 3), RGB
Mask = NDArray[np.float32]  # (height, width), 1 = object


@dataclass(frozen=True)
class MaskedPhoto:
    """A photo with the mask of its object; `mask` has the size of `image`."""

    name: str
    fold: int
    image: Image
    mask: Mask


def decode(data: bytes) -> Image:
    """Decode one picture file to RGB."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError("a picture of the training data could not be decoded")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def masked_photos(folder: Path, folds: frozenset[int]) -> list[MaskedPhoto]:
    """Read photos/ID.jpg and masks/ID.png of the wanted folds, in the order of list.csv.

    The folds are asked for here, and not filtered later, so that a held-back photo is never
    even opened by the training.
    """
    found = []
    with (folder / "list.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if int(row["fold"]) in folds]
    for row in rows:
        name = row["id"]
        image = decode((folder / "photos" / f"{name}.jpg").read_bytes())
        mask = cv2.imread(str(folder / "masks" / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise FileNotFoundError(f"no mask for {name} under {folder}")
        found.append(MaskedPhoto(name, int(row["fold"]), image, (mask > 127).astype(np.float32)))
    return found


def tar_pictures(file: Path) -> Iterator[Image]:
    """Decode every JPEG or PNG of a plain tar file, in the order of their names."""
    with tarfile.open(file) as archive:
        members = sorted(
            (m for m in archive.getmembers() if m.name.lower().endswith((".jpg", ".jpeg", ".png"))),
            key=lambda member: member.name,
        )
        for member in members:
            data = archive.extractfile(member)
            if data is not None:
                yield decode(io.BytesIO(data.read()).getvalue())


def squash(image: Image, side: int) -> Image:
    """Resize to side x side as augcli does before scoring: area to shrink, linear to enlarge."""
    height, width = image.shape[:2]
    how = cv2.INTER_AREA if height >= side and width >= side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (side, side), interpolation=how), np.uint8)


def coverage(mask: Mask, grid: int) -> NDArray[np.float32]:
    """Share of object pixels in each cell of a grid over the squashed mask, (grid, grid)."""
    fine = cv2.resize(mask, (grid * 32, grid * 32), interpolation=cv2.INTER_AREA)
    cells = fine.reshape(grid, 32, grid, 32).mean(axis=(1, 3))
    return np.asarray(cells, np.float32)
