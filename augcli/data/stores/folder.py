"""Sources: the images of a folder, with their classes, in an order that never changes.

The list holds no ``Path`` and no object per image beyond the text of its path, so that a
million sources fit in memory.
"""

from __future__ import annotations

import errno
import os
import stat
from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from augcli.data.codecs.formats import EXTENSIONS
from augcli.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHER_IMAGES = frozenset(
    {".avif", ".cr2", ".dng", ".gif", ".heic", ".heif", ".jp2", ".jxl", ".nef", ".svg", ".tga"}
)
"""Extensions of images that augcli does not read; they are counted and told, not hidden."""
STATE_FOLDER = ".augcli"
"""A folder that holds one of these is an output of ours and never read as input."""


@dataclass(slots=True)
class Sources:
    """The images of a folder, sorted by path (code points).

    Attributes:
        folder: The folder, absolute.
        paths: Paths relative to it, with ``/``.
        sizes: Bytes of each file.
        modified: Time of each file's last change, in nanoseconds.
        classes: The class names, sorted by code point.
        class_of: Index into ``classes`` of each image, -1 where it has none.
        refused: Path and reason of files that can't be used at all.
        passed_over: How many files were not considered, by reason.
    """

    folder: str
    paths: list[str] = field(default_factory=list)
    sizes: array[int] = field(default_factory=lambda: array("q"))
    modified: array[int] = field(default_factory=lambda: array("q"))
    classes: list[str] = field(default_factory=list)
    class_of: array[int] = field(default_factory=lambda: array("l"))
    refused: list[tuple[str, str]] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.paths)

    def label(self, index: int) -> str:
        """Return the class name of an image, empty where it has none."""
        number = self.class_of[index]
        return self.classes[number] if number >= 0 else ""

    def select(self, indices: list[int]) -> Sources:
        """Return only the images with these indices; the classes stay as they are."""
        return Sources(
            self.folder,
            [self.paths[index] for index in indices],
            array("q", [self.sizes[index] for index in indices]),
            array("q", [self.modified[index] for index in indices]),
            self.classes,
            array("l", [self.class_of[index] for index in indices]),
            self.refused,
            self.passed_over,
        )

    def set_labels(self, labels: list[str]) -> None:
        """Give each image a label, in the order of ``paths``; empty means none."""
        self.classes = sorted(set(labels) - {""})
        number = {name: index for index, name in enumerate(self.classes)}
        self.class_of = array("l", [number.get(label, -1) for label in labels])


def list_sources(folder: Path, *, out: Path | None = None, follow_links: bool = False) -> Sources:
    """List the images of a folder and of all folders in it.

    The class of an image is the first folder of its path; an image that lies directly in
    ``folder`` has none. Hidden files and folders, outputs of augcli and whatever is neither a
    regular file nor a folder are passed over.

    Args:
        folder: The folder of sources.
        out: A folder that is never read, wherever it lies.
        follow_links: Whether symbolic links that lead out of ``folder`` are followed.

    Raises:
        InputError: The folder is missing, is not a folder, can't be read or holds no image.
    """
    if not os.path.lexists(folder):
        raise InputError(f"INPUT {folder} does not exist; give a folder of images")
    if not os.path.isdir(folder):
        raise InputError(f"INPUT {folder} is not a folder; give the folder that holds the images")
    root = os.path.realpath(folder)
    sources = Sources(root)
    there = os.path.realpath(out) if out and os.path.isdir(out) else ""
    inode = os.stat(there).st_ino if there else 0
    walk = _Walk(root, there, inode, follow_links, sources)
    found = sorted(walk.files())
    for path, size, modified in found:
        sources.paths.append(path)
        sources.sizes.append(size)
        sources.modified.append(modified)
    if not found and not sources.refused:
        known = " ".join(sorted(EXTENSIONS))
        raise InputError(
            f"INPUT {folder.resolve()} holds no image{_seen(sources.passed_over)}; "
            f"augcli reads files named {known}"
        )
    sources.set_labels([path.partition("/")[0] if "/" in path else "" for path in sources.paths])
    return sources


def read_source(path: str) -> tuple[bytes, int, int]:
    """Return the bytes of a source, its size and the time of its last change.

    Never waits: what became a pipe since it was listed is refused.

    Raises:
        OSError: It can't be read, or is no regular file any more.
    """
    # Without a file object: half the time of a small image's read.
    descriptor = os.open(path, _FLAGS)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "is not a regular file")
        # A byte more than it should have tells whether that is all.
        data = os.read(descriptor, status.st_size + 1)
        if len(data) != status.st_size:
            data = _rest(descriptor, data)
        return data, status.st_size, _modified(status)
    finally:
        os.close(descriptor)


