"""What OUT must be able to do, wherever it lies: the operations of a folder and of a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeVar

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from augcli.files.draft import Draft
    from augcli.files.places import Kind

Answer = TypeVar("Answer")


class Lock(Protocol):
    """That a run is at work in OUT, and no other one may be."""

    def remove(self) -> None:
        """Remove what shows it, while it is still held: nothing else is left of the run."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class OutputFiles(Protocol):
    """The files of OUT. A file is either whole under its name, or not there.

    Names are relative to OUT, with ``/``. What :meth:`publish` was given may get its name later;
    it has it after :meth:`sync`, and before any other method answers.

    All methods raise :class:`OSError` where they can't do what they are to do.

    Attributes:
        path: OUT: an absolute path, or a URL.
    """

    path: str

    def kind(self) -> Kind:
        """Return what OUT is."""
        ...

    def identity(self) -> tuple[int, int]:
        """Return what tells OUT from another one of the same name, where something does."""
        ...

    def begin(self, *folders: str) -> None:
        """Make OUT, and folders in it, where they are missing."""
        ...

    def try_writing(self) -> None:
        """Find out whether something can be written there; nothing is left of it."""
        ...

    def free_bytes(self) -> int | None:
        """Return how many bytes there is room for; None where nobody says."""
        ...

    def publish(self, name: str, content: bytes | Callable[[BinaryIO], object]) -> None:
        """Write a file whole, and only then under its name; what is there is replaced."""
        ...

    def publish_first(self, name: str, data: bytes) -> None:
        """Publish a file that is there before those that are published afterwards."""
        ...

    def apart(self) -> OutputFiles:
        """Return the same folder for one shard, whose :meth:`sync` waits for no other shard."""
        ...

    def create(self, name: str, data: bytes) -> bool:
        """Write a file that is not there yet; return whether this call made it."""
        ...

    def clock(self) -> float:
        """Return the time by the clock that gives files there their times, in seconds."""
        ...

    def modified(self, name: str) -> float | None:
        """Return when a file was written, by that clock; None where it is missing."""
        ...

    def remove_root(self) -> None:
        """Remove OUT itself, if it is empty."""
        ...

    def draft(self) -> Draft:
        """Begin a file that is written piece by piece and published when it is whole."""
        ...

    def sync(self) -> None:
        """Wait until all that was published is there, and on the disk where that was asked for."""
        ...

    def read(self, name: str, limit: int | None = None) -> bytes:
        """Return the bytes of a file, which may be at most so many."""
        ...

    def in_turn(self, names: Iterable[str], read: Callable[[str], Answer]) -> Iterator[Answer]:
        """Yield what reading gives for each name, in order; far away, several are read at a time.

        Args:
            names: Asked for as they are needed.
            read: Reads a file; it may be called by several threads.
        """
        ...

    def open(self, name: str) -> io.BufferedReader:
        """Open a file for reading in pieces."""
        ...

    def size(self, name: str) -> int | None:
        """Return how many bytes a file has; None where it is missing, or no file can be."""
        ...

    def has_folder(self, name: str) -> bool:
        """Return whether a folder is there."""
        ...

    def names(self, name: str) -> list[str]:
        """Return what lies in a folder, sorted; nothing where it is missing."""
        ...

    def walk(self, besides: str) -> Iterator[str]:
        """Yield the names of all files but those in one folder, in no order."""
        ...

    def remove(self, *names: str) -> None:
        """Remove files, those that are there."""
        ...

    def remove_files(self, name: str) -> None:
        """Remove the files of a folder, and the folder."""
        ...

    def remove_folder(self, name: str) -> bool:
        """Remove a folder; return whether it is gone: it may hold something, or be missing."""
        ...

    def remove_empty(self, names: Iterable[str]) -> None:
        """Remove folders that are empty, and those above them that are empty then."""
        ...

    def remove_unfinished(self) -> None:
        """Remove what killed runs left of files that they had not published."""
        ...

    def scratch(self) -> AbstractContextManager[BinaryIO]:
        """Open a file for reading and writing that is gone afterwards."""
        ...

    def local(self, name: str) -> str:
        """Return the path of a folder on this machine, for what a run needs until it ends."""
        ...

    def lock(self, name: str) -> Lock | None:
        """Take a lock; None where another run has it.

        Args:
            name: A file that shows it.
        """
        ...

    def is_locked(self, name: str) -> bool:
        """Return whether a run has a lock now."""
        ...

    def close(self) -> None:
        """Let go of what is open; it is opened again when it is needed."""
        ...
