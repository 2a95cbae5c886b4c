"""Commits: where OUT lies far away, shards are committed while the next ones are made."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

MOST_BEHIND: Final = 4
"""Shards of a worker that are being committed at a time."""


class Commits:
    """Shards that are being committed.

    Args:
        most: How many at a time while the work goes on; 0 where the work waits for each.
    """

    def __init__(self, most: int = 0) -> None:
        self._most = most
        self._pool = ThreadPoolExecutor(most, "augcli-commit") if most else None
        self._waiting: deque[Future[None]] = deque()

    def add(self, commit: Callable[[], None]) -> None:
        """Commit a shard; what a commit before has raised comes out here."""
        if self._pool is None:
            commit()
            return
        while self._waiting and (self._waiting[0].done() or len(self._waiting) >= self._most):
            self._waiting.popleft().result()
        self._waiting.append(self._pool.submit(commit))

    def wait(self) -> None:
        """Wait until all are committed; what one has raised comes out here."""
        while self._waiting:
            self._waiting.popleft().result()
