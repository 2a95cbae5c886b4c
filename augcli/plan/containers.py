"""Containers: how many files hold the outputs, and what they are called.

A pure function of the sources and the options, never of what earlier runs made: about as many
files as their bytes ask for, but enough for several readers at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from augcli.plan.part import MOST_SHARDS
from augcli.plan.ring import split_slug
from augcli.rng import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from augcli.data.stores.sources import Sources
    from augcli.plan.plan import Wanted

MANY_JOBS = 256
FEWEST_FILES = 16
"""Of a split of :data:`MANY_JOBS` outputs: enough for the loader processes of a machine."""
UNNAMED = "data"
"""Beginning of the names where there are no splits; loaders take these files for one set."""


@dataclass(frozen=True)
class Containers:
    """How the outputs are spread over files.

    Attributes:
        ending: Of the files.
        ranges: By split: into how many ranges each copy is cut, a power of two.
        numbering: Hash of the classes in order: outputs carry the number of their class.
    """

    ending: str
    ranges: Mapping[str, int]
    numbering: str = ""

    def name(self, split: str, number: int, count: int) -> str:
        """Return the name of a file.

        Args:
            split: The part of the data set; empty where there are none.
            number: Which file of the split, 0 and up.
            count: How many files the split has.

        Example:
            >>> Containers("tar", {}).name("train", 3, 16)
            'train-00003-of-00016.tar'
        """
        return f"{split_slug(split) or UNNAMED}-{number:05d}-of-{count:05d}.{self.ending}"


def containers_for(
    sources: Sources, wanted: Wanted, ending: str, shard_bytes: int, *, is_whole: bool = False
) -> Containers:
    """Return how the outputs of a run are spread over files.

    Args:
        sources: All of them.
        wanted: What is to be made of each.
        ending: Of the files.
        shard_bytes: Bytes that a file is to have at most, if outputs are as large as sources.
        is_whole: Whether each copy of a split is one file, however large.
    """
    sizes = np.array(sources.sizes, np.int64)
    split_of = np.array(sources.split_of, np.int64) if sources.splits else np.zeros(len(sizes), int)
    outputs = wanted.copies + (wanted.originals > 0)
    ranges = {}
    for number, split in enumerate(sources.splits or [""]):
        members = split_of == number
        # Not added up as 64 bits, which a million copies of large files could exceed.
        total = int(np.dot(sizes[members].astype(np.float64), outputs[members]))
        jobs = int(outputs[members].sum())
        copies = max(1, int(wanted.copies[members].max(initial=0)))
        files = max(-(-total // shard_bytes), FEWEST_FILES if jobs >= MANY_JOBS else 1)
        each = min(-(-files // copies), jobs, MOST_SHARDS)
        ranges[split] = 1 if is_whole else 1 << max(0, each - 1).bit_length()
    return Containers(ending, ranges, digest(*sources.classes).hex())
