"""Files that stay open, of which pieces are read at any place."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Protocol

from augcli.files.reading import modified_at, open_regular
from augcli.files.remote import objects
from augcli.files.remote.url import is_url

if TYPE_CHECKING:
    from augcli.files.reading import Path


class Pieces(Protocol):
    """A file of which pieces are read at any place; several threads may use one.

    Attributes:
        path: The file.
    """

    path: str

    def status(self) -> tuple[int, int]:
        """Return the bytes of the file and the time of its last change, as they are now."""
        ...

    def read(self, position: int, count: int) -> bytes:
        """Return bytes from a place on.

        Raises:
            EOFError: The file ends before the last of them.
            OSError: They can't be read.
        """
        ...


def open_pieces(path: Path) -> Pieces:
    """Open a file of which pieces are read at any place.

    Raises:
        OSError: It can't be read, or is no regular file.
    """
    return objects.ObjectPieces(os.fspath(path)) if is_url(path) else FilePieces(path)


class FilePieces:
    """A regular file that stays open, of which pieces are read at any place.

    Several threads and processes may use one. A file that is cut short while it is open gives an
    error; mapped into memory, it would end the process.

    Args:
        path: The file.

    Raises:
        OSError: It can't be read, or is no regular file.
    """

    def __init__(self, path: Path) -> None:
        self.path = os.fspath(path)
        self._descriptor = open_regular(path)[0]

    def __del__(self) -> None:
        descriptor = self.__dict__.get("_descriptor")
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def __reduce__(self) -> tuple[type[FilePieces], tuple[str]]:
        """Pickle by the path: another process opens the file anew."""
        return (type(self), (self.path,))

    def status(self) -> tuple[int, int]:
        """Return the bytes of the file and the time of its last change, as they are now."""
        status = os.fstat(self._descriptor)
        return status.st_size, modified_at(status)

    def read(self, position: int, count: int) -> bytes:
        """Return bytes of the file.

        Args:
            position: Of the first.
            count: How many.

        Raises:
            EOFError: The file ends before the last of them.
            OSError: They can't be read.
        """
        data = _read_at(self._descriptor, count, position)
        if len(data) == count:
            return data
        # One call gives at most 2 GiB.
        pieces = [data]
        missing = count - len(data)
        while missing and pieces[-1]:
            pieces.append(_read_at(self._descriptor, missing, position + count - missing))
            missing -= len(pieces[-1])
        if missing:
            raise EOFError(f"it ends {missing:,} bytes too early")
        return b"".join(pieces)


if sys.platform == "win32":
    import threading

    _POSITION = threading.Lock()

    def _read_at(descriptor: int, count: int, position: int) -> bytes:
        with _POSITION:
            os.lseek(descriptor, position, os.SEEK_SET)
            return os.read(descriptor, count)

else:
    _read_at = os.pread