_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_PIECE = 1 << 20


def _rest(descriptor: int, data: bytes) -> bytes:
    """Return a file's bytes to its end: it changes, or one call does not give all."""
    pieces = [data]
    while pieces[-1]:
        pieces.append(os.read(descriptor, _PIECE))
    return b"".join(pieces)


def _modified(status: os.stat_result) -> int:
    """Return a time of change that fits 64 bits; some file systems hold any."""
    return max(-(2**63), min(2**63 - 1, status.st_mtime_ns))


def _seen(passed_over: Counter[str]) -> str:
    if not passed_over:
        return ""
    return " (" + ", ".join(f"{count} {what}" for what, count in passed_over.items()) + ")"


@dataclass(slots=True)
class _Walk:
    """One walk through the folders; what it can't use it notes in ``sources``."""

    root: str
    out: str
    out_inode: int
    follow_links: bool
    sources: Sources

    def files(self) -> Iterator[tuple[str, int, int]]:
        """Yield path, size and time of change of each image, in no particular order."""
        # A stack and not recursion: folders may be nested deeper than Python's limit.
        status = os.stat(self.root)
        above_all = frozenset({(status.st_dev, status.st_ino)})
        stack: list[tuple[str, frozenset[tuple[int, int]]]] = [("", above_all)]
        while stack:
            relative, above = stack.pop()
            try:
                with os.scandir(os.path.join(self.root, relative)) as scan:
                    entries = list(scan)
            except OSError as error:
                self._refuse(relative or ".", f"the folder can't be listed: {error.strerror}")
                continue
            if relative and any(entry.name == STATE_FOLDER for entry in entries):
                self.sources.passed_over["output folders of augcli"] += 1
                continue
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                path = f"{relative}/{entry.name}" if relative else entry.name
                try:
                    if entry.is_symlink() and not self._follows(entry):
                        continue
                    if entry.is_dir():
                        self._enter(entry, path, above, stack)
                    elif entry.is_file():
                        if self._is_image(entry.name, path):
                            status = entry.stat()
                            yield path, status.st_size, _modified(status)
                    else:
                        self.sources.passed_over["special files"] += 1
                except OSError as error:
                    self._refuse(path, f"can't be looked at: {error.strerror}")

    def _enter(
        self,
        entry: os.DirEntry[str],
        path: str,
        above: frozenset[tuple[int, int]],
        stack: list[tuple[str, frozenset[tuple[int, int]]]],
    ) -> None:
        # A real path costs a call for each folder above, so only where it may be OUT's.
        may_be_out = self.out and (entry.is_symlink() or entry.inode() == self.out_inode)
        if may_be_out and os.path.realpath(entry.path) == self.out:
            return
        if self.follow_links:
            # Only links can make a loop, and a loop comes back to a folder above itself.
            # Not entry.stat(): on Windows that knows no inode.
            status = os.stat(entry.path)
            identity = (status.st_dev, status.st_ino)
            if identity in above:
                self.sources.passed_over["links that lead back to a folder above"] += 1
                return
            above |= {identity}
        stack.append((path, above))

    def _follows(self, entry: os.DirEntry[str]) -> bool:
        if self.follow_links:
            return True
        target = os.path.realpath(entry.path)
        # A linked folder inside INPUT would be read twice; a linked file may be meant so.
        if entry.is_file() and target.startswith(self.root + os.sep):
            return True
        self.sources.passed_over["symbolic links (--follow-links reads them)"] += 1
        return False

    def _is_image(self, name: str, path: str) -> bool:
        extension = os.path.splitext(name)[1].lower()
        if extension not in EXTENSIONS:
            if extension in OTHER_IMAGES:
                self.sources.passed_over[f"{extension} files, which augcli does not read"] += 1
            return False
        try:
            path.encode("utf-8")
        except UnicodeEncodeError:
            self._refuse(path, "the file name is not UTF-8, so no manifest can hold it; rename it")
            return False
        return True

    def _refuse(self, path: str, reason: str) -> None:
        shown = path.encode("utf-8", "backslashreplace").decode("utf-8")
        self.sources.refused.append((shown, reason))
