"""Unpacked batches: temporary copies of compressed pictures, which are read at any place."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from augcli.errors import InputError, Stopped
from augcli.files import Spool, SpoolFull, modified_at

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_BYTES = 32 << 30
"""Bytes that are unpacked at most, of all files together."""


class Unpacked:
    """A spool that is made when it is first needed, and gone with this object."""

    def __init__(self) -> None:
        self._spool: Spool | None = None
        self._count = 0
        self._left = MOST_BYTES

    @property
    def is_used(self) -> bool:
        """Whether anything was unpacked."""
        return self._spool is not None

    def add(
        self, name: str, pieces: Iterable[bytes], most: int, where: str
    ) -> tuple[str, int, int]:
        """Write a temporary file; return its path, its bytes and its time of change.

        Args:
            name: What it is of, for messages.
            pieces: Its bytes.
            most: How many it may be, by what its header declares.
            where: The array and its file, for messages.

        Raises:
            InputError: It is too large, or has more bytes than were declared.
            Stopped: The disk of temporary files is full.
        """
        if most > self._left:
            raise InputError(
                f"{where} is compressed and has {most:,} bytes unpacked, but at most "
                f"{MOST_BYTES:,} are unpacked; save it uncompressed (numpy.savez)"
            )
        self._left -= most
        self._spool = self._spool or Spool()
        leaf = f"{self._count:06d}"
        self._count += 1
        try:
            self._spool.write(leaf, _at_most(pieces, most, where), most)
        except SpoolFull:
            place = os.path.dirname(self._spool.path)
            raise Stopped(
                f"{name} is to be unpacked to {place}, which has no room for {most:,} bytes; set "
                "TMPDIR to a folder that has, and run again"
            ) from None
        path = f"{self._spool.path}/{leaf}"
        status = os.stat(path)
        return path, status.st_size, modified_at(status)


def _at_most(pieces: Iterable[bytes], most: int, where: str) -> Iterable[bytes]:
    """Yield the pieces; more than was declared is an error before it is written."""
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > most:
            raise InputError(
                f"{where} unpacks to more than the {most:,} bytes that it declares; write it again"
            )
        yield piece
