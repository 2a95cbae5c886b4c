"""Putting objects while the next ones are made: by threads, bounded in number and bytes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from augcli.files.remote import objects

if TYPE_CHECKING:
    from concurrent.futures import Future

AT_ONCE: Final = 32
"""Objects that a process puts at a time: at 20 ms a request, 1,600 in a second."""
MOST_WAITING: Final = 96
"""Objects that wait for their end."""
MOST_WAITING_BYTES: Final = 128 << 20


class Putting:
    """Threads that put objects."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._room = threading.Condition()
        self._count = 0
        self._bytes = 0

    def put(self, url: str, data: bytes, first: Future[None] | None = None) -> Future[None]:
        """Begin to put an object, as soon as there is room for it.

        Args:
            url: Of the object.
            data: Its bytes.
            first: What must have succeeded before it is put.
        """
        with self._room:
            self._room.wait_for(lambda: self._has_room(len(data)))
            self._count += 1
            self._bytes += len(data)
            if self._pool is None:
                self._pool = ThreadPoolExecutor(AT_ONCE, "augcli-put")
            # In the order of their turns: one that waits for another began after it.
            return self._pool.submit(self._put, url, data, first)

    def close(self) -> None:
        """Let go of the threads."""
        if self._pool:
            self._pool.shutdown()
        self._pool = None

    def _has_room(self, size: int) -> bool:
        is_small = not self._count or self._bytes + size <= MOST_WAITING_BYTES
        return self._count < MOST_WAITING and is_small

    def _put(self, url: str, data: bytes, first: Future[None] | None) -> None:
        try:
            if first:
                first.result()
            objects.put(url, data)
        finally:
            with self._room:
                self._count -= 1
                self._bytes -= len(data)
                self._room.notify_all()
