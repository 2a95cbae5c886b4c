"""Engines: who carries out a run: this machine, or one of the tasks of an array job."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from augcli.data.stopping import carry_on
from augcli.run.checking.check import check
from augcli.run.making.make import make

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.data.stopping import Checkpoint
    from augcli.files import Place
    from augcli.recipes.options import RunOptions
    from augcli.recipes.recipe import Recipe
    from augcli.run.messages import Listener, Summary


def engine(
    folder: Place, recipe: Recipe, options: RunOptions, checkpoint: Checkpoint = carry_on
) -> Callable[[Listener], Summary]:
    """Return what makes a data set, or the share of it that a task of an array job has.

    Args:
        folder: INPUT.
        recipe: What to do; its ``run`` table is in ``options`` already.
        options: How.
        checkpoint: Called between two images; what it raises ends the run.

    Returns:
        A function that is called with a listener, and raises :class:`augcli.errors.Stopped` where
        the disk is full, OUT is gone, …

    Raises:
        UsageError: A wrong option or wrong input; nothing was written.
    """
    if options.shard is None:
        return functools.partial(make, check(folder, recipe, options, checkpoint))
    from augcli.run.cluster.task import make_share  # noqa: PLC0415 - few runs are shared

    return functools.partial(make_share, folder, recipe, options, checkpoint)
