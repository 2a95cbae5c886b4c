"""Yes or no at every place: Bernoulli masks that are exact and the same on every machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

    from augcli.pixels.frame import Mask
    from augcli.rng import Stream

WORDS_AT_ONCE = 1 << 20
"""Words in memory at a time: a mask of many megapixels would need eight times its size."""


def word_threshold(probability: float | Fraction) -> int:
    """Return the number of 64-bit words, of all 2**64, that mean yes; rounded down.

    Example:
        >>> word_threshold(0.5) == 2**63
        True
    """
    return int(probability * 2**64)


def happens(stream: Stream, probability: float | Fraction) -> bool:
    """Return True with the probability, by one word of the stream."""
    return stream.word() < word_threshold(probability)


def bernoulli_mask(stream: Stream, probability: float | Fraction, shape: tuple[int, ...]) -> Mask:
    """Return uint8 of a shape: 1 with the probability at each place on its own, else 0.

    Args:
        stream: Gives one word for each place, in order of rows.
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
    # 2**64 is no uint64, so the largest word that means yes is compared.
    largest = np.uint64(threshold - 1)
    for start in range(0, places.size, WORDS_AT_ONCE):
        piece = places[start : start + WORDS_AT_ONCE]
        piece[...] = stream.words(piece.size) <= largest
    return mask
