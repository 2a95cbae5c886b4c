"""A walk through a folder of sources: which files are pictures, and what all others are."""

from __future__ import annotations

import heapq
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from augcli.data.codecs.file_kinds import file_kind
from augcli.data.codecs.formats import EXTENSIONS
from augcli.data.names import OURS
from augcli.data.run_record import is_output_folder
from augcli.data.stores.contents import OF_THE_SYSTEM
from augcli.files import HEAD_BYTES, modified_at, open_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.data.codecs.file_kinds import FileKind
    from augcli.data.stores.sources import Sources

FILES_OF_THE_SYSTEM = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"})
"""Files that are not worth a word."""
MOST_LOOKED_AT = 1000
"""Files of unknown endings that are looked at; the others are counted by their ending."""
NO_IMAGE = "no image"
WRONG_ENDING = "the file name has another ending"
NOT_UTF8 = "the file name is not UTF-8, so no manifest can hold it; rename it"
NAMELESS = frozenset({"no known kind of image", "a file that begins with zero bytes only"})
"""Names of kinds that say nothing more than that."""


class _Folder(NamedTuple):
    """A folder that is to be read; the order of several is that of their fields.

    Attributes:
        links: Links on the path to it.
        path: Its path, relative to the root.
        identity: Device and inode, where links are followed.
        above: The same of itself and of the folders above it.
    """

    links: int
    path: str
    identity: tuple[int, int]
    above: frozenset[tuple[int, int]]


@dataclass(slots=True)
class Walk:
    """One walk through the folders; what it can't use is noted in ``sources``.

    Attributes:
        root: The folder of sources, absolute.
        out: A folder that is never read, absolute; empty for none.
        out_inode: Its inode; 0 for none.
        follow_links: Whether symbolic links that lead out of the root are followed.
        sources: Takes what is refused and skipped.
        tops: Folders directly below the root, by name: how many files each has, of any kind.
    """

    root: str
    out: str
    out_inode: int
    follow_links: bool
    sources: Sources
    tops: dict[str, int] = field(default_factory=dict)
    _looked_at: int = 0

    def files(self) -> Iterator[tuple[str, int, int]]:
        """Yield path, size and time of change of each image, in no particular order.

        Where links are followed, a folder that several paths lead to is read once: by the path
        with the fewest links, the first of those in the order of code points. So the result does
        not depend on the order in which the system lists folders.
        """
        # A heap and not recursion: folders may be nested deeper than Python's limit.
        status = os.stat(self.root)
        identity = (status.st_dev, status.st_ino)
        waiting = [_Folder(0, "", identity, frozenset({identity}))]
        seen: set[tuple[int, int]] = set()
        while waiting:
            folder = heapq.heappop(waiting)
            relative = folder.path
            if self.follow_links:
                if folder.identity in seen:
                    self.sources.skipped["link", "its folder is read already"] += 1
                    continue
                seen.add(folder.identity)
            try:
                with os.scandir(os.path.join(self.root, relative)) as scan:
                    entries = list(scan)
            except OSError as error:
                self._refuse(relative or ".", f"the folder can't be listed: {error.strerror}")
                continue
            if relative and is_output_folder(os.path.join(self.root, relative), entries):
                self.sources.skipped["folder", "an output of augcli"] += 1
                continue
            if relative and "/" not in relative:
                self.tops.setdefault(relative, 0)
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                path = f"{relative}/{entry.name}" if relative else entry.name
                try:
                    if entry.is_symlink() and not self._follows(entry):
                        continue
                    if entry.is_dir():
                        self._enter(entry, path, folder, waiting)
                    elif self._is_image(entry, path):
                        status = entry.stat()
                        yield path, status.st_size, modified_at(status)
                except OSError as error:
                    self._refuse(path, f"can't be looked at: {error.strerror}")

    def _enter(
        self, entry: os.DirEntry[str], path: str, folder: _Folder, waiting: list[_Folder]
    ) -> None:
        if entry.name in OF_THE_SYSTEM:
            self.sources.skipped["folder", f"{entry.name}, made by the system"] += 1
            return
        # A real path costs a call for each folder above, so only where it may be OUT's.
        may_be_out = self.out and (entry.is_symlink() or entry.inode() == self.out_inode)
        if may_be_out and os.path.realpath(entry.path) == self.out:
            return
        inside = folder._replace(path=path)
        if self.follow_links:
            # Only links can make a loop, and a loop comes back to a folder above itself.
            # Not entry.stat(): on Windows that knows no inode.
            status = os.stat(entry.path)
            identity = (status.st_dev, status.st_ino)
            if identity in folder.above:
                self.sources.skipped["link", "it leads back to a folder above"] += 1
                return
            links = folder.links + entry.is_symlink()
            inside = _Folder(links, path, identity, folder.above | {identity})
        heapq.heappush(waiting, inside)

    def _follows(self, entry: os.DirEntry[str]) -> bool:
        if self.follow_links:
            return True
        target = os.path.realpath(entry.path)
        # A linked folder inside INPUT would be read twice; a linked file may be meant so.
        if entry.is_file() and target.startswith(self.root + os.sep):
            return True
        reason = "`follow_links` reads them" if os.path.exists(target) else "they lead nowhere"
        self.sources.skipped["symbolic link", reason] += 1
        return False

    def _is_image(self, entry: os.DirEntry[str], path: str) -> bool:
        if not entry.is_file():
            self.sources.skipped["special file", "a pipe, socket or device"] += 1
            return False
        top, slash, _ = path.partition("/")
        if slash:
            self.tops[top] += 1
        extension = os.path.splitext(entry.name)[1].lower()
        if extension not in EXTENSIONS:
            is_ours = not slash and entry.name.lower() in OURS
            if not is_ours and entry.name.lower() not in FILES_OF_THE_SYSTEM:
                kind, reason = self._kind(entry, extension)
                # A table or a note beside the class folders is no lost image.
                if slash or reason != NO_IMAGE:
                    self.sources.skipped[kind, reason] += 1
            return False
        try:
            path.encode("utf-8")
        except UnicodeEncodeError:
            self._refuse(path, NOT_UTF8)
            return False
        return True

    def _kind(self, entry: os.DirEntry[str], extension: str) -> tuple[str, str]:
        """Return what a file is whose ending is not that of a picture, by its first bytes."""
        self._looked_at += 1
        if self._looked_at > MOST_LOOKED_AT:
            return f"{extension or 'other'} file", "not looked at"
        try:
            with open_file(entry.path) as file:
                head = file.read(HEAD_BYTES)
        except OSError:
            return f"{extension or 'other'} file", "can't be read"
        return describe_skipped(head)

    def _refuse(self, path: str, reason: str) -> None:
        shown = path.encode("utf-8", "backslashreplace").decode("utf-8")
        self.sources.refused.append((shown, reason))


def describe_skipped(head: bytes) -> tuple[str, str]:
    r"""Return what a file is that is skipped, and why, for ``Sources.skipped``.

    Args:
        head: Its first 512 bytes.

    Example:
        >>> describe_skipped(b"\xff\xd8\xff\xe0")
        ('JPEG image', 'the file name has another ending')
        >>> describe_skipped(b"8BPS")
        ('Photoshop document', 'not supported')
    """
    kind = file_kind(head)
    if kind.ending in EXTENSIONS:
        return _noun(kind), WRONG_ENDING
    if kind.is_picture:
        return _noun(kind), "not supported"
    return "other file" if kind.name in NAMELESS else _noun(kind), NO_IMAGE


def _noun(kind: FileKind) -> str:
    return kind.name.partition(" ")[2].partition(" and not ")[0]
