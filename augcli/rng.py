"""Random numbers that are the same on every machine, with every NumPy version, in every worker.

A stream of numbers is keyed by its purpose (seed, method, source, copy), never by position,
worker or time, so the images don't depend on each other. The words come from NumPy's Philox,
whose raw output is covered by NumPy's compatibility policy. The methods of
``numpy.random.Generator`` are not, so the few distributions needed are written here.

Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (Philox 4x64).
"""

from __future__ import annotations

import hashlib
import math
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Any

    import numpy as np
    from numpy.random import Philox
    from numpy.typing import NDArray

_WORD = 1 << 64
_WORDS_OF_KEY = struct.Struct("<2Q")
_FIRST = 8
"""How many words are made at once when the first word of a stream is needed."""
_TURNS = 1000
"""Bound of loops that take a few turns; taking more has a probability below 2**-400."""
_LOG_4 = math.log(4)
_LOG_5_PLUS_1 = math.log(5) + 1


def digest(*parts: str | int, size: int = 16) -> bytes:
    """Return the BLAKE2b hash of length-prefixed parts.

    With the length, ``("ab", "c")`` and ``("a", "bc")`` differ. Text is hashed as UTF-8.

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


def digests(texts: Iterable[str], size: int) -> bytes:
    """Return the hashes of many texts, one after the other; quicker than :func:`digest` for each.

    Example:
        >>> digests(["a", "b"], 4) == digest("a", size=4) + digest("b", size=4)
        True
    """
    hash_of = hashlib.blake2b
    found = bytearray()
    for text in texts:
        t = text.encode("utf-8", "surrogateescape")
        found += hash_of(b"%d:%b" % (len(t), t), digest_size=size).digest()
    return bytes(found)


class Digest:
    """Hashes that all start with the same parts, which are hashed only once.

    Args:
        parts: The parts that they start with: text or whole numbers.
        size: Length of the hashes in bytes, 1 to 64.

    Example:
        >>> Digest("cutout", 1)("cat/a.jpg") == digest("cutout", 1, "cat/a.jpg")
        True
    """

    __slots__ = ("_started",)

    def __init__(self, *parts: str | int, size: int = 16) -> None:
        self._started = hashlib.blake2b(_message(parts), digest_size=size)

    def __call__(self, *parts: str | int) -> bytes:
        """Return the hash of the first parts and these."""
        whole = self._started.copy()
        whole.update(_message(parts))
        return whole.digest()


def _message(parts: Collection[str | int]) -> bytes:
    message = ""
    for part in parts:
        text = part if type(part) is str else str(part)
        if not text.isascii():
            return _encoded_message(parts)
        message += f"{len(text)}:{text}"
    return message.encode()


def _encoded_message(parts: Collection[str | int]) -> bytes:
    """Return the same where a text has letters of several bytes, which is slower."""
    return b"".join(
        [
            b"%d:%b" % (len(encoded := str(part).encode("utf-8", "surrogateescape")), encoded)
            for part in parts
        ]
    )


class _Shared(threading.local):
    """One generator per thread, for the first words of all streams.

    Making a Philox takes several times as long as setting its key, and most streams need only
    a few words. Its state is set before each use, so streams don't depend on each other.
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
        parts: The purpose of the stream; equal parts give equal numbers.

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
        """Return the stream whose parts have the :func:`digest` ``key`` (16 bytes)."""
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
        """Return this stream's own generator, set to the first word that is not used yet."""
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

        Every choice and order is equally likely: a Fisher-Yates shuffle that stops early.
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

        With both parameters 1 this is :meth:`uniform`. Else the result is rounded to a multiple
        of 2**-32, so that it does not depend on the last bits of a machine's logarithm.

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
        # The share that belongs to the lower parameter: a in the paper, and b the higher one.
        share = draw(low, high)
        return round((share if first == low else 1 - share) * 2**32) / 2**32

    def _inside(self) -> float:
        """Return a number uniform over (0, 1), neither 0 nor 1."""
        return ((self.word() >> 12) + 0.5) * 2.0**-52

    def _beta_above_one(self, low: float, high: float) -> float:
        """Return a share by algorithm BB: both parameters above 1; 1.5 turns on average at most."""
        both = low + high
        slope = math.sqrt((both - 2) / (2 * low * high - both))
        gain = low + 1 / slope
        odds = low
        for _ in range(_TURNS):
            u1, u2 = self._inside(), self._inside()
            logit = slope * math.log(u1 / (1 - u1))
            odds = low * _exp(logit)
            product = u1 * u1 * u2
            rest = gain * logit - _LOG_4
            # First a fast test that is sufficient, as in the paper.
            if low + rest - odds + _LOG_5_PLUS_1 >= 5 * product:
                break
            if rest + both * math.log(both / (high + odds)) >= math.log(product):
                break
        return odds / (high + odds)

    def _beta_from_one(self, low: float, high: float) -> float:
        """Return a share by algorithm BC: lower parameter at most 1; at most 4 turns on average."""
        both = low + high
        slope = 1 / low
        spread = 1 + high - low
        lower = spread * (1 / 72 + low / 24) / (high * slope - 7 / 9)
        upper = 0.25 + (0.5 + 0.25 / spread) * low
        odds = high
        for _ in range(_TURNS):
            u1, u2 = self._inside(), self._inside()
            product = u1 * u1 * u2
            if u1 < 0.5:
                if 0.25 * u2 + product - u1 * u2 >= lower:
                    continue
            elif product >= upper:
                continue
            logit = slope * math.log(u1 / (1 - u1))
            odds = high * _exp(logit)
            if u1 >= 0.5 and product <= 0.25:
                break
            # The same quotient in two forms, so that neither overflows.
            if logit < 0:
                fit = math.log(both / (low + odds)) + logit
            else:
                fit = math.log(both / (low * math.exp(-logit) + high))
            if both * fit - _LOG_4 >= math.log(product):
                break
        return low / (low + odds)


def _exp(power: float) -> float:
    """Return e to a power, or about the largest number if the result would be larger."""
    return math.exp(min(power, 700.0))
