"""A folder that augcli writes into: the one class that changes anything in it.

Over 300 lines for that reason: no other module creates, renames or removes something there.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import itertools
import os
import stat
import time
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

from augcli.files.descriptors import BY_DESCRIPTOR, NO_FOLLOW, Descriptors, LinkInside
from augcli.files.draft import Draft
from augcli.files.locking import FileLock, is_named, try_lock
from augcli.files.owners import HOST, owner_is_gone, owner_token
from augcli.files.places import kind_of
from augcli.files.publishing import WRITE_FLAGS, sync_descriptor, write_all
from augcli.files.reading import (
    READ_AND_WRITE,
    READ_FLAGS,
    read_descriptor,
    regular,
)
from augcli.files.trial import free_bytes, try_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from augcli.files.output_files import Answer
    from augcli.files.places import Kind

Fsync = Literal["none", "shard", "file"]

LONGEST_PATH = 4096
"""Bytes of a path that systems take, with the zero at its end."""
OTHER_HOST_SECONDS = 24 * 3600
"""Age at which a temporary file of another computer counts as left by a killed run."""


class Folder:
    """A folder that augcli writes into. No operation follows a symbolic link inside it.

    Args:
        path: The folder, absolute.
        temporary: Name of a folder in it for files that are not yet whole.
        fsync: When files are forced to the disk: never, when :meth:`sync` is called, or each
            before it gets its name.

    Names are relative to the folder, with ``/``. All methods raise :class:`LinkInside` where a
    link lies in the place of a folder or file.
    """

    def __init__(self, path: str, temporary: str, fsync: Fsync = "none") -> None:
        self.path = path
        self._folders = Descriptors(path)
        self._temporary = temporary
        self._fsync = fsync
        self._unsynced: list[str] = []
        self._token = owner_token()
        self._numbers = itertools.count()
        self._made: set[str] = set()
        self._new_folders: set[str] = set()

    def kind(self) -> Kind:
        """Return what lies there."""
        return kind_of(self.path)

    def begin(self, *folders: str) -> None:
        """Make the folder, and folders in it, where they are missing."""
        os.makedirs(self.path, exist_ok=True)
        self.close()  # the folder may be a new one
        for name in folders:
            self.make_folder(name)

    def try_writing(self) -> None:
        """Make the folder, if it is missing, and a file in it, and remove both again."""
        try_folder(self.path)

    def free_bytes(self) -> int | None:
        """Return how many bytes its disk has left."""
        return free_bytes(self.path)

    def local(self, name: str) -> str:
        """Return the path of a folder in it."""
        return f"{self.path}/{name}"

    def lock(self, name: str) -> FileLock | None:
        """Take a lock; None where another process has it, or has just removed its file."""
        file = self.open_table(name)
        try:
            # By its path: the folder itself may have been removed and made anew.
            if try_lock(file) and is_named(file, f"{self.path}/{name}"):
                return FileLock(file, functools.partial(self._remove_lock, name))
        except BaseException:
            file.close()
            raise
        file.close()
        return None

    def is_locked(self, name: str) -> bool:
        """Return whether a process has a lock now."""
        try:
            with self.open(name) as file:
                return not try_lock(file)
        except OSError:
            return False

    def close(self) -> None:
        """Close the descriptors of folders; they are opened again when they are needed."""
        self._folders.close()
        self._made.clear()

    def identity(self) -> tuple[int, int]:
        """Return what tells this folder from another one of the same path: device and inode."""
        return self._folders.identity()

    def apart(self) -> Folder:
        """Return this folder: nothing that is published has to be waited for."""
        return self

    def publish_first(self, name: str, data: bytes) -> None:
        """Publish a file, on the disk where that is asked for before the next ones are."""
        self.publish(name, data)
        self.sync()

    def publish(
        self,
        name: str,
        content: bytes | Callable[[BinaryIO], object],
        modified: int | None = None,
    ) -> None:
        """Write a file whole and give it its final name, replacing what is there.

        Args:
            name: The file.
            content: The bytes, or what writes them into a file.
            modified: Time of its last change in nanoseconds, where the system can set it; now
                where None.
        """
        self._check_length(name)
        unfinished = self._unfinished_leaf()
        try:
            leaf, place = self._folders.reach(self._temporary, unfinished)
            descriptor = os.open(leaf, WRITE_FLAGS | NO_FOLLOW, 0o666, dir_fd=place)
            try:
                write_all(descriptor, content)
                if modified is not None and os.utime in os.supports_fd:
                    # Not every file system has every time.
                    with contextlib.suppress(OSError, OverflowError):
                        os.utime(descriptor, ns=(modified, modified))
                if self._fsync == "file":
                    sync_descriptor(descriptor)
            finally:
                os.close(descriptor)
            self._give_name(unfinished, name)
        except BaseException:
            self.remove(f"{self._temporary}/{unfinished}")
            raise

    def create(self, name: str, data: bytes) -> bool:
        """Write a file that is not there yet, whole before it gets its name.

        Returns:
            Whether this call made it: of several at the same moment, also on several computers,
            one does.
        """
        self._check_length(name)
        self.make_folder(name.rpartition("/")[0])
        unfinished = f"{self._temporary}/{self._unfinished_leaf()}"
        self.publish(unfinished, data)
        try:
            leaf, place = self._folders.locate(unfinished)
            target, target_place = self._folders.locate(name)
            # Unlike a rename, a second name never replaces a file that was made meanwhile.
            os.link(leaf, target, src_dir_fd=place, dst_dir_fd=target_place)
        except FileExistsError:
            return False
        except OSError:  # some file systems have no second names
            if self.size(name) is not None:
                return False
            self.publish(name, data)
        finally:
            self.remove(unfinished)
        return True

    def clock(self) -> float:
        """Return the time by the clock that gives files here their times, in seconds."""
        with self.scratch() as file:
            file.write(b".")
            file.flush()
            return os.fstat(file.fileno()).st_mtime

    def modified(self, name: str) -> float | None:
        """Return when a file was written, by that clock; None where it is missing."""
        status = self.status(name)
        return status.st_mtime if status else None

    def remove_root(self) -> None:
        """Remove the folder itself, if it is empty."""
        with contextlib.suppress(OSError):
            os.rmdir(self.path)

    def draft(self) -> Draft:
        """Begin a file that is written piece by piece and published when it is whole."""
        leaf = self._unfinished_leaf()
        name = f"{self._temporary}/{leaf}"
        return Draft(
            self._open(name, WRITE_FLAGS),
            functools.partial(self._give_name, leaf),
            functools.partial(self.remove, name),
            syncs=self._fsync == "file",
        )

    def publish_link(self, name: str, target: str, *, symbolic: bool) -> None:
        """Give a file a second name in this folder, or make a symbolic link to it.

        Args:
            name: The second name, or the link; what is there is replaced.
            target: The file, absolute and without links.
            symbolic: Whether it is a symbolic link.
        """
        self._check_length(name)
        unfinished = self._unfinished_leaf()
        try:
            leaf, place = self._folders.reach(self._temporary, unfinished)
            if symbolic:
                os.symlink(target, leaf, dir_fd=place)
            else:
                os.link(target, leaf, dst_dir_fd=place)
            above = name.rpartition("/")[0]
            self.make_folder(above)
            leaf, place = self._folders.reach(self._temporary, unfinished)
            new_name, new_place = self._folders.locate(name)
            os.replace(leaf, new_name, src_dir_fd=place, dst_dir_fd=new_place)
            if self._fsync != "none":
                self._new_folders.add(above)
        finally:
            # Where both are names of one file already, renaming leaves both.
            self.remove(f"{self._temporary}/{unfinished}")

    def link_target(self, name: str) -> str:
        """Return where a symbolic link leads to; empty where there is none of this name."""
        try:
            leaf, place = self._folders.locate(name)
            return os.readlink(leaf, dir_fd=place)
        except OSError:
            return ""

    def sync(self) -> None:
        """Force to the disk what was published since the last call, and the names of it."""
        names = {*self._unsynced, *self._new_folders}
        for name in self._unsynced if self._fsync == "shard" else ():
            with self._descriptor(name, os.O_RDWR) as descriptor:
                sync_descriptor(descriptor)
        for folder in {*self._new_folders, *(name.rpartition("/")[0] for name in names)}:
            if BY_DESCRIPTOR:  # Windows can't open folders, and keeps names without being asked
                sync_descriptor(self._folders.folder(folder), is_folder=True)
        self._unsynced.clear()
        self._new_folders.clear()

    def read(self, name: str, limit: int | None = None) -> bytes:
        """Return the bytes of a file; see :func:`augcli.files.read_file`."""
        with self._descriptor(name, READ_FLAGS) as descriptor:
            return read_descriptor(descriptor, regular(descriptor), limit).data

    def in_turn(self, names: Iterable[str], read: Callable[[str], Answer]) -> Iterator[Answer]:
        """Yield what reading gives for each name, one after the other."""
        return map(read, names)

    def open(self, name: str) -> io.BufferedReader:
        """Open a regular file for reading in pieces."""
        with contextlib.ExitStack() as until_checked:
            opener = self._opener(READ_FLAGS)
            file = until_checked.enter_context(open(name, "rb", opener=opener))
            regular(file.fileno())
            until_checked.pop_all()
        return file

    def open_table(self, name: str) -> BinaryIO:
        """Open a file, made if it is missing, for reading and writing at any place."""
        with contextlib.ExitStack() as until_checked:
            opener = self._opener(READ_AND_WRITE)
            file = until_checked.enter_context(open(name, "r+b", buffering=0, opener=opener))
            regular(file.fileno())
            until_checked.pop_all()
        return file

    def status(self, name: str) -> os.stat_result | None:
        """Return the status of a file or folder, None where it is missing."""
        try:
            leaf, place = self._folders.locate(name)
            return os.stat(leaf, dir_fd=place, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def size(self, name: str) -> int | None:
        """Return how many bytes a file has; None where it is missing, or no file can be."""
        try:
            status = self.status(name)
        except OSError:
            return None
        return status.st_size if status else None

    def has_folder(self, name: str) -> bool:
        """Return whether a folder is there."""
        status = self.status(name)
        return status is not None and stat.S_ISDIR(status.st_mode)

    def walk(self, besides: str) -> Iterator[str]:
        """Yield the names of all files but those in one folder, in no order."""
        # A stack and not os.walk, which recurses in Python 3.11.
        folders = [""]
        while folders:
            folder = folders.pop()
            with os.scandir(os.path.join(self.path, folder)) as scan:
                for entry in scan:
                    name = f"{folder}/{entry.name}" if folder else entry.name
                    if not entry.is_dir(follow_symlinks=False):
                        yield name
                    elif name != besides:
                        folders.append(name)

    def names(self, name: str) -> list[str]:
        """Return what lies in a folder, sorted; nothing where it is missing."""
        try:
            if not BY_DESCRIPTOR:
                return sorted(os.listdir(f"{self.path}/{name}"))
            return sorted(os.listdir(self._folders.folder(name)))
        except FileNotFoundError:
            return []

    def remove(self, *names: str) -> None:
        """Remove files, those that are there."""
        for name in names:
            with contextlib.suppress(OSError):
                leaf, place = self._folders.locate(name)
                os.unlink(leaf, dir_fd=place)

    def remove_folder(self, name: str) -> bool:
        """Remove a folder; return whether it is gone: it may hold something, or be missing."""
        self._folders.forget(name)
        self._made.discard(name)
        try:
            leaf, place = self._folders.locate(name)
            os.rmdir(leaf, dir_fd=place)
        except OSError:
            return False
        return True

    def remove_empty(self, names: Iterable[str]) -> None:
        """Remove folders that are empty, and those above them that are empty then."""
        for name in sorted(set(names) - {""}, key=len, reverse=True):
            above = name
            while above and self.remove_folder(above):
                above = above.rpartition("/")[0]

    def remove_files(self, name: str) -> None:
        """Remove the files of a folder, and the folder."""
        with contextlib.suppress(OSError):
            for entry in self.names(name):
                self.remove(f"{name}/{entry}")
        self.remove_folder(name)

    def make_folder(self, name: str) -> None:
        """Make a folder and those above it; a loop, since os.makedirs recurses."""
        if not name or name in self._made:
            return
        missing = []
        above = name
        while above and not self._is_folder(above):
            missing.append(above)
            above = above.rpartition("/")[0]
        for folder in reversed(missing):
            leaf, place = self._folders.locate(folder)
            # Another worker may have made it meanwhile.
            with contextlib.suppress(FileExistsError):
                os.mkdir(leaf, dir_fd=place)
            if not self._is_folder(folder):
                raise LinkInside(folder)
            if self._fsync != "none":
                self._new_folders.add(folder)
        self._made.add(name)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[BinaryIO]:
        """Open a file for reading and writing that is gone afterwards."""
        name = f"{self._temporary}/{self._unfinished_leaf()}"
        # Buffered: lines of a file that is not are read byte by byte.
        with self.open_table(name) as raw, io.BufferedRandom(cast("io.RawIOBase", raw)) as file:
            try:
                yield file
            finally:
                self.remove(name)

    def remove_unfinished(self) -> None:
        """Remove temporary files that killed runs left; those of runs at work stay."""
        with contextlib.suppress(OSError):
            for name in self.names(self._temporary):
                if self._is_left_over(name):
                    self.remove(f"{self._temporary}/{name}")

    def _remove_lock(self, name: str) -> None:
        self.remove(name)
        self.remove_folder(name.rpartition("/")[0])

    def _give_name(self, unfinished: str, name: str) -> None:
        """Give a temporary file, whole by now, its final name."""
        self.make_folder(name.rpartition("/")[0])
        # Writing the content may have used other folders: their descriptors are few.
        leaf, place = self._folders.reach(self._temporary, unfinished)
        target, target_place = self._folders.locate(name)
        os.replace(leaf, target, src_dir_fd=place, dst_dir_fd=target_place)
        if self._fsync != "none":
            self._unsynced.append(name)
        if self._fsync == "file":
            self.sync()

    def _check_length(self, name: str) -> None:
        whole = f"{self.path}/{name}"
        # A letter has at most four bytes.
        if len(whole) * 4 >= LONGEST_PATH and len(os.fsencode(whole)) >= LONGEST_PATH:
            # It could be written by descriptors, but nobody could read it by its path.
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))

    def _unfinished_leaf(self) -> str:
        return f"{self._token}~{next(self._numbers)}"

    def _is_folder(self, name: str) -> bool:
        if not BY_DESCRIPTOR:
            return os.path.isdir(f"{self.path}/{name}")
        try:
            self._folders.folder(name)
        except FileNotFoundError:
            return False
        return True

    def _open(self, name: str, flags: int) -> int:
        leaf, place = self._folders.locate(name)
        return os.open(leaf, flags | NO_FOLLOW, 0o666, dir_fd=place)

    def _opener(self, flags: int) -> Callable[[str, int], int]:
        return lambda name, _: self._open(name, flags)

    @contextlib.contextmanager
    def _descriptor(self, name: str, flags: int) -> Iterator[int]:
        descriptor = self._open(name, flags)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _is_left_over(self, name: str) -> bool:
        if name.startswith(f"{self._token}~"):
            return False
        if name.startswith(f"{HOST}~{os.getpid()}~"):
            return True  # of an object of this process that is gone, or of an earlier process
        is_gone = owner_is_gone(name)
        if is_gone is not None:
            return is_gone
        status = self.status(f"{self._temporary}/{name}")
        return status is not None and time.time() - status.st_mtime > OTHER_HOST_SECONDS
