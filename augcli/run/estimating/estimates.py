"""What is estimated from a sample of the sources: the mean colour and the white level.

Both stay as the first run estimated them: sources that come later change no output that is there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from augcli.data.codecs.formats import FULL_WHITE
from augcli.run.checking.amounts import in_chosen_splits
from augcli.run.estimating.mean_colour import mean_colour
from augcli.run.estimating.white_level import estimated_white_level

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.pixels.frame import Colour
    from augcli.run.checking.checked_run import Run
    from augcli.work.pool import Pool


@dataclass(frozen=True, slots=True)
class Estimates:
    """What was estimated.

    Attributes:
        run: The run, with its white level.
        mean_colour: The data set's; None where no step needs it.
        missed: Images that could not be read for it because of the machine.
        pool: What answered; it reads with this white level.
    """

    run: Run
    mean_colour: Colour | None
    missed: int
    pool: Pool


def estimate(run: Run, start: Callable[[Run], Pool]) -> Estimates:
    """Estimate what a run needs and does not know.

    Args:
        run: The run, checked.
        start: Returns what answers questions about its sources.

    Raises:
        InputError: No image of a sample can be read.
    """
    pool = start(run)
    missed = 0
    colour: Colour | None = None
    try:
        if run.white_level is None:
            white_level, missed = estimated_white_level(run.sources, pool)
            run = replace(run, white_level=white_level)
            if white_level != FULL_WHITE:
                # Other workers, which read with this level.
                pool.close()
                pool = start(run)
        if not run.sources:
            # All were refused when they were listed: there is nothing to make.
            missed = len(run.sources.refused)
        elif run.chain.needs_mean_colour:
            # A split for testing leaves no trace in what a network is trained on.
            candidates = np.flatnonzero(in_chosen_splits(run.sources, run.options.splits))
            colour, unread = mean_colour(run.sources, candidates.tolist(), run.options.seed, pool)
            missed += unread
    except BaseException:
        pool.close()
        raise
    return Estimates(run, colour, missed, pool)
