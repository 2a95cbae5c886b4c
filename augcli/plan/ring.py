"""The ring: who gives to whom, and the shards that it is cut into.

Who gives to whom? For each copy, the sources are sorted by a hash of (seed, copy, path): a
ring. The donor of each is the next on the ring that fits ``--pair``. So nobody is its own
donor, everybody gives once, each copy has another ring, a worker that walks along the ring
decodes each source once, and adding one image changes one donor.

With ``--locality container`` the hash of the container comes before that of the path: neighbours
lie in one container, which is then read once, and most pairs are of one container.

The ring's key space is cut into a power of two of ranges; a range is a shard. Cutting by key
and not by position keeps shards where they are when images come or go. When a set grows, each
range is cut in two, four, …, see :meth:`augcli.plan.parts.Parts.split`.
"""

from __future__ import annotations

import functools
import hashlib
import heapq
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from augcli.plan.amounts import class_numbers
from augcli.plan.part import ShardName
from augcli.rng import Digest, digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from augcli.data.stores.sources import Sources

Pair = Literal["any", "different", "same", "balanced"]

JOBS_PER_SHARD = 128
SMALLEST_SHARD = 16
AT_ONCE = 1 << 16
SHARDS_WANTED = 64
"""Enough for the workers of a small machine to finish at about the same time."""


