"""The white level of 16-bit pictures, where it is estimated: 10-, 12- and 14-bit data.

The highest level in a sample is rounded up to 2**k - 1, with k of at least 8: data of k bits have
at most this level. A level that no picture of the sample has, but another one, then still fits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from augcli.data.codecs.formats import DEEP_ENDINGS, FULL_WHITE
from augcli.run.mean_colour import BATCH, chosen, is_missed
from augcli.work.questions import HighestLevels

if TYPE_CHECKING:
    from augcli.data.stores.sources import Sources
    from augcli.work.pool import Pool

LEAST_BITS: Final = 8
SEED: Final = 0
"""Always the same, so that heat maps and runs with other seeds agree on the level."""


def estimated_white_level(sources: Sources, pool: Pool) -> tuple[int, int]:
    """Return the white level of a sample, the same for any number of workers.

    Args:
        sources: At most 256 are read, chosen by a hash from those whose names end as those of
            formats that can have 16 bits.
        pool: Answers.

    Returns:
        2**k - 1 for a k from 8 to 16, 65535 where no picture of the sample has 16 bits; and how
        many images could not be read because of the machine.
    """
    candidates = [index for index in range(len(sources)) if sources.ending(index) in DEEP_ENDINGS]
    indices = chosen(sources, SEED, "white level", candidates)
    # Sorted: what lies in one container is read one after the other.
    batches = sources.batches(sorted(indices), BATCH)
    answers = [answer for _, answer in pool.ask(HighestLevels, batches)]
    missed = sum(map(is_missed, answers))
    levels = [answer for answer in answers if isinstance(answer, int)]
    if not levels:
        return FULL_WHITE, missed
    return (1 << max(LEAST_BITS, max(levels).bit_length())) - 1, missed


def white_level_words(white_level: int) -> str:
    """Return a notice about a level that was estimated.

    Example:
        >>> white_level_words(4095)
        'white level of 16-bit images, estimated: 4,095 of 65,535'
    """
    return f"white level of 16-bit images, estimated: {white_level:,} of {FULL_WHITE:,}"
