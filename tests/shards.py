"""Small tar shards of WebDataset, with pictures that differ."""

from __future__ import annotations

import functools
import gzip
import io
import os
import tarfile
from typing import TYPE_CHECKING

from PIL import Image as Pillow

from tests.photos import LONG_AGO, picture

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@functools.cache
def png(seed: int, side: int = 24) -> bytes:
    """Return a picture as a PNG file."""
    file = io.BytesIO()
    Pillow.fromarray(picture(seed, side, side + 3 * (seed % 3))).save(file, "PNG")
    return file.getvalue()


def tar(entries: Iterable[tuple[str, bytes]], form: int = tarfile.USTAR_FORMAT) -> bytes:
    """Return an archive of regular files."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, data in entries:
            about = tarfile.TarInfo(name)
            about.size = len(data)
            archive.addfile(about, io.BytesIO(data))
    return file.getvalue()


def samples(first: int, count: int, classes: int = 3) -> list[tuple[str, bytes]]:
    """Return the entries of samples: a picture and a class for each."""
    entries = []
    for number in range(first, first + count):
        entries.append((f"{number:05d}.png", png(number)))
        entries.append((f"{number:05d}.cls", b"%d" % (number % classes)))
    return entries


def write(path: Path, data: bytes) -> Path:
    """Write an archive; one whose name ends in gz is compressed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, mtime=0) if path.name.endswith("gz") else data)
    os.utime(path, ns=(LONG_AGO, LONG_AGO))
    return path


def shards(folder: Path, *names: str, each: int = 6) -> Path:
    """Make shards of these names, one after the other."""
    for place, name in enumerate(names):
        write(folder / name, tar(samples(place * each, each)))
    return folder
