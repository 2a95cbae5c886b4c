"""Engines: who carries out a run: this machine, or one of the tasks of an array job."""

from __future__ import annotations

import functools
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from augcli.data.run_record import has_record
from augcli.data.stopping import carry_on
from augcli.files import is_url
from augcli.run.checking.check import check
from augcli.run.checking.listing import default_out
from augcli.run.machine import usable_cores
from augcli.run.making.make import make
from augcli.work.processes import EarlyWorkers

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
        early = _early_workers(folder, recipe, options)
        try:
            run = replace(check(folder, recipe, options, checkpoint), early=early)
        except BaseException:
            early.close()
            raise
        return functools.partial(make, run)
    from augcli.run.cluster.task import make_share  # noqa: PLC0415 - few runs are shared

    return functools.partial(make_share, folder, recipe, options, checkpoint)


def _early_workers(folder: Place, recipe: Recipe, options: RunOptions) -> EarlyWorkers:
    """Start workers before INPUT is listed; none where there may be nothing to do for them."""
    out = os.fspath(options.out or default_out(folder, recipe.name))
    is_here = options.engine == "processes" and not is_url(out)
    if options.workers == 0 or not is_here or has_record(out):
        return EarlyWorkers(0)
    return EarlyWorkers(min(options.workers or sys.maxsize, usable_cores()))
