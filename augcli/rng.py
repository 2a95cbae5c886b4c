"""Streams of chance: the same on every machine, in every NumPy version, for every worker.

A stream is keyed by what it is for (seed, method, source, copy), never by position, worker
or time, so nothing passes from image to image. The words come from NumPy's Philox, whose raw
output is covered by NumPy's compatibility policy; the methods of ``numpy.random.Generator``
are not, so the few distributions needed are written here on those words.

Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (Philox 4x64).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WORD = 1 << 64


def digest(*parts: str | int, size: int = 16) -> bytes:
    """Return the BLAKE2b hash of length-prefixed parts.

    The prefix keeps ``("ab", "c")`` and ``("a", "bc")`` apart. Text is hashed as UTF-8.

    Args:
        parts: Text or whole numbers.
        size: Length of the hash in bytes, 1 to 64.

    Example:
        >>> digest("ab", "c") == digest("a", "bc")
        False
        >>> digest(1, "cat/a.jpg", size=4).hex()
        'a20e2d56'
    """
    encoded = [str(part).encode("utf-8", "surrogateescape") for part in parts]
    message = b"".join(b"%d:%b" % (len(part), part) for part in encoded)
    return hashlib.blake2b(message, digest_size=size).digest()


class Stream:
    """A stream of random numbers with a key of its own.

    Args:
        parts: What the stream is for; equal parts give equal numbers.

    Example:
        >>> stream = Stream(1, "cutout", 0, "cat/a.jpg", 0)
        >>> [stream.integer(100) for _ in range(3)]
        [40, 81, 38]
        >>> Stream(1, "cutout", 0, "cat/a.jpg", 0).integer(100)
        40
    """

    __slots__ = ("_bits",)

    def __init__(self, *parts: str | int) -> None:
        from numpy.random import Philox  # noqa: PLC0415 - not needed for --help

        self._bits = Philox(key=int.from_bytes(digest(*parts), "little"))

    def word(self) -> int:
        """Return one word, uniform over 0 … 2**64 - 1."""
        return int(self._bits.random_raw())

    def words(self, count: int) -> NDArray[np.uint64]:
        """Return ``count`` words as a uint64 array (count,), each uniform over 0 … 2**64 - 1."""
        return self._bits.random_raw(count)

    def integer(self, bound: int) -> int:
        """Return a whole number, exactly uniform over 0 … ``bound`` - 1.

        Source: Lemire 2019, "Fast random integer generation in an interval", algorithm 5.
        """
        product = self.word() * bound
        if product % _WORD < bound:
            threshold = (_WORD - bound) % bound
            while product % _WORD < threshold:
                product = self.word() * bound
        return product // _WORD

    def uniform(self) -> float:
        """Return a number uniform over [0, 1), a multiple of 2**-53."""
        return (self.word() >> 11) * 2.0**-53
