"""The data set's mean colour: what the fill ``mean`` shows, and the papers' zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from augcli.data.manifest import Failure
from augcli.errors import InputError
from augcli.plan.ring import sample
from augcli.work.questions import MeanColours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from augcli.data.stores.sources import Sources
    from augcli.pixels.frame import Colour
    from augcli.work.pool import Pool

MOST_IMAGES = 256
FEW_IMAGES = 64
MOST_BYTES = 64 * 2**20
"""Beyond this, a sample of large images stops at FEW_IMAGES: decoding them takes too long."""
BATCH = 16


def chosen(
    sources: Sources, seed: int, purpose: str, candidates: Sequence[int] | None = None
) -> list[int]:
    """Return the indices of at most 256 sources, chosen by a hash.

    Args:
        sources: All of them.
        seed: Another seed chooses others.
        purpose: Another purpose chooses others.
        candidates: Indices of those that may be chosen; all where None.
    """
    indices = range(len(sources)) if candidates is None else candidates
    paths = [sources.paths[index] for index in indices]
    selected: list[int] = []
    total = 0
    for number in sample(paths, seed, purpose, MOST_IMAGES):
        if len(selected) >= FEW_IMAGES and total > MOST_BYTES:
            break
        selected.append(indices[number])
        total += sources.sizes[indices[number]]
    return selected


def is_missed(answer: Any) -> bool:
    """Return whether a worker gave no answer for a source because of the machine."""
    return isinstance(answer, str) or (isinstance(answer, Failure) and answer.is_provisional)


def mean_colour(
    sources: Sources, candidates: Sequence[int], seed: int, pool: Pool
) -> tuple[Colour, int]:
    """Return the mean of the mean colours of a sample, the same for any number of workers.

    Args:
        sources: All of them.
        candidates: Indices of those that may be chosen.
        seed: Another seed chooses others.
        pool: Answers.

    Returns:
        The mean, and how many images could not be read because of the machine.

    Raises:
        InputError: None of the sample can be read.
    """
    indices = chosen(sources, seed, "mean", candidates)
    # Sorted: what lies in one container is read one after the other.
    batches = sources.batches(sorted(indices), BATCH)
    answers: dict[str, Colour | Failure | str] = dict(pool.ask(MeanColours, batches))
    colours = [answer for answer in answers.values() if not isinstance(answer, Failure | str)]
    if not colours:
        path = sources.paths[indices[0]]
        first = answers[path]
        raise InputError(
            f"none of the {len(indices)} images that were tried can be read, the first is "
            f"{path!r}: {first.reason if isinstance(first, Failure) else first}"
        )
    count = len(colours)
    red, green, blue = (
        (2 * sum(colour[channel] for colour in colours) + count) // (2 * count)
        for channel in range(3)
    )
    return (red, green, blue), sum(map(is_missed, answers.values()))
