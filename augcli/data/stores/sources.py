"""Sources: the pictures that a store holds, and what a store must be able to do."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from augcli.data.labels import Label

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


MOST_BYTES = 2**30
"""Bytes of the largest source that is read by default: ten times the largest photo."""


@dataclass(slots=True)
class Sources:
    """The pictures of a store, sorted by path (code points).

    There is no object per picture beyond the text of its path: a million sources fit in
    memory.

    Attributes:
        place: Where they come from: the folder, absolute.
        paths: Name of each source; relative to the folder, with ``/``.
        sizes: Bytes of each file.
        modified: Time of each file's last change, in nanoseconds.
        classes: The class names, sorted by code point.
        labels: The different labels that there are.
        label_of: Index into ``labels`` of each source.
        refused: Path and reason of files that can't be used at all.
        skipped: How many files were not considered, by what they are and why.
        notices: What a person should know of the classes.
    """

    place: str
    paths: list[str] = field(default_factory=list)
    sizes: array[int] = field(default_factory=lambda: array("q"))
    modified: array[int] = field(default_factory=lambda: array("q"))
    classes: list[str] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    label_of: array[int] = field(default_factory=lambda: array("l"))
    refused: list[tuple[str, str]] = field(default_factory=list)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    notices: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.paths)

    def label(self, index: int) -> Label:
        """Return the label of a source; empty where it has none."""
        return self.labels[self.label_of[index]]

    @property
    def are_soft(self) -> bool:
        """Whether labels have weights of their own, as those of mixed images have."""
        return any(len(label.weights) > 1 for label in self.labels)

    def stamp(self, index: int) -> str:
        """Return what tells a source from a changed one: size and time of the last change."""
        return stamp(self.sizes[index], self.modified[index])

    def folders(self) -> frozenset[str]:
        """Return the folders that the sources lie in; the empty name is that of the place."""
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
        """Return only the sources with these indices; the classes stay as they are."""
        return Sources(
            self.place,
            [self.paths[index] for index in indices],
            array("q", [self.sizes[index] for index in indices]),
            array("q", [self.modified[index] for index in indices]),
            self.classes,
            self.labels,
            array("l", [self.label_of[index] for index in indices]),
            self.refused,
            self.skipped,
            self.notices,
        )

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

    def _set(self, labels: list[Label], label_of: array[int]) -> None:
        self.labels, self.label_of = labels, label_of
        self.classes = sorted({name for label in self.labels for name in label.classes})
        self.notices = list(_alike(self.classes))


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


class Store(Protocol):
    """Where sources come from. Stores are small and can be pickled: each worker has one."""

    def list(self) -> Sources:
        """Return all sources.

        Raises:
            InputError: There are none, or they can't be listed.
        """
        ...

    def read(self, path: str, stamp: str = "", *, max_bytes: int = MOST_BYTES) -> bytes:
        """Return the bytes of a source; a large one is read only if its beginning is a picture.

        Args:
            path: Its name in :class:`Sources`.
            stamp: What it was when it was listed; not compared where empty.
            max_bytes: Most bytes that it may have.

        Raises:
            SourceChanged: It is another one by now, or changed while it was read.
            UnreadableImage: It is larger, or no picture that augcli reads.
            OSError: It can't be read.
            MemoryError: Memory ran out.
        """
        ...
