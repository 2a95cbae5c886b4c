"""A file that is written piece by piece, and gets its name when it is whole."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from augcli.files.publishing import sync_descriptor, write_all

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

PIECE = 1 << 20
"""Bytes that are collected before they are written."""


class Draft:
    """A file under a temporary name, as :meth:`augcli.files.Folder.draft` begins it.

    Args:
        descriptor: Of the new file, open for writing.
        give_name: Gives the file, which is whole and closed by then, its final name.
        remove: Removes the file.
        syncs: Whether the file is forced to the disk before it gets its name.
        writing: Surrounds each writing, to say more of what goes wrong.
    """

    def __init__(
        self,
        descriptor: int,
        give_name: Callable[[str], None],
        remove: Callable[[], None],
        *,
        syncs: bool,
        writing: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        self._descriptor = descriptor
        self._give_name = give_name
        self._remove = remove
        self._syncs = syncs
        self._writing = writing
        self._pieces: list[bytes] = []
        self._waiting = 0

    def write(self, data: bytes) -> None:
        """Write bytes at the end.

        Raises:
            OSError: They can't be written.
        """
        self._pieces.append(data)
        self._waiting += len(data)
        if self._waiting >= PIECE:
            self._flush()

    def publish(self, name: str) -> None:
        """Give the whole file its final name, replacing what is there.

        Args:
            name: Relative to the folder, with ``/``.

        Raises:
            OSError: It can't be written; nothing is left of it.
        """
        try:
            try:
                self._flush()
                if self._syncs:
                    sync_descriptor(self._descriptor)
            finally:
                os.close(self._descriptor)
            self._give_name(name)
        except BaseException:
            self._remove()
            raise

    def discard(self) -> None:
        """Remove the file."""
        with contextlib.suppress(OSError):
            os.close(self._descriptor)
        self._remove()

    def _flush(self) -> None:
        with self._writing():
            write_all(self._descriptor, b"".join(self._pieces))
        self._pieces.clear()
        self._waiting = 0
