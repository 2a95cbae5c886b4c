"""Reading the training pictures, all squashed to one size, as the scorer will see them."""

import csv
import tarfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # (height, width, 3), RGB
Mask = NDArray[np.uint8]  # (height, width), 255 = object
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
SIDE = 192  # pixels: the finest crop has 40 % of a side, and the scorer's input has 112


@dataclass(frozen=True)
class Objects:
    """Pictures with the masks of their objects: uint8 (N, SIDE, SIDE, 3) and (N, SIDE, SIDE)."""

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]


@dataclass(frozen=True)
class Pictures:
    """Everything that views are cut from."""

    masked: Objects  # photos with a mask
    cut_outs: Objects  # pictures with a transparent background: only pasted
    photos: NDArray[np.uint8]  # (N, SIDE, SIDE, 3): photos without a mask
    small: NDArray[np.uint8]  # the same, of pictures of few pixels


def decode(data: bytes) -> Image:
    """Decode one picture file to RGB."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError("a picture of the training data could not be decoded")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def squash(image: Image | Mask, side: int = SIDE) -> NDArray[np.uint8]:
    """Resize to side x side as augcli does before scoring: area to shrink, linear to enlarge."""
    height, width = image.shape[:2]
    how = cv2.INTER_AREA if height >= side and width >= side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (side, side), interpolation=how), np.uint8)


def pictures(folder: Path) -> Iterator[Image]:
    """Decode every picture below a folder and in its plain tars, in the order of their names."""
    for file in [folder] if folder.is_file() else sorted(folder.rglob("*")):
        if file.suffix == ".tar":
            yield from tar_pictures(file)
        elif file.suffix.lower() in SUFFIXES:
            yield decode(file.read_bytes())


def tar_pictures(file: Path) -> Iterator[Image]:
    """Decode every picture of a plain tar file, in the order of their names."""
    with tarfile.open(file) as archive:
        members = [m for m in archive.getmembers() if m.name.lower().endswith(SUFFIXES)]
        for member in sorted(members, key=lambda member: member.name):
            data = archive.extractfile(member)
            if data is not None:
                yield decode(data.read())


def masked_photos(
    folder: Path, folds: Collection[int] | None = None
) -> Iterator[tuple[Image, Mask]]:
    """Read photos/ID.* and masks/ID.png, in the order of their names.

    Args:
        folder: Holds photos/ and masks/.
        folds: Read the photos of these folds alone; list.csv gives the fold of each photo.
    """
    wanted = None
    if folds is not None:
        with (folder / "list.csv").open(newline="", encoding="utf-8") as file:
            wanted = {row["id"] for row in csv.DictReader(file) if int(row["fold"]) in folds}
    for photo in sorted((folder / "photos").glob("*")):
        if wanted is not None and photo.stem not in wanted:
            continue
        mask = cv2.imread(str(folder / "masks" / f"{photo.stem}.png"), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise FileNotFoundError(f"no mask for {photo}")
        yield decode(photo.read_bytes()), np.asarray((mask > 127) * np.uint8(255), np.uint8)


def cut_outs(folder: Path) -> Iterator[tuple[Image, Mask]]:
    """Read every picture below a folder whose transparency cuts out an object."""
    for file in sorted(f for f in folder.rglob("*") if f.suffix in {".png", ".webp"}):
        image = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        if image is None or image.ndim != 3 or image.shape[2] != 4 or image.dtype != np.uint8:
            continue
        alpha = image[..., 3]
        # Signs and other full rectangles have no outline of their own.
        if 0.02 < alpha.mean() / 255 < 0.97 and alpha.max() == 255:
            yield np.asarray(cv2.cvtColor(image, cv2.COLOR_BGRA2RGB), np.uint8), alpha


def join(items: Iterable[tuple[Image, Mask]]) -> Objects:
    """Squash pictures and masks and put them into two arrays."""
    squashed = [(squash(image), squash(mask)) for image, mask in items]
    empty = np.empty((0, SIDE, SIDE, 3), np.uint8)
    if not squashed:
        return Objects(empty, empty[..., 0])
    images, masks = zip(*squashed, strict=True)
    return Objects(np.stack(images), np.stack(masks))


def stack(images: Iterable[Image]) -> NDArray[np.uint8]:
    """Squash pictures and put them into one array."""
    squashed = [squash(image) for image in images]
    return np.stack(squashed) if squashed else np.empty((0, SIDE, SIDE, 3), np.uint8)


def read(data: Path, held_back: Collection[int]) -> Pictures:
    """Read all pictures, without the masked photos of the folds that are held back."""
    folds = set(range(5)) - set(held_back)
    return Pictures(
        join([*masked_photos(data / "objects", folds), *masked_photos(data / "masked")]),
        join(cut_outs(data / "cut-outs")),
        stack(pictures(data / "photos")),
        stack(pictures(data / "small")),
    )
