"""Reading the training pictures: photos with a mask, cut-out objects, and plain pictures."""

import csv
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # (height, width, 3), RGB
Mask = NDArray[np.float32]  # (height, width), 1 = object
SUFFIXES = (".jpg", ".jpeg", ".png")
LONGEST = 500  # pixels: a view is at most 224


@dataclass(frozen=True)
class MaskedPhoto:
    """A photo with the mask of its object; `mask` has the size of `image`.

    `fold` is None for a cut-out object: no photo of any fold shows in it.
    """

    name: str
    fold: int | None
    image: Image
    mask: Mask

    @property
    def folds(self) -> frozenset[int]:
        """The folds that show in a view of this photo."""
        return frozenset() if self.fold is None else frozenset({self.fold})


def shrink(image: Image) -> Image:
    """Shrink a picture to at most LONGEST pixels a side; any number of channels."""
    height, width = image.shape[:2]
    scale = LONGEST / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def decode(data: bytes) -> Image:
    """Decode one picture file to RGB."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError("a picture of the training data could not be decoded")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def masked_photos(folder: Path) -> list[MaskedPhoto]:
    """Read photos/ID.jpg and masks/ID.png, in the order of list.csv.

    Photos of all folds are read; views of the fold that is held out are removed by `cache.load`.
    """
    photos = []
    with (folder / "list.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        name = row["id"]
        image = decode((folder / "photos" / f"{name}.jpg").read_bytes())
        mask = cv2.imread(str(folder / "masks" / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise FileNotFoundError(f"no mask for {name} under {folder}")
        photos.append(MaskedPhoto(name, int(row["fold"]), image, (mask > 127).astype(np.float32)))
    return photos


def pictures(folder: Path) -> Iterator[Image]:
    """Decode every JPEG or PNG below a folder and in its plain tars, in the order of their names.

    Larger ones are shrunk to LONGEST pixels a side.
    """
    for file in sorted(folder.rglob("*")):
        if file.suffix == ".tar":
            yield from tar_pictures(file)
        elif file.suffix.lower() in SUFFIXES:
            yield shrink(decode(file.read_bytes()))


def tar_pictures(file: Path) -> Iterator[Image]:
    """Decode every JPEG or PNG of a plain tar file, in the order of their names."""
    with tarfile.open(file) as archive:
        members = [m for m in archive.getmembers() if m.name.lower().endswith(SUFFIXES)]
        for member in sorted(members, key=lambda member: member.name):
            data = archive.extractfile(member)
            if data is not None:
                yield shrink(decode(data.read()))


def cut_outs(folder: Path) -> list[MaskedPhoto]:
    """Read every PNG below a folder whose transparency cuts out an object."""
    objects = []
    for file in sorted(folder.rglob("*.png")):
        image = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        if image is None or image.ndim != 3 or image.shape[2] != 4 or image.dtype != np.uint8:
            continue
        image = shrink(np.asarray(image, np.uint8))
        alpha = image[..., 3].astype(np.float32) / 255
        # Signs and other full rectangles have no outline of their own.
        if 0.02 < alpha.mean() < 0.97 and alpha.max() == 1:
            colours = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGRA2RGB), np.uint8)
            objects.append(MaskedPhoto(file.stem, None, colours, alpha))
    return objects


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
