"""The pictures that the benchmark runs on, made or unpacked once into a work folder."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

QUALITY = 90
LARGE = (4000, 3000)
LARGE_ORIGINALS = 12
PNG_SIDE = 512


class Scenario(NamedTuple):
    """One kind of picture.

    Attributes:
        name: As on the command line.
        title: As in the tables.
        counts: How many files the folders hold, the largest first; slow contenders take a
            smaller one, so that one run stays short.
        quick: The same for a quick run.
    """

    name: str
    title: str
    counts: tuple[int, ...]
    quick: tuple[int, ...]


SCENARIOS = {
    one.name: one
    for one in (
        Scenario("photos", "photos", (3000, 1000, 300), (600, 150)),
        Scenario("small", "32x32", (50_000, 10_000, 1000), (10_000, 1000)),
        Scenario("large", "12 MP", (36, 12), (12,)),
        Scenario("png", "PNG 512x512", (180, 60), (60,)),
    )
}


def prepare(scenario: Scenario, counts: list[int], data: Path | None, work: Path) -> list[Path]:
    """Return a folder of class folders for each number of files, made where it is not there.

    Args:
        scenario: Which pictures.
        counts: How many files each folder holds.
        data: Holds photos.tar and cifar10.tar; pictures are drawn where it lacks them.
        work: Takes the folders.
    """
    originals = work / f"{scenario.name}-originals"
    if not originals.is_dir():
        unfinished = work / f"{scenario.name}-unfinished"
        _make(scenario.name, data, work, unfinished, max(counts))
        unfinished.rename(originals)
    return [_repeated(originals, count, work / f"{scenario.name}-{count}") for count in counts]


def _make(name: str, data: Path | None, work: Path, folder: Path, count: int) -> None:
    if name in ("photos", "small"):
        archive = data / ("photos.tar" if name == "photos" else "cifar10.tar") if data else None
        if archive and archive.is_file():
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
            return
        for number in range(min(count, 64 if name == "photos" else 512)):
            picture = drawn(number, 375, 500) if name == "photos" else drawn(number, 32, 32)
            _save(folder / f"class-{number % 8}" / f"{number:04d}.jpg", picture)
        return
    photos = prepare(SCENARIOS["photos"], [min(count, 96)], data, work)[0]
    # Large ones are few: what is enlarged need not differ much.
    wanted = LARGE_ORIGINALS if name == "large" else 60
    for number, path in enumerate(spread(photos, min(wanted, count))):
        found = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
        assert found is not None
        size = LARGE if name == "large" else (PNG_SIDE, PNG_SIDE)
        extension = "jpg" if name == "large" else "png"
        picture = cv2.resize(found, size, interpolation=cv2.INTER_CUBIC)
        target = folder / path.parent.name / f"{number:04d}.{extension}"
        _save(target, np.asarray(picture, np.uint8))


def drawn(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    """Return a picture with areas, edges and some grain, whose files are as large as a photo's."""
    random = np.random.default_rng([seed, height])
    areas = random.integers(0, 256, (6, 8, 3), np.uint8)
    picture = cv2.resize(areas, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    for _ in range(6):
        top, left = int(random.integers(height)), int(random.integers(width))
        picture[top : top + height // 3, left : left + width // 4] = random.integers(0, 256, 3)
    picture += random.integers(-8, 9, picture.shape, np.int16)
    return picture.clip(0, 255).astype(np.uint8)


def _save(path: Path, image: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = [cv2.IMWRITE_JPEG_QUALITY, QUALITY] if path.suffix == ".jpg" else []
    path.write_bytes(cv2.imencode(path.suffix, image, settings)[1].tobytes())


def spread(folder: Path, count: int) -> list[Path]:
    """Return some files of all class folders, in turn."""
    found = sorted(folder.glob("*/*"))
    return [found[index * len(found) // count] for index in range(count)]


def _repeated(originals: Path, count: int, folder: Path) -> Path:
    """Fill a folder with hard links to the originals, under as many names as are wanted."""
    if folder.is_dir():
        return folder
    unfinished = folder.with_name(f"{folder.name}-unfinished")
    found = spread(originals, min(count, len(list(originals.glob("*/*")))))
    for path, name in _names(found, count):
        target = unfinished / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, target)
    unfinished.rename(folder)
    return folder


def _names(found: list[Path], count: int) -> Iterator[tuple[Path, str]]:
    for number in range(count):
        path = found[number % len(found)]
        again = number // len(found)
        yield path, f"{path.parent.name}/{path.stem}-{again:03d}{path.suffix}"


CONTAINERS = ("webdataset", "npz", "parquet")
"""What :func:`packed` can put the pictures of a folder into."""


def packed(folder: Path, kind: str) -> Path:
    """Return the same pictures in another kind of INPUT, made where it is not there.

    Args:
        folder: Holds class folders.
        kind: One of :data:`CONTAINERS`; arrays (``npz``) hold the decoded pixels.
    """
    path = folder.with_name(f"{folder.name}-{kind}")
    if path.exists():
        return path
    if kind == "npz":
        path.mkdir()
        np.savez(path / "train.npz", **_arrays(folder))
        return path
    command = [sys.executable, "-m", "augcli", "export", str(folder)]
    subprocess.run(
        [*command, "--out", str(path), "--to", kind], check=True, stdout=subprocess.DEVNULL
    )
    return path


def _arrays(folder: Path) -> dict[str, NDArray[np.generic]]:
    """Return all pictures of a folder, which have one size, and the numbers of their classes."""
    files = sorted(folder.glob("*/*"))
    classes = sorted({file.parent.name for file in files})
    decoded = [cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_COLOR_RGB) for file in files]
    labels = [classes.index(file.parent.name) for file in files]
    return {"images": np.stack(decoded), "labels": np.array(labels, np.int64)}
