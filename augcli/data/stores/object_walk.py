"""A walk through the objects of a bucket: which of them are pictures, and what all others are."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from augcli.data.codecs.formats import EXTENSIONS
from augcli.data.run_record import RECORD, TRACES, has_record
from augcli.data.stores.contents import OF_THE_SYSTEM
from augcli.errors import InputError
from augcli.files import entries, is_inside, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.data.stores.sources import Sources

NO_PATH = "its name has an empty folder, '.' or '..' in it, so no manifest can hold it; rename it"


@dataclass(slots=True)
class ObjectWalk:
    """One walk through the objects below a URL; what it can't use is noted in ``sources``.

    Objects that are no pictures by their names are not looked into: each look is a request.

    Attributes:
        root: The URL of the sources.
        out: That of an output, which is never read; empty for none.
        sources: Takes what is refused and skipped.
        tops: Folders directly below the root, by name: how many objects each has, of any kind.
    """

    root: str
    out: str
    sources: Sources
    tops: dict[str, int] = field(default_factory=dict)

    def files(self) -> Iterator[tuple[str, int, int]]:
        """Yield path, size and version of each picture, sorted by path.

        Raises:
            InputError: The objects can't be listed.
        """
        pictures: list[tuple[str, int, int]] = []
        others: Counter[tuple[str, str]] = Counter()
        outputs: set[str] = set()
        below = f"{self.out[len(self.root) + 1 :]}/" if self.out else ""
        try:
            for name, size, version in entries(self.root):
                folder, _, leaf = name.rpartition("/")
                if leaf in (RECORD, *TRACES) or TRACES & {*folder.split("/")}:
                    outputs.add(_output(folder))
                if not is_inside(name):
                    self.sources.refused.append((name, NO_PATH))
                    continue
                if (below and name.startswith(below)) or _is_hidden(name):
                    continue
                top, slash, _ = name.partition("/")
                if slash:
                    self.tops[top] = self.tops.get(top, 0) + 1
                ending = os.path.splitext(leaf)[1].lower()
                if ending in EXTENSIONS:
                    pictures.append((name, size, version))
                elif slash:
                    others[f"{folder}/", ending] += 1
        except OSError as error:
            raise InputError(
                f"INPUT {shown(self.root)} can't be listed: {error.strerror}"
            ) from None
        inside = tuple(f"{folder}/" for folder in self._outputs(outputs))
        for (folder, ending), count in others.items():
            if not folder.startswith(inside):
                self.sources.skipped[f"{ending or 'other'} file", "no image by its name"] += count
        if inside:
            self.sources.skipped["folder", "an output of augcli"] += len(inside)
        yield from (one for one in sorted(pictures) if not one[0].startswith(inside))

    def _outputs(self, folders: set[str]) -> Iterator[str]:
        """Yield those folders that are outputs of augcli."""
        for folder in sorted(folders - {""}):
            if has_record(f"{self.root}/{folder}"):
                yield folder


def _output(folder: str) -> str:
    """Return the folder that may be an output, by one that augcli may have left something in."""
    names = folder.split("/")
    trace = next((at for at, name in enumerate(names) if name in TRACES), len(names))
    return "/".join(names[:trace])


def _is_hidden(name: str) -> bool:
    folders = name.split("/")
    return any(one.startswith(".") for one in folders) or not OF_THE_SYSTEM.isdisjoint(folders)
