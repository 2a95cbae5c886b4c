"""A folder of sources that changes: what people and bad luck do to pictures and class folders."""

from __future__ import annotations

import functools
import io
import os
import random
from typing import TYPE_CHECKING, Literal

from PIL import Image as Pillow

from tests.photos import LONG_AGO, picture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Breakage = Literal["cut", "garbage", "empty"]
Change = Literal["same", "other", "time"]
CHANGES: dict[Change, str] = {
    "same": "another picture, a PNG of the same size",
    "other": "another picture",
    "time": "touched",
}

SHAPES = 3
"""Sizes of the pictures."""


@functools.cache
def content(seed: int, extension: str) -> bytes:
    """Return a picture; PNG files of seeds that differ by a multiple of SHAPES have one size."""
    data = io.BytesIO()
    side = 9 + 2 * (seed % SHAPES)
    image = Pillow.fromarray(picture(seed, side, 10))
    if extension == "png":
        image.save(data, "PNG", compress_level=0)
    else:
        image.save(data, "JPEG", quality=90)
    return data.getvalue()


class ChangingSources:
    """INPUT, and what is put aside from it.

    Args:
        folder: Gets the folders ``photos``, which is INPUT, and ``aside``.
        say: Takes a line for each change.

    Attributes:
        folder: INPUT.
        files: Seed of the content of each source, by path; those put aside too.
        times: Time of change of each source.
        hidden: Sources and class folders that can't be read.
        aside: Class folders that lie elsewhere for now.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.folder, self._aside = folder / "photos", folder / "aside"
        for place in (self.folder, self._aside):
            place.mkdir()
        self.files: dict[str, int] = {}
        self.times: dict[str, int] = {}
        self.hidden: set[str] = set()
        self.aside: set[str] = set()
        self._say = say
        self._damaged: set[str] = set()
        self._number = 0

    @property
    def there(self) -> list[str]:
        """The sources that lie in INPUT in folders that can be listed."""
        return [path for path in sorted(self.files) if not self._is_away(top(path))]

    @property
    def visible(self) -> list[str]:
        """Those of them that can be read."""
        return [path for path in self.there if path not in self.hidden]

    @property
    def broken(self) -> list[str]:
        """Those of them that are damaged."""
        return [path for path in self.visible if path in self._damaged]

    @property
    def labels(self) -> list[str]:
        """The class folders with sources that can be listed."""
        return sorted({top(path) for path in self.there})

    def add(self, folder: str, extension: str, count: int = 1) -> None:
        """Add new pictures to a folder whose class is not away."""
        if self._is_away(top(folder)):
            return
        first = self._number
        for _ in range(count):
            path = f"{folder}/{self._number:04d}.{extension}"
            self._write(path, content(self._number, extension))
            self.files[path] = self._number
        last = f" to {self._number - 1:04d}" if count > 1 else ""
        self._say(f"new pictures photos/{folder}/{first:04d}{last} ({extension})")

    def remove(self, path: str) -> None:
        """Remove a source."""
        (self.folder / path).unlink()
        del self.files[path]
        self.hidden.discard(path)
        self._damaged.discard(path)
        self._say(f"rm photos/{path}")

    def change(self, path: str, how: Change) -> None:
        """Give a source another content or another time."""
        if how == "time":
            seed = self.files[path]
        else:
            seed = self.files[path] + (1000 * SHAPES if how == "same" else 1001)
        self.files[path] = seed
        self._write(path, content(seed, path.rpartition(".")[2]))
        self._say(f"{CHANGES[how]}: photos/{path}")

    def rename(self, path: str, folder: str) -> None:
        """Give a source another name, maybe in another folder."""
        if self._is_away(top(folder)):
            return
        new = f"{folder}/r{self._number:04d}.{path.rpartition('.')[2]}"
        self._number += 1
        (self.folder / folder).mkdir(parents=True, exist_ok=True)
        (self.folder / path).rename(self.folder / new)
        self.files[new], self.times[new] = self.files.pop(path), self.times[path]
        for those in (self.hidden, self._damaged):
            if path in those:
                those.remove(path)
                those.add(new)
        self._say(f"mv photos/{path} photos/{new}")

    def break_(self, path: str, how: Breakage) -> None:
        """Damage a source."""
        whole = content(self.files[path], path.rpartition(".")[2])
        if how == "cut":
            data = whole[: len(whole) // 2]
        elif how == "garbage":
            data = random.Random(self.files[path]).randbytes(len(whole))
        else:
            data = b""
        self._write(path, data)
        self._damaged.add(path)
        self._say(f"broken ({how}): photos/{path}")

    def mend(self, path: str) -> None:
        """Write a source as it was before it was damaged."""
        self._write(path, content(self.files[path], path.rpartition(".")[2]))
        self._say(f"written again: photos/{path}")

    def hide(self, path: str) -> None:
        """Make a source or a class folder unreadable."""
        (self.folder / path).chmod(0)
        self.hidden.add(path)
        self._say(f"chmod 0 photos/{path}")

    def show(self, path: str) -> None:
        """Make it readable again."""
        target = self._place(path)
        self.hidden.discard(path)
        target.chmod(0o755 if target.is_dir() else 0o644)
        self._say(f"chmod u+rwX photos/{path}")

    def take(self, label: str) -> None:
        """Put a class folder aside, as if its disk were not mounted."""
        (self.folder / label).rename(self._aside / label)
        self.aside.add(label)
        self._say(f"mv photos/{label} aside/")

    def bring(self, label: str) -> None:
        """Put it back."""
        (self._aside / label).rename(self.folder / label)
        self.aside.discard(label)
        self._say(f"mv aside/{label} photos/")

    def folders(self) -> set[str]:
        """Return all folders, at any depth, in which a source lies that can be listed."""
        return {folder for path in self.there for folder in _folders(path)}

    def unreadable(self) -> list[str]:
        """Return the sources in INPUT that can't be read."""
        return [
            path
            for path in self.files
            if (path in self.hidden or top(path) in self.hidden) and top(path) not in self.aside
        ]

    def _is_away(self, label: str) -> bool:
        return label in self.aside or label in self.hidden

    def _place(self, path: str) -> Path:
        return (self._aside if top(path) in self.aside else self.folder) / path

    def _write(self, path: str, data: bytes) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if path in self.hidden:
            self.show(path)
        target.write_bytes(data)
        self._damaged.discard(path)
        self._number += 1
        # One for each write: a changed source has another time.
        time = LONG_AGO + self._number * 10**9
        os.utime(target, ns=(time, time))
        self.times[path] = time


def top(path: str) -> str:
    """Return the class folder of a source."""
    return path.partition("/")[0]


def _folders(path: str) -> list[str]:
    """Return all folders that a source lies in.

    Example:
        >>> _folders("emu/far/1.png")
        ['emu', 'emu/far']
    """
    names = path.split("/")[:-1]
    return ["/".join(names[: count + 1]) for count in range(len(names))]