def shards_for(sources: int) -> int:
    """Return how many shards each copy is cut into: a power of two.

    About 128 jobs a shard; fewer for small data sets, so that all workers have work.

    Example:
        >>> [shards_for(sources) for sources in (12, 500, 50_000)]
        [1, 32, 512]
    """
    jobs = min(JOBS_PER_SHARD, max(SMALLEST_SHARD, sources // SHARDS_WANTED))
    return 1 << (max(1, sources // jobs) - 1).bit_length()


def ring_keys(
    seed: int, copy: int, container_of: Callable[[str], str] | None = None
) -> Callable[[str], bytes]:
    """Return what gives the 8 bytes by which sources are sorted on the ring of a copy.

    Args:
        seed: Seed of all chance.
        copy: Copy number.
        container_of: Gives the container of a source by its path. The first half of a key is then
            that of the container, so that its sources are neighbours; all of it is that of the
            path where None.
    """
    prefix = hashlib.blake2b(digest(seed, "ring", copy), digest_size=8)

    def key_of(path: str) -> bytes:
        key = prefix.copy()
        key.update(path.encode("utf-8", "surrogateescape"))
        return key.digest()

    if container_of is None:
        return key_of
    # Sources come sorted by path, so those of a container one after the other.
    first_half = functools.lru_cache(64)(lambda container: key_of(container)[:4])
    return lambda path: first_half(container_of(path)) + key_of(path)[:4]


def split_slug(split: str) -> str:
    """Return the name of a split as names of shards have it.

    Example:
        >>> split_slug("train"), split_slug("fold 1")
        ('train', 'fold_1_f06e5279')
    """
    slug = re.sub(r"[^A-Za-z0-9_]", "_", split)[:80]
    return slug if slug == split else f"{slug}_{digest(split, size=4).hex()}"


class Shard(NamedTuple):
    """A contiguous piece of one copy's ring.

    Attributes:
        copy: Copy number.
        number: Which range of keys.
        ranges: How many ranges there are, a power of two.
        start: First position on the ring.
        stop: Position after the last.
        split: The part of the data set; empty where there are none.
        file: Name of the file that holds all of its outputs; empty where each is a file.
        jobs: How many jobs it holds.
    """

    copy: int
    number: int
    ranges: int
    start: int
    stop: int
    split: str = ""
    file: str = ""
    jobs: int = 0

    @property
    def name(self) -> str:
        """The shard in words of a file name, such as ``0-00012-of-00032``."""
        return str(ShardName(self.copy, self.number, self.ranges, split_slug(self.split)))


@dataclass(frozen=True)
class Ring:
    """One copy's order of the sources.

    Attributes:
        sources: All of them.
        order: int32 (n,): index of the source at each position.
        keys: uint64 (n,): sorted hash at each position; empty where only the order is known,
            which :attr:`is_known_by_order`.
        pair: Which donors are allowed.
        seed: Seed of all chance.
        copy: Copy number.
    """

    sources: Sources
    order: NDArray[np.int32]
    keys: NDArray[np.uint64]
    pair: Pair
    seed: int = 0
    copy: int = 0

    @classmethod
    def of(
        cls,
        sources: Sources,
        seed: int,
        copy: int,
        pair: Pair,
        members: NDArray[np.int64] | None = None,
        container_of: Callable[[str], str] | None = None,
    ) -> Ring:
        """Sort sources by their hash for one copy.

        Args:
            sources: All of them.
            seed: Seed of all chance.
            copy: Copy number.
            pair: Which donors are allowed.
            members: int64: indices of those on the ring, ascending; all where None.
            container_of: Gives the container of a path, whose sources are to be neighbours.
        """
        key_of = ring_keys(seed, copy, container_of)
        all_paths = sources.paths
        paths = all_paths if members is None else (all_paths[at] for at in each_of(members))
        joined = bytearray()
        for path in paths:
            joined += key_of(path)
        keys = np.frombuffer(joined, np.uint64)
        if sys.byteorder == "little":
            keys.byteswap(inplace=True)
        # Stable, and the sources come sorted by path: equal hashes go by path.
        order = np.argsort(keys, kind="stable")
        indices = order if members is None else members[order]
        return cls(sources, indices.astype(np.int32), keys[order], pair, seed, copy)

    @property
    def is_known_by_order(self) -> bool:
        """Whether the order alone says who gives to whom."""
        return self.pair != "balanced"

    @functools.cached_property
    def group(self) -> NDArray[np.int32]:
        """Number of the class at each position, the heaviest of a soft label: int32 (n,)."""
        return class_numbers(self.sources)[self.order]

    def donors(self, position: int, count: int) -> list[int]:
        """Return the first ``count`` positions that may give to the base at a position.

        Walks along the ring: the first is the donor, the others step in where one can't be
        read. Shorter, or empty, where there are no more.
        """
        total = len(self.order)
        if self.pair == "any":
            return [(position + step) % total for step in range(1, min(count + 1, total))]
        if self.pair == "same":
            return self._same(position, count)
        if self.pair == "balanced":
            return self._balanced(position, count)
        return self._different(position, count)

    def _same(self, position: int, count: int) -> list[int]:
        by_class, start_of = self._classes
        start, stop = start_of[self.group[position] : self.group[position] + 2].tolist()
        members = by_class[start:stop]
        rank = int(np.searchsorted(members, position))
        steps = range(1, min(count + 1, len(members)))
        return [int(members[(rank + step) % len(members)]) for step in steps]

    def _balanced(self, position: int, count: int) -> list[int]:
        """Return donors of a class drawn with weight 1/size, then of the others as they are drawn.

        The class is drawn by weighted rendezvous hashing: each has a number that the key of the
        base gives, and the lowest wins. A class that grows or comes changes few draws.
        """
        by_class, start_of = self._classes
        sizes = np.diff(start_of)
        own = int(self.group[position])
        # 2**53 steps between 0 and 1, none of them at an end.
        drawn = (_mixed(self.keys[position] ^ self._class_keys) >> np.uint64(11)) + 0.5
        cost = np.where(sizes > 0, -np.log(drawn / 2.0**53) * sizes, np.inf)
        donors: list[int] = []
        for number in np.argsort(cost, kind="stable").tolist():
            members = by_class[start_of[number] : start_of[number + 1]]
            first = int(np.searchsorted(members, position, "right" if number == own else "left"))
            wanted = min(count - len(donors), len(members) - (number == own))
            steps = range(first, first + wanted)
            donors += [int(members[step % len(members)]) for step in steps]
            if len(donors) == count:
                break
        return donors

    @functools.cached_property
    def _class_keys(self) -> NDArray[np.uint64]:
        """A hash of each class."""
        numbers = range(len(self._classes[1]) - 1)
        key_of = Digest(self.seed, "balanced", self.copy, size=8)
        keys = b"".join([key_of(self.sources.classes[number]) for number in numbers])
        return np.frombuffer(keys, ">u8").astype(np.uint64)

    def _different(self, position: int, count: int) -> list[int]:
        total = len(self.order)
        donors: list[int] = []
        step = 1
        while step < total and len(donors) < count:
            other = (position + step) % total
            if self.group[other] == self.group[position]:
                # Over the whole run of one class at once: a class may be most of the ring.
                step += int(self._run_left[other])
            else:
                donors.append(other)
                step += 1
        return donors

    @functools.cached_property
    def _classes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The positions of each class, ascending, and where each class begins in them."""
        by_class = np.argsort(self.group, kind="stable")
        starts = np.searchsorted(self.group[by_class], np.arange(self.group.max() + 2))
        return by_class, starts

    @functools.cached_property
    def _run_left(self) -> NDArray[np.int64]:
        """How many positions from each on, itself included, are of one class."""
        ends = np.flatnonzero(np.append(self.group[1:] != self.group[:-1], True))
        positions = np.arange(len(self.group))
        return ends[np.searchsorted(ends, positions)] - positions + 1

    def shards(self, copy: int, count: int, split: str = "") -> Iterator[Shard]:
        """Yield the shards that hold a source, in order."""
        bits = count.bit_length() - 1
        if bits == 0:
            edges = np.array([0, len(self.order)])
        else:
            starts = np.arange(count, dtype=np.uint64) << np.uint64(64 - bits)
            edges = np.append(np.searchsorted(self.keys, starts), len(self.order))
        for number in np.flatnonzero(np.diff(edges)).tolist():
            yield Shard(copy, number, count, int(edges[number]), int(edges[number + 1]), split)


def each_of(numbers: NDArray[np.int64]) -> Iterator[int]:
    """Yield the numbers of an array, without a list of all of them."""
    for start in range(0, len(numbers), AT_ONCE):
        yield from numbers[start : start + AT_ONCE].tolist()


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the words with their bits mixed: the finaliser of SplitMix64 (Steele et al. 2014)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def sample(paths: Sequence[str], seed: int, purpose: str, count: int) -> list[int]:
    """Return the indices of at most ``count`` paths, in the order in which they were chosen.

    Example:
        >>> sample(["a.jpg", "b.jpg", "c.jpg"], 1, "limit", 2) == sample(
        ...     ["a.jpg", "b.jpg", "c.jpg"], 1, "limit", 3
        ... )[:2]
        True
    """
    key = Digest(seed, purpose, size=8)
    return heapq.nsmallest(count, range(len(paths)), key=lambda index: key(paths[index]))
