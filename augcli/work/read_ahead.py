"""Reading ahead: sources that lie far away are read before their turn comes.

A request to a bucket takes as long as some pictures. So threads read the next sources while one is
being worked on; they wait for the network most of the time.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

    from augcli.data.stores.sources import Source, Store

MOST_BYTES: Final = 128 << 20
"""Bytes of sources that are read before their turn, by what their listing says."""


class ReadAhead:
    """Reads sources by several threads, in the order in which they will be asked for.

    Args:
        store: Where they lie.
        threads: How many are read at a time; one where the store can't be used by several threads.
        max_bytes: See :meth:`augcli.data.stores.sources.Store.read`.
    """

    def __init__(self, store: Store, threads: int, max_bytes: int) -> None:
        self._store = store
        self._threads = threads
        self._max_bytes = max_bytes
        self._pool = ThreadPoolExecutor(threads, "augcli-read")
        self._batches: deque[dict[Source, None]] = deque()
        self._following: Callable[[], Iterable[Source]] = tuple
        self._expected: deque[Source] = deque()
        self._reading: dict[Source, Future[bytes]] = {}
        self._bytes = 0

    def expect(
        self, sources: Iterable[Source], following: Callable[[], Iterable[Source]] = tuple
    ) -> None:
        """Begin to read sources.

        Args:
            sources: Those that will be asked for, in this order; each counts once. What was
                expected before, and not as following, is forgotten.
            following: Gives the sources of the next call, and of those after it, one at a time;
                none where they are not known yet.
        """
        current = dict.fromkeys(sources)
        if self._batches:
            self._batches.popleft()
        if not self._batches or self._batches[0].keys() != current.keys():
            self._batches = deque([current])
        self._following = following
        wanted = {source: None for batch in self._batches for source in batch}
        for source in [source for source in self._reading if source not in wanted]:
            self._reading.pop(source).cancel()
            self._bytes -= _size(source)
        self._expected = deque(source for source in wanted if source not in self._reading)
        self._go_on()

    def read(self, source: Source) -> bytes:
        """Return the bytes of a source; see :meth:`augcli.data.stores.sources.Store.read`."""
        future = self._reading.pop(source, None)
        if future is None:
            # Also by a thread: the store may be one that only a single thread may use.
            future = self._submit(source)
        else:
            self._bytes -= _size(source)
        self._go_on()
        return future.result()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)

    def _go_on(self) -> None:
        """Read as many of the next sources as there are threads, and as memory is for."""
        while len(self._reading) < 2 * self._threads and (self._expected or self._look_further()):
            size = _size(self._expected[0])
            if self._reading and self._bytes + size > MOST_BYTES:
                return
            source = self._expected.popleft()
            self._reading[source] = self._submit(source)
            self._bytes += size

    def _look_further(self) -> bool:
        """Return whether more sources are known by now, which are read next."""
        batch = dict.fromkeys(self._following())
        if batch:
            self._batches.append(batch)
            self._expected.extend(source for source in batch if source not in self._reading)
        return bool(self._expected)

    def _submit(self, source: Source) -> Future[bytes]:
        return self._pool.submit(self._store.read, source, max_bytes=self._max_bytes)


def _size(source: Source) -> int:
    """Return the bytes of a source, with which its stamp begins."""
    size = source.stamp.partition("-")[0]
    return int(size) if size.isdecimal() else 0
