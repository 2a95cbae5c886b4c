"""The folder store: pictures of a folder, one folder for each class."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from augcli.data.codecs.formats import EXTENSIONS
from augcli.data.run_record import is_output_folder
from augcli.data.stores.sources import SourceChanged, Sources, stamp
from augcli.errors import InputError
from augcli.files import modified_at, read_file

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER_IMAGES = frozenset(
    {".avif", ".cr2", ".dng", ".gif", ".heic", ".heif", ".jp2", ".jxl", ".nef", ".svg", ".tga"}
)
"""Endings of images that augcli does not read; they are counted and reported, not hidden."""


@dataclass(frozen=True, slots=True)
class FolderStore:
    """The images of a folder and of all folders in it.

    The class of an image is the first folder of its path; an image that lies directly in the
    folder has none. Hidden files and folders, outputs of augcli, and pipes, sockets and
    devices are skipped.

    Attributes:
        folder: The folder.
        out: A folder that is never read, wherever it lies.
        follow_links: Whether symbolic links that lead out of the folder are followed.
    """

    folder: str
    out: str | None = None
    follow_links: bool = False

    def list(self) -> Sources:
        """Return all images, sorted by path.

        Raises:
            InputError: The folder is missing, is not a folder, can't be read or holds no image.
        """
        folder = self.folder
        if not os.path.lexists(folder):
            raise InputError(f"INPUT {folder} does not exist; give a folder of images")
        if not os.path.isdir(folder):
            raise InputError(
                f"INPUT {folder} is not a folder; give the folder that holds the images"
            )
        sources = Sources(os.path.realpath(folder))
        out = os.path.realpath(self.out) if self.out and os.path.isdir(self.out) else ""
        inode = os.stat(out).st_ino if out else 0
        walk = _Walk(sources.place, out, inode, self.follow_links, sources)
        images = sorted(walk.files())
        for path, size, modified in images:
            sources.paths.append(path)
            sources.sizes.append(size)
            sources.modified.append(modified)
        if not images and not sources.refused:
            known = " ".join(sorted(EXTENSIONS))
            skipped = "".join(f"; {text}" for text in sources.skipped_in_words())
            raise InputError(
                f"INPUT {sources.place} holds no image{skipped}; augcli reads files named {known}"
            )
        sources.set_classes(path.partition("/")[0] if "/" in path else "" for path in sources.paths)
        return sources

    def read(self, path: str, stamp: str = "") -> bytes:
        """Return the bytes of an image; see :meth:`augcli.data.stores.sources.Store.read`."""
        content = read_file(f"{self.folder}/{path}")
        # Windows rounds the times that it lists.
        if stamp and os.name != "nt" and stamp != _stamp(content.size, content.modified):
            raise SourceChanged(0, "changed during the run; run again")
        return content.data


_stamp = stamp


@dataclass(slots=True)
class _Walk:
    """One walk through the folders; what it can't use is noted in ``sources``."""

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
            if relative and is_output_folder(os.path.join(self.root, relative), entries):
                self.sources.skipped["folder", "an output of augcli"] += 1
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
                            yield path, status.st_size, modified_at(status)
                    else:
                        self.sources.skipped["special file", "a pipe, socket or device"] += 1
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
                self.sources.skipped["link", "it leads back to a folder above"] += 1
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
        self.sources.skipped["symbolic link", "`follow_links` reads them"] += 1
        return False

    def _is_image(self, name: str, path: str) -> bool:
        extension = os.path.splitext(name)[1].lower()
        if extension not in EXTENSIONS:
            if extension in OTHER_IMAGES:
                self.sources.skipped[f"{extension[1:].upper()} file", "not supported"] += 1
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
