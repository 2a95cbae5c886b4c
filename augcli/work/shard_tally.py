"""How far a shard is, reported at most ten times a second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from augcli.work.events import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.work.events import Event

UPDATE_SECONDS = 0.1


class ShardTally:
    """Counts what became of a shard's jobs and announces it at most ten times a second."""

    def __init__(self, shard: str, announce: Callable[[Event], None]) -> None:
        self.first = self.last = 0.0
        self._shard = shard
        self._announce = announce
        self.made = self.failed = 0
        self._announced = 0.0

    def tick(self, *, made: int = 0, failed: int = 0) -> None:
        """Count jobs that were made or failed just now."""
        self.made += made
        self.failed += failed
        now = time.time()
        if made:
            self.first = self.first or now
            self.last = now
        if now - self._announced >= UPDATE_SECONDS:
            self._announced = now
            self._announce(Tally(self._shard, self.made, self.failed))
