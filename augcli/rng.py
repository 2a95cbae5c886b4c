"""Streams of chance: the same on every machine, in every NumPy version, for every worker.

A stream is keyed by what it is for (seed, method, source, copy), never by position, worker
or time, so nothing passes from image to image. The words come from NumPy's Philox, whose raw
output is covered by NumPy's compatibility policy; the methods of ``numpy.random.Generator``
are not, so the few distributions needed are written here on those words.

Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (Philox 4x64).
"""

from __future__ import annotations

import hashlib
import math
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    import numpy as np
    from numpy.random import Philox
    from numpy.typing import NDArray

_WORD = 1 << 64
_WORDS_OF_KEY = struct.Struct("<2Q")
_FIRST = 8
"""Words that are made at once when a stream is asked for its first."""
_TURNS = 1000
"""Bound of loops that end after a few turns; not ending has a chance below 2**-400."""
_LOG_4 = math.log(4)
_LOG_5_PLUS_1 = math.log(5) + 1


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
    return hashlib.blake2b(_message(parts), digest_size=size).digest()


class Digest:
    """A hash that begins with the same parts each time: these are hashed only once.

    Args:
        parts: Text or whole numbers.
        size: Length of the hash in bytes, 1 to 64.

    Example:
        >>> Digest("cutout", 1)("cat/a.jpg") == digest("cutout", 1, "cat/a.jpg")
        True
    """

    __slots__ = ("_begun",)

    def __init__(self, *parts: str | int, size: int = 16) -> None:
        self._begun = hashlib.blake2b(_message(parts), digest_size=size)

    def __call__(self, *parts: str | int) -> bytes:
        """Return the hash of all parts, these at the end."""
        ended = self._begun.copy()
        ended.update(_message(parts))
        return ended.digest()


def _message(parts: Iterable[str | int]) -> bytes:
    return b"".join(
        [
            b"%d:%b" % (len(encoded := str(part).encode("utf-8", "surrogateescape")), encoded)
            for part in parts
        ]
    )


class _Shared(threading.local):
    """One generator for the first words of all streams of a thread.

    Making a Philox costs several times what setting its key does, and most streams are asked
    for a few words only. Its state is set before every use, so nothing passes between streams.
    """

    def __init__(self) -> None:
        self._bits: Philox | None = None
        self._start: dict[str, Any] = {}

    def first(self, key: bytes) -> list[int]:
        """Return the first words of the stream with a key of 16 bytes."""
        if self._bits is None:
            self._prepare()
        assert self._bits
        self._start["state"]["key"] = _WORDS_OF_KEY.unpack(key)
        self._bits.state = self._start  # type: ignore[assignment]
        words: list[int] = self._bits.random_raw(_FIRST).tolist()
        return words

    def _prepare(self) -> None:
        from numpy.random import Philox  # noqa: PLC0415 - not needed for --help

        self._bits = Philox(key=0)
        zeros = (0, 0, 0, 0)
        self._start = {
            "bit_generator": "Philox",
            "state": {"counter": zeros, "key": (0, 0)},
            "buffer": zeros,
            "buffer_pos": 4,
            "has_uint32": 0,
            "uinteger": 0,
        }


