"""Folders inside a folder, reached by descriptors that follow no symbolic link.

Somebody else may have prepared or changed the folder that augcli writes into. A link in the place
of one of its folders would lead writing and removing outside. So each folder is opened from the
one above it without following links, and files are named relative to it. Where the system can't
do that (Windows), names are checked for links before each use, which is weaker: a link that is
made between the check and the use is followed.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections import OrderedDict

BY_DESCRIPTOR = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | NO_FOLLOW | getattr(os, "O_CLOEXEC", 0)
_NO_PARTS = frozenset({"", ".", ".."})
MOST_OPEN = 64
"""Descriptors of folders that are open at a time."""


def is_inside(name: str) -> bool:
    """Return whether a name stays inside its folder, link or not.

    Example:
        >>> is_inside("cat/a.jpg"), is_inside("../a.jpg"), is_inside("/a.jpg"), is_inside("a//b")
        (True, False, False, False)
    """
    if "\0" in name or (os.name == "nt" and ("\\" in name or ":" in name)):
        return False
    return _NO_PARTS.isdisjoint(name.split("/"))


class LinkInside(OSError):
    """A symbolic link lies in the place of a folder or file that augcli made."""

    def __init__(self, name: str) -> None:
        super().__init__(errno.ELOOP, f"{name} is a symbolic link, or is no folder")


class Descriptors:
    """Descriptors of the folders inside a folder.

    Args:
        path: The folder, absolute; it is opened when it is first needed.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._root: int | None = None
        self._open: OrderedDict[str, int] = OrderedDict()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Close all of them."""
        for name in list(self._open):
            self.forget(name)
        if self._root is not None:
            with contextlib.suppress(OSError):
                os.close(self._root)
        self._root = None

    def identity(self) -> tuple[int, int]:
        """Return the device and the inode of the folder."""
        status = os.fstat(self.root()) if BY_DESCRIPTOR else os.stat(self.path)
        return status.st_dev, status.st_ino

    def root(self) -> int:
        """Return the descriptor of the folder itself."""
        if self._root is None:
            self._root = os.open(self.path, _FOLDER & ~NO_FOLLOW)
        return self._root

    def locate(self, name: str) -> tuple[str, int | None]:
        """Return how the system reaches a file or folder: its name, and relative to what.

        Args:
            name: Path relative to the folder, with ``/``; each folder in it must be there.

        Raises:
            LinkInside: A folder in it is a link, or no folder.
            OSError: A folder in it is missing, …
        """
        if not is_inside(name):
            raise OSError(errno.EINVAL, f"{name!r} is no name inside the folder")
        above, _, leaf = name.rpartition("/")
        return self.reach(above, leaf)

    def reach(self, folder: str, leaf: str) -> tuple[str, int | None]:
        """Return the same for a file of a folder, whose name is known to be right."""
        if not BY_DESCRIPTOR:
            self._check(folder)
            return f"{self.path}/{folder}/{leaf}" if folder else f"{self.path}/{leaf}", None
        return leaf, self.folder(folder)

    def folder(self, name: str) -> int:
        """Return the descriptor of a folder, by its path relative to the whole one.

        It stays open until at least one more folder was asked for.
        """
        if not name:
            return self.root()
        descriptor = self._open.get(name)
        if descriptor is not None:
            self._open.move_to_end(name)
            return descriptor
        above, _, leaf = name.rpartition("/")
        parts = [leaf] if above in self._open else name.split("/")
        borrowed = descriptor = self._open.get(above) or self.root()
        # Folder by folder, and not by recursion: they may be nested deeper than Python's limit.
        for depth, part in enumerate(parts, 1 - len(parts)):
            try:
                below = os.open(part, _FOLDER, dir_fd=descriptor)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENOTDIR):
                    raise LinkInside("/".join(name.split("/")[: depth or None])) from None
                raise
            finally:
                if descriptor != borrowed:
                    os.close(descriptor)
            descriptor = below
        self._open[name] = descriptor
        if len(self._open) > MOST_OPEN:
            self.forget(next(iter(self._open)))
        return descriptor

    def forget(self, name: str) -> None:
        """Close the descriptor of a folder, which may be removed or made anew."""
        descriptor = self._open.pop(name, None)
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _check(self, name: str) -> None:
        path = self.path
        for part in name.split("/") if name else ():
            path = f"{path}/{part}"
            if os.path.islink(path):
                raise LinkInside(path[len(self.path) + 1 :])
