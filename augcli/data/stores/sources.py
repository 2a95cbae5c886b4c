"""Sources: the pictures that a store holds, and what a store must be able to do."""

from __future__ import annotations

import functools
import os
from array import array
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from augcli.data.labels import Label
from augcli.data.names import safe_folder
from augcli.data.stores.packed_paths import PackedPaths
from augcli.errors import InputError, UnreadableImage, near_miss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


_T = TypeVar("_T")
MOST_BYTES = 2**30
"""Bytes of the largest source that is read by default: ten times the largest photo."""


class Source(NamedTuple):
    """A source as a job needs it.

    Attributes:
        path: Its name in the store.
        label: What it shows.
        stamp: What tells it from a changed one.
        where: Where it lies in a container, in words of its store; empty for a file.
        place: Path below OUT that gives its outputs their folder, stem and format; empty where
            it is the path itself.
        split: The part of the data set that it belongs to; empty where there are none.
        group: What it must stay together with (a patient, a video); empty where there is none.
    """

    path: str
    label: Label
    stamp: str
    where: str = ""
    place: str = ""
    split: str = ""
    group: str = ""


@dataclass(slots=True)
class Sources:
    """The pictures of a store, sorted by path (code points).

    There is no object per picture: many million sources fit in memory.

    Attributes:
        root: Where they come from: the folder or file, absolute.
        paths: Name of each source; relative to the folder, with ``/``. A list of texts will do
            for a few.
        sizes: Bytes of each source.
        modified: Time of the last change of each, or of its container, in nanoseconds.
        classes: The class names, sorted by code point, or in the order that was given.
        labels: The different labels that there are.
        label_of: Index into ``labels`` of each source.
        starts: Where each lies in its container; empty where each is a file.
        containers: Containers that sources lie in, relative to ``root``; none for files.
        in_containers: Whether sources lie in containers, which gives outputs the folders of
            their classes.
        container_mark: What stands in a path after the container of the source, the last time that
            it is there; empty where each source is a file of its own. A container follows from the
            path alone: a source that is gone has a container too.
        keeps_containers: Whether neighbours of the ring lie in one container, unless something
            else is asked for: where one source can't be read without its container.
        are_unpacked: Whether they are read from temporary files of this machine.
        are_files: Whether the bytes of a source are a picture file, which can be copied.
        endings: The different file endings that pictures in containers have, without the dot.
        ending_of: Index into ``endings`` of each source; empty where paths have endings.
        splits: Names of the splits, sorted; empty where there are none.
        split_of: Index into ``splits`` of each source; empty where there are none.
        groups: Names of the groups; empty where there are none.
        group_of: Index into ``groups`` of each source; empty where there are none.
        are_many: Whether labels may hold several classes at once, with weights that need not
            sum to 1.
        refused: Path and reason of files that can't be used at all.
        skipped: How many files were not considered, by what they are and why.
        found: What was found: splits, columns of a table.
        notices: What a person should know of the classes.
        labels_sha256: Of the tables that gave the labels; empty where folders did.
    """

    root: str
    paths: PackedPaths | list[str] = field(default_factory=PackedPaths)
    sizes: array[int] = field(default_factory=lambda: array("q"))
    modified: array[int] = field(default_factory=lambda: array("q"))
    classes: list[str] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    label_of: array[int] = field(default_factory=lambda: array("l"))
    starts: array[int] = field(default_factory=lambda: array("q"))
    containers: list[str] = field(default_factory=list)
    in_containers: bool = False
    container_mark: str = ""
    keeps_containers: bool = False
    are_unpacked: bool = False
    are_files: bool = True
    endings: list[str] = field(default_factory=list)
    ending_of: array[int] = field(default_factory=lambda: array("B"))
    splits: list[str] = field(default_factory=list)
    split_of: array[int] = field(default_factory=lambda: array("l"))
    groups: list[str] = field(default_factory=list)
    group_of: array[int] = field(default_factory=lambda: array("l"))
    are_many: bool = False
    refused: list[tuple[str, str]] = field(default_factory=list)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    labels_sha256: str = ""

    def __len__(self) -> int:
        return len(self.paths)

    def source(self, index: int) -> Source:
        """Return a source as a job needs it."""
        return self.at([index])[0]

    def at(self, indices: Sequence[int]) -> list[Source]:
        """Return the sources with these indices; quicker than one by one."""
        paths, labels = self.paths, self.labels
        columns: list[Iterable[Any]] = [
            [paths[index] for index in indices],
            [labels[self.label_of[index]] for index in indices],
            [self.stamp(index) for index in indices],
        ]
        if self.in_containers or self.splits or self.groups:
            starts, groups = self.starts, self.groups
            blank = [""] * len(indices)
            columns += [
                [str(starts[index]) for index in indices] if starts else blank,
                self._places(indices),
                [self.split(index) for index in indices] if self.splits else blank,
                [groups[self.group_of[index]] for index in indices] if groups else blank,
            ]
        return [Source(*fields) for fields in zip(*columns, strict=True)]

    def batches(self, indices: Sequence[int], size: int) -> Iterator[list[Source]]:
        """Yield the sources with these indices, so many at a time."""
        for start in range(0, len(indices), size):
            yield self.at(indices[start : start + size])

    def find(self, path: str) -> int | None:
        """Return the index of a source, None where there is none of that name."""
        index = bisect_left(self.paths, path)
        return index if index < len(self.paths) and self.paths[index] == path else None

    def label(self, index: int) -> Label:
        """Return the label of a source; empty where it has none."""
        return self.labels[self.label_of[index]]

    def split(self, index: int) -> str:
        """Return the split of a source; empty where there are none."""
        return self.splits[self.split_of[index]] if self.splits else ""

    @property
    def container_of(self) -> Callable[[str], str] | None:
        """What gives the container of a source by its path; None where each is a file.

        Example:
            >>> Sources("digits", container_mark="#").container_of("mnist.npz#x_train-00000417")
            'mnist.npz'
        """
        mark = self.container_mark
        return (lambda path: path.rpartition(mark)[0]) if mark else None

    @property
    def largest_split(self) -> int:
        """How many sources the largest split has, or all where there are no splits."""
        if not self.splits:
            return len(self)
        return max(Counter(self.split_of).values(), default=0)

    @property
    def are_soft(self) -> bool:
        """Whether labels have weights of their own, as those of mixed images have."""
        return self.are_many or any(len(label.weights) > 1 for label in self.labels)

    def stamp(self, index: int) -> str:
        """Return what tells a source from a changed one: size and time of the last change.

        In a container, the time of the container, and where the source lies in it.
        """
        plain = stamp(self.sizes[index], self.modified[index])
        return f"{plain}-{self.starts[index]}" if self.starts else plain

    def _places(self, indices: Sequence[int]) -> list[str]:
        """Return where the outputs of sources get their folders, stems and formats.

        For sources of containers, that is the folder of their split and class.

        Example:
            >>> sources = Sources("", ["train-0.tar/a/b.jpg"], in_containers=True)
            >>> sources.set_classes(["cat"])
            >>> sources._places([0])
            ['cat/b.jpg']
        """
        if not self.in_containers:
            return [_place_in_split(self.paths[index], self.split(index)) for index in indices]

        @functools.cache
        def folder(split: str, number: int) -> str:
            names = (split, self.labels[number].heaviest)
            return "".join([f"{name.replace('/', '_')}/" for name in names if name])

        places = []
        for index in indices:
            leaf = self.paths[index].rpartition("/")[2]
            ending = f".{self.endings[self.ending_of[index]]}" if self.ending_of else ""
            places.append(folder(self.split(index), self.label_of[index]) + leaf + ending)
        return places

    def ending(self, index: int) -> str:
        """Return the ending of the file that a source is or would be, lower case, with the dot.

        Example:
            >>> Sources("photos", ["cat/a.JPG"]).ending(0)
            '.jpg'
        """
        if self.ending_of:
            return f".{self.endings[self.ending_of[index]]}"
        return os.path.splitext(self.paths[index])[1].lower()

    def folders(self) -> frozenset[str]:
        """Return the folders that the sources lie in; the empty name is that of the place.

        Where containers are known: these, because each may hold as many folders as sources.
        """
        if self.containers:
            return frozenset(self.containers)
        return frozenset(path.rpartition("/")[0] for path in self.paths)

    def skipped_in_words(self) -> list[str]:
        """Return a line for each kind of file that was not considered.

        Example:
            >>> skipped = Counter({("HEIC file", "not supported"): 3})
            >>> Sources("photos", skipped=skipped).skipped_in_words()
            ['skipped 3 HEIC files (not supported)']
        """
        return [
            f"skipped {count:,} {kind if count == 1 else f'{kind}s'} ({reason})"
            for (kind, reason), count in self.skipped.items()
        ]

    def select(self, indices: list[int]) -> Sources:
        """Return only the sources with these indices; classes and splits stay as they are."""

        def chosen(values: array[int]) -> array[int]:
            # One by one: of a list that stays on the disk, nothing else is read.
            return array(values.typecode, map(values.__getitem__, indices) if values else ())

        return replace(
            self,
            paths=PackedPaths(self.paths[index] for index in indices),
            sizes=chosen(self.sizes),
            modified=chosen(self.modified),
            label_of=chosen(self.label_of),
            starts=chosen(self.starts),
            ending_of=chosen(self.ending_of),
            split_of=chosen(self.split_of),
            group_of=chosen(self.group_of),
        )

    def excerpt(self, indices: list[int]) -> Sources:
        """Return what jobs need of these sources, in this order: little to send to a worker."""
        chosen = self.select(indices)
        labels, label_of = _used(self.labels, chosen.label_of)
        groups, group_of = _used(self.groups, chosen.group_of)
        return Sources(
            "",
            chosen.paths,
            chosen.sizes,
            chosen.modified,
            labels=labels,
            label_of=label_of,
            starts=chosen.starts,
            in_containers=self.in_containers,
            endings=self.endings,
            ending_of=chosen.ending_of,
            splits=self.splits,
            split_of=chosen.split_of,
            groups=groups,
            group_of=group_of,
        )

    def set_splits(self, names: Iterable[str], splits: Sequence[str]) -> None:
        """Give each source its split, in the order of ``paths``.

        Args:
            names: The split of each; other names than those of ``splits`` become one too.
            splits: Names of splits.
        """
        found = list(names)
        self.splits = sorted({*splits, *found})
        number = {name: index for index, name in enumerate(self.splits)}
        self.split_of = array("l", [number[name] for name in found])

    def set_groups(self, names: Iterable[str]) -> None:
        """Give each source its group, in the order of ``paths``; empty means none."""
        number: dict[str, int] = {}
        self.group_of = array("l", [number.setdefault(name, len(number)) for name in names])
        self.groups = list(number)

    def set_classes(self, names: Iterable[str]) -> None:
        """Give each source one class, in the order of ``paths``; empty means unlabelled."""
        number: dict[str, int] = {}
        label_of = array("l", [number.setdefault(name, len(number)) for name in names])
        self._set([Label.of(name) for name in number], label_of)

    def set_labels(self, labels: Iterable[Label]) -> None:
        """Give each source a label, in the order of ``paths``; notices of other labels go."""
        number: dict[Label, int] = {}
        label_of = array("l", [number.setdefault(label, len(number)) for label in labels])
        self._set(list(number), label_of)

    def set_label_numbers(self, labels: Sequence[Label], label_of: array[int]) -> None:
        """Give each source a label by its index; labels that no source has go.

        Args:
            labels: The labels, all different.
            label_of: Index into them of each source.
        """
        self._set(*_used(labels, label_of))

    def order_classes(self, names: Sequence[str]) -> None:
        """Put the classes into an order; it may have classes without pictures.

        Raises:
            InputError: A source has another class.
        """
        missing = sorted(set(self.classes) - set(names))
        if missing:
            number = next(at for at, each in enumerate(self.labels) if missing[0] in each.classes)
            path = self.paths[self.label_of.index(number)]
            raise InputError(
                f"`classes` does not name class {missing[0]!r}, which {path!r} has; add it there"
                f"{near_miss(missing[0], names)}"
            )
        self.classes = list(names)

    def _set(self, labels: list[Label], label_of: array[int]) -> None:
        self.labels, self.label_of = labels, label_of
        self.classes = sorted({name for label in self.labels for name in label.classes})
        self.notices = list(_alike(self.classes))


