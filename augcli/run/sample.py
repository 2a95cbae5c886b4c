"""Samples of the sources: chosen by a hash, so that more sources change few of the choices."""

from __future__ import annotations

import heapq

from augcli.rng import Digest


def sample(paths: list[str], seed: int, purpose: str, count: int) -> list[int]:
    """Return the indices of at most ``count`` paths, in the order in which they were chosen.

    Example:
        >>> sample(["a.jpg", "b.jpg", "c.jpg"], 1, "limit", 2) == sample(
        ...     ["a.jpg", "b.jpg", "c.jpg"], 1, "limit", 3
        ... )[:2]
        True
    """
    key = Digest(seed, purpose, size=8)
    return heapq.nsmallest(count, range(len(paths)), key=lambda index: key(paths[index]))