_SHARED = _Shared()


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

    __slots__ = ("_bits", "_first", "_key", "_used")

    def __init__(self, *parts: str | int) -> None:
        self._begin(digest(*parts))

    @classmethod
    def keyed(cls, key: bytes) -> Stream:
        """Return the stream whose parts have the hash ``key`` (16 bytes)."""
        stream = cls.__new__(cls)
        stream._begin(key)
        return stream

    def _begin(self, key: bytes) -> None:
        self._key = key
        self._first: list[int] = []
        self._used = 0
        self._bits: Philox | None = None

    def word(self) -> int:
        """Return one word, uniform over 0 … 2**64 - 1."""
        if self._bits is not None or self._used == _FIRST:
            return int(self._own().random_raw())
        if not self._first:
            self._first = _SHARED.first(self._key)
        self._used += 1
        return self._first[self._used - 1]

    def words(self, count: int) -> NDArray[np.uint64]:
        """Return ``count`` words as a uint64 array (count,), each uniform over 0 … 2**64 - 1."""
        return self._own().random_raw(count)

    def _own(self) -> Philox:
        """Return a generator of this stream alone, at the word after the last one used."""
        if self._bits is None:
            from numpy.random import Philox  # noqa: PLC0415 - not needed for --help

            self._bits = Philox(key=int.from_bytes(self._key, "little"))
            self._bits.random_raw(self._used, output=False)
        return self._bits

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

    def sample(self, count: int, bound: int) -> tuple[int, ...]:
        """Return ``count`` different whole numbers out of 0 … ``bound`` - 1, in random order.

        Every choice and order has the same chance: a Fisher-Yates shuffle, cut short.
        """
        order = list(range(bound))
        for index in range(count):
            other = index + self.integer(bound - index)
            order[index], order[other] = order[other], order[index]
        return tuple(order[:count])

    def uniform(self) -> float:
        """Return a number uniform over [0, 1), a multiple of 2**-53."""
        return (self.word() >> 11) * 2.0**-53

    def beta(self, first: float, second: float) -> float:
        """Return a number with the Beta distribution, over [0, 1].

        One word where both parameters are 1, which is uniform. Else the result is a multiple
        of 2**-32, so that the last bits of a machine's logarithm don't show.

        Args:
            first: The first parameter, above 0; the mean is first / (first + second).
            second: The second parameter, above 0.

        Source: Cheng 1978, "Generating beta variates with nonintegral shape parameters",
        algorithms BB and BC.

        Example:
            >>> stream = Stream(1, "mixup", 0, "cat/a.jpg", 0)
            >>> [round(stream.beta(0.2, 0.2), 6) for _ in range(3)]
            [0.999855, 0.999747, 0.00896]
        """
        if first == second == 1:
            return self.uniform()
        low, high = min(first, second), max(first, second)
        draw = self._beta_above_one if low > 1 else self._beta_from_one
        # With low = a and high = b of the paper, this is the share of the low one.
        share = draw(low, high)
        return round((share if first == low else 1 - share) * 2**32) / 2**32

    def _inside(self) -> float:
        """Return a number uniform over (0, 1), neither 0 nor 1."""
        return ((self.word() >> 12) + 0.5) * 2.0**-52

    def _beta_above_one(self, low: float, high: float) -> float:
        """Algorithm BB: both parameters above 1; at most 1.5 turns on average."""
        both = low + high
        slope = math.sqrt((both - 2) / (2 * low * high - both))
        gain = low + 1 / slope
        odds = low
        for _ in range(_TURNS):
            one, two = self._inside(), self._inside()
            logit = slope * math.log(one / (1 - one))
            odds = low * _exp(logit)
            product = one * one * two
            rest = gain * logit - _LOG_4
            # A cheap sufficient test first, as in the paper.
            if low + rest - odds + _LOG_5_PLUS_1 >= 5 * product:
                break
            if rest + both * math.log(both / (high + odds)) >= math.log(product):
                break
        return odds / (high + odds)

    def _beta_from_one(self, low: float, high: float) -> float:
        """Algorithm BC: the lower parameter at most 1; at most 4 turns on average."""
        both = low + high
        slope = 1 / low
        spread = 1 + high - low
        lower = spread * (1 / 72 + low / 24) / (high * slope - 7 / 9)
        upper = 0.25 + (0.5 + 0.25 / spread) * low
        odds = high
        for _ in range(_TURNS):
            one, two = self._inside(), self._inside()
            product = one * one * two
            if one < 0.5:
                if 0.25 * two + product - one * two >= lower:
                    continue
            elif product >= upper:
                continue
            logit = slope * math.log(one / (1 - one))
            odds = high * _exp(logit)
            if one >= 0.5 and product <= 0.25:
                break
            # The same quotient written in two ways, each exact where the other overflows.
            if logit < 0:
                fit = math.log(both / (low + odds)) + logit
            else:
                fit = math.log(both / (low * math.exp(-logit) + high))
            if both * fit - _LOG_4 >= math.log(product):
                break
        return low / (low + odds)


def _exp(power: float) -> float:
    """Return e to a power, or a number near the largest where it has none."""
    return math.exp(min(power, 700.0))
