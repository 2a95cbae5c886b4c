"""Yes or no with a probability, once or for every pixel, the same on every machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

    from augcli.pixels.frame import Mask
    from augcli.rng import Stream

WORDS_AT_ONCE = 1 << 20
"""Words in memory at a time: the words of a mask take eight times its own size."""


def word_threshold(probability: float | Fraction) -> int:
    """Return how many of the 2**64 words mean yes, rounded down.

    Example:
        >>> word_threshold(0.5) == 2**63
        True
    """
    return int(probability * 2**64)


def happens(stream: Stream, probability: float | Fraction) -> bool:
    """Return True with the probability; takes one word of the stream."""
    return stream.word() < word_threshold(probability)


def bernoulli_mask(stream: Stream, probability: float | Fraction, shape: tuple[int, ...]) -> Mask:
    """Return uint8 of a shape: each place is 1 with the probability, independently, else 0.

    Args:
        stream: Gives one word for each place, row by row.
        probability: 0 to 1.
        shape: Such as (H, W) or (H, W, 3).

    Example:
        >>> from augcli.rng import Stream
        >>> bernoulli_mask(Stream(1, "example"), 0.5, (2, 4)).tolist()
        [[1, 0, 0, 0], [1, 0, 1, 0]]
    """
    import numpy as np  # noqa: PLC0415 - not needed for --help

    mask = np.zeros(shape, np.uint8)
    threshold = word_threshold(probability)
    if threshold == 0:
        return mask
    places = mask.reshape(-1)
    # The threshold may be 2**64, which is no uint64; the largest word that means yes always is.
    largest = np.uint64(threshold - 1)
    for start in range(0, places.size, WORDS_AT_ONCE):
        piece = places[start : start + WORDS_AT_ONCE]
        piece[...] = stream.words(piece.size) <= largest
    return mask
