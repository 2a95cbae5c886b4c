"""What lies in INPUT: the files that hold many pictures each, and the splits that they are of."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from itertools import islice, repeat
from operator import lt
from typing import TYPE_CHECKING, NamedTuple

from augcli.data.codecs.formats import EXTENSIONS
from augcli.data.run_record import is_output_folder
from augcli.data.splits import split_kind
from augcli.errors import InputError
from augcli.files import entries, is_bucket, is_inside, is_url, kind_of, shown, size_and_change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from augcli.data.stores.folder import Layout
    from augcli.data.stores.sources import Sources
    from augcli.files import Entry

DEEPEST = 4
"""Levels of folders that are looked at: data sets nest containers three deep at most."""
MOST_PICTURES = 1000
"""Pictures after which a folder without a container counts as one of pictures."""
OF_THE_SYSTEM = frozenset(
    {"@eaDir", "#recycle", "#snapshot", "$RECYCLE.BIN", "System Volume Information"}
    | {"lost+found", "__MACOSX"}
)
"""Folders that operating systems and network drives make: thumbnails, trash, snapshots."""
_NUMBERED = re.compile(r"(.+?)[-_.]?\d{1,6}(?:[-_.]of[-_.]\d{1,6})?(?:-[0-9a-f]{16})?")
"""A name that ends in a number, such as ``train-00000-of-00003``; some have a hash after it."""


class ContainerFile(NamedTuple):
    """A file that holds many pictures.

    Attributes:
        path: Its absolute path.
        name: Its path relative to INPUT, with ``/``; its own name where INPUT is the file.
        size: Its bytes.
        modified: Time of its last change, in nanoseconds.
    """

    path: str
    name: str
    size: int
    modified: int

    @property
    def leaf(self) -> str:
        """The name without its folders."""
        return self.name.rpartition("/")[2]


def container_files(
    place: str, is_wanted: Callable[[str], bool], out: str | None = None
) -> list[ContainerFile]:
    """Return the files of INPUT that are containers, sorted by name.

    None where a folder holds as many pictures as containers: it is a folder of pictures.

    Args:
        place: INPUT, absolute.
        is_wanted: Whether a file of this name is a container.
        out: A folder that is not looked into.

    Raises:
        InputError: A file has a name that no manifest can hold.
    """
    leaf = os.path.basename(shown(place))
    is_folder = not is_wanted(leaf) or kind_of(place) == "folder"
    if not is_folder:
        found = [leaf]
    elif is_url(place):
        found = _look_into_bucket(place, is_wanted, out or "") if is_bucket(place) else []
    elif os.path.isdir(place):
        found = _Look(place, is_wanted, os.path.realpath(out) if out else "").files()
    else:
        found = []
    files = []
    for name in sorted(found):
        path = f"{place}/{name}" if is_folder else place
        try:
            name.encode("utf-8")
            size, modified = size_and_change(path)
        except UnicodeEncodeError:
            escaped = name.encode("utf-8", "backslashreplace").decode("utf-8")
            raise InputError(
                f"INPUT holds {escaped}, whose name is not UTF-8, so no manifest can hold it; "
                "rename the file"
            ) from None
        except OSError:
            continue
        files.append(ContainerFile(path, name, size, modified))
    return files


def objects_in(root: str, out: str = "") -> Iterator[Entry]:
    """Yield the objects of a bucket that may be sources: not those of OUT, and none hidden.

    Args:
        root: The URL of INPUT.
        out: That of OUT; empty for none.
    """
    below = f"{out[len(root) + 1 :]}/" if out.startswith(f"{root}/") else ""
    for entry in entries(root):
        name = entry.key
        if not is_inside(name) or name.startswith(".") or "/." in name:
            continue
        if (below and name.startswith(below)) or not OF_THE_SYSTEM.isdisjoint(name.split("/")):
            continue
        yield entry


def _look_into_bucket(root: str, is_wanted: Callable[[str], bool], out: str) -> list[str]:
    """Return the names of the containers; none where more objects are pictures."""
    found, pictures = [], 0
    for name, _, _ in objects_in(root, out):
        if name.count("/") >= DEEPEST:
            continue
        leaf = name.rpartition("/")[2]
        if is_wanted(leaf):
            found.append(name)
        elif os.path.splitext(leaf)[1].lower() in EXTENSIONS:
            pictures += 1
            if pictures > MOST_PICTURES and not found:
                break
    return found if pictures < len(found) or not pictures else []


@dataclass(slots=True)
class _Look:
    """A look into a folder, level by level, until it is clear what it holds."""

    root: str
    is_wanted: Callable[[str], bool]
    out: str
    found: list[str] = field(default_factory=list)
    pictures: int = 0

    def files(self) -> list[str]:
        """Return the names of the containers; none where more files are pictures."""
        level = [""]
        for _ in range(DEEPEST):
            # Judged after a whole level: in which order a system lists a folder changes nothing.
            level = [below for folder in level for below in self._folders_in(folder)]
            if self.pictures and self.pictures >= len(self.found):
                return []
        return self.found

    def _folders_in(self, folder: str) -> list[str]:
        """Look at a folder; return the folders in it that are to be looked at too."""
        if self.pictures > MOST_PICTURES and not self.found:
            return []
        entries: list[os.DirEntry[str]] = []
        found, below = [], []
        try:
            with os.scandir(os.path.join(self.root, folder)) as scan:
                for entry in scan:
                    entries.append(entry)
                    name = f"{folder}/{entry.name}" if folder else entry.name
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir():
                        if not entry.is_symlink() and not self._is_out(entry.path):
                            below.append(name)
                    elif self.is_wanted(entry.name) and entry.is_file():
                        found.append(name)
                    elif os.path.splitext(entry.name)[1].lower() in EXTENSIONS:
                        self.pictures += 1
                        if self.pictures > MOST_PICTURES and not found and not self.found:
                            return []
        except OSError:
            return []
        if folder and is_output_folder(os.path.join(self.root, folder), entries):
            return []
        self.found += found
        return below

    def _is_out(self, path: str) -> bool:
        return self.out != "" and os.path.realpath(path) == self.out


def split_of_name(name: str) -> str:
    """Return the split that a container is of, by its name or its folders; empty for none.

    Args:
        name: Relative to INPUT, with ``/``.

    Example:
        >>> split_of_name("data/train-00000-of-00003.parquet"), split_of_name("Test/0001.parquet")
        ('train', 'Test')
        >>> split_of_name("part-00000.parquet")
        ''
    """
    *folders, leaf = name.split("/")
    stem = leaf.partition(".")[0]
    numbered = _NUMBERED.fullmatch(stem)
    words = [stem, *([numbered[1]] if numbered else []), *reversed(folders)]
    return next((word for word in words if split_kind(word)), "")


def set_container_splits(
    sources: Sources, splits: Sequence[str], counts: Sequence[int], layout: Layout
) -> str:
    """Give sources the splits of their containers.

    By default, these are splits where each container has one, and two of them differ.

    Args:
        sources: In the order of their containers.
        splits: The split of each container; empty for none.
        counts: How many sources each container has.
        layout: What the user says about folders and names.

    Returns:
        A notice; empty where there are no splits.
    """
    different = sorted(set(splits))
    if layout in ("classes", "flat") or "" in different:
        return ""
    if layout == "auto" and len(different) < 2:
        return ""
    sources.set_splits(each_of(splits, counts), different)
    totals = dict.fromkeys(different, 0)
    for split, count in zip(splits, counts, strict=True):
        totals[split] += count
    words = ", ".join(f"{name} ({count:,})" for name, count in totals.items())
    return f"splits: {words}; `layout` flat takes them for one set"


def each_of(values: Iterable[str], counts: Iterable[int]) -> Iterator[str]:
    """Yield each value as often as its count says.

    Example:
        >>> list(each_of(["a", "b"], [2, 1]))
        ['a', 'a', 'b']
    """
    for value, count in zip(values, counts, strict=True):
        yield from repeat(value, count)


def in_order(sources: Sources) -> Sources:
    """Return the sources sorted by path; containers mostly come in this order already."""
    paths = sources.paths
    if all(map(lt, paths, islice(paths, 1, None))):
        return sources
    return sources.select(sorted(range(len(paths)), key=paths.__getitem__))