def _used(values: Sequence[_T], number_of: array[int]) -> tuple[list[_T], array[int]]:
    """Return those of the values that a number names, and the numbers that they have there."""
    used = sorted(set(number_of))
    place = dict(zip(used, range(len(used)), strict=True))
    return [values[number] for number in used], array("l", map(place.__getitem__, number_of))


def _place_in_split(path: str, split: str) -> str:
    """Return a path in the folder of a split; empty where it lies there already, or has none.

    A table may have given the split: outputs still have folders of splits, as loaders want.

    Example:
        >>> _place_in_split("cat/a.jpg", "train"), _place_in_split("train/cat/a.jpg", "train")
        ('train/cat/a.jpg', '')
    """
    folder = safe_folder(split.replace("/", "_")) if split else ""
    return f"{folder}/{path}" if folder and not path.startswith(f"{folder}/") else ""


def stamp(size: int, modified: int) -> str:
    """Return what tells a file from a changed one, from its bytes and its time of change."""
    return f"{size}-{modified}"


def _alike(classes: list[str]) -> Iterator[str]:
    """Yield a line for each group of classes that a typing error may have made."""
    plain = {name: " ".join(name.casefold().split()) for name in classes}
    for key in (key for key, count in Counter(plain.values()).items() if count > 1):
        names = ", ".join(repr(name) for name in classes if plain[name] == key)
        yield f"classes {names} differ in case or blanks only; each stays a class of its own"


