"""Which split each source goes to, and what its file is called there.

The split is a function of the seed and the name of the source, or of its group, and of nothing
else. So a picture that is added moves no other one, and the shares of a class are near those
that were asked for, not exactly those.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from unicodedata import normalize

from augcli.data.codecs.formats import EXTENSIONS
from augcli.data.names import safe_folder
from augcli.rng import Digest, digest

if TYPE_CHECKING:
    from augcli.data.stores.sources import Sources

SPLITS: Final = ("train", "val", "test")
_WHOLE: Final = 1 << 64


@dataclass(slots=True)
class Division:
    """Divides sources into train, val and test.

    Attributes:
        sources: All of them.
        seed: Another seed divides them in another way.
        val: Share of val.
        test: Share of test.

    Example:
        >>> from augcli.data.stores.sources import Sources
        >>> sources = Sources("", ["cat/a.jpg", "cat/b.jpg", "cat/c.jpg"])
        >>> sources.set_classes(["cat"] * 3)
        >>> division = Division(sources, seed=1, val=0.2, test=0.2)
        >>> [division.name(index) for index in range(3)]
        ['test/cat/a.jpg', 'train/cat/b.jpg', 'train/cat/c.jpg']
    """

    sources: Sources
    seed: int
    val: float
    test: float
    _key_of: Digest = field(init=False)

    def __post_init__(self) -> None:
        self._key_of = Digest(self.seed, "split", size=8)

    def split(self, index: int) -> str:
        """Return the split of a source: that of its group, or that of its name."""
        sources = self.sources
        group = sources.groups[sources.group_of[index]] if sources.groups else ""
        # The two forms of a name, as on a Mac, are one picture.
        key = ("group", group) if group else ("name", normalize("NFC", sources.paths[index]))
        place = int.from_bytes(self._key_of(*key), "big") / _WHOLE
        if place < self.test:
            return "test"
        return "val" if place < self.test + self.val else "train"

    def name(self, index: int) -> str:
        """Return where the file of a source goes, with ``/``: ``train/cat/a.jpg``."""
        sources = self.sources
        path, label = sources.paths[index], sources.label(index).heaviest
        name = path
        top, slash, _ = path.partition("/")
        if label and not (slash and normalize("NFC", top) == label):
            name = f"{class_folder(label)}/{path}"
            if sources.find(name) is not None:
                # The picture that has this name in INPUT has it here too.
                stem, ending = os.path.splitext(name)
                name = f"{stem}-{digest(path, size=4).hex()}{ending}"
        if self.is_encoded(index):
            name += ".png"
        return f"{self.split(index)}/{name}"

    def is_encoded(self, index: int) -> bool:
        """Return whether a source is no file of its own, as a picture in an array."""
        return os.path.splitext(self.sources.paths[index])[1].lower() not in EXTENSIONS


@functools.lru_cache(maxsize=4096)
def class_folder(label: str) -> str:
    """Return the folder of a class whose name comes from a table: one folder, and not hidden.

    Example:
        >>> class_folder("cat"), class_folder("a/b"), class_folder(".x")
        ('cat', 'a_b-...', 'x-...')
    """
    plain = label.replace("/", "_").lstrip(".")
    if plain == label:
        return safe_folder(label)
    # Another class may have the plain name.
    return safe_folder(f"{plain}-{digest(label, size=4).hex()}")