class SourceChanged(OSError):
    """A source is not the one that was listed."""


CHANGED = "changed during the run; run again"
"""The reason in the row of such a source."""


def too_large(what: str, size: int, max_bytes: int) -> UnreadableImage:
    """Return the error for an image of more bytes than are allowed.

    Example:
        >>> str(too_large("a PNG image", 2000, 1000))
        'a PNG image of 2,000 bytes; at most 1,000 are allowed (`max_bytes`)'
    """
    return UnreadableImage(
        f"{what} of {size:,} bytes; at most {max_bytes:,} are allowed (`max_bytes`)"
    )


class Store(Protocol):
    """Where sources come from. Stores are small and can be pickled: each worker has one."""

    def list(self) -> Sources:
        """Return all sources.

        Raises:
            InputError: There are none, or they can't be listed.
        """
        ...

    def adopt(self, sources: Sources) -> None:
        """Make ready to read sources that such a store listed in another process."""
        ...

    def read(self, source: Source, *, max_bytes: int = MOST_BYTES) -> bytes:
        """Return the bytes of a source; a large one is read only if its beginning is a picture.

        Args:
            source: As :meth:`Sources.source` gives it.
            max_bytes: Most bytes that it may have.

        Raises:
            SourceChanged: It is another one by now, or changed while it was read.
            UnreadableImage: It is larger, or no picture that augcli reads.
            OSError: It can't be read.
            MemoryError: Memory ran out.
        """
        ...
