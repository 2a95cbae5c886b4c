"""Options and INPUT are checked, without opening an image, and become a run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from augcli.data.codecs.choices import given_white_level
from augcli.data.output import OutputFolder
from augcli.data.sinks.opening import open_sink
from augcli.data.stopping import carry_on
from augcli.data.stores.opening import is_table
from augcli.errors import UsageError
from augcli.files import real_place
from augcli.plan.fingerprint import identity
from augcli.plan.ring import sample
from augcli.recipes.chain import Chain
from augcli.run.checking.amounts import as_they_are, wanted_of
from augcli.run.checking.checked_run import Run
from augcli.run.checking.encoding import check_arrays
from augcli.run.checking.inputs import input_store
from augcli.run.checking.listing import default_out, list_sources
from augcli.run.checking.refusals import (
    check_labels,
    check_manifest,
    check_options,
    check_reach,
    check_surroundings,
)
from augcli.run.scoring import usable_maps

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.data.stopping import Checkpoint
    from augcli.data.stores.sources import Sources, Store
    from augcli.files import Place
    from augcli.recipes.options import RunOptions
    from augcli.recipes.recipe import Recipe


class Listed(NamedTuple):
    """Sources that another process listed and checked.

    Attributes:
        sources: What is read.
        folders: Those of INPUT that hold sources, `limit` or not.
        identity: What the outputs depend on, where none of the sources is to be read any more;
            else None.
    """

    sources: Sources
    folders: frozenset[str]
    identity: dict[str, Any] | None = None


def check(
    folder: Place,
    recipe: Recipe,
    options: RunOptions,
    checkpoint: Checkpoint = carry_on,
    listed: Listed | None = None,
) -> Run:
    """Check everything that can be checked without opening an image.

    Args:
        folder: INPUT.
        recipe: What to do; its ``run`` table is in ``options`` already.
        options: How.
        checkpoint: Called between two images of the run; what it raises ends it.
        listed: The sources; None lists INPUT.

    Raises:
        UsageError: A wrong option or wrong input.
    """
    check_surroundings(folder, options.out)
    check_options(options)
    out = options.out or default_out(folder, recipe.name)
    if listed:
        store = input_store(os.fspath(folder), options, os.fspath(out))
        if listed.identity is None:
            store.adopt(listed.sources)
        return _run(store, listed, folder, recipe, options, checkpoint)
    store, sources = list_sources(folder, out, options)
    return check_listed(store, sources, folder, recipe, options, checkpoint)


def check_listed(
    store: Store,
    sources: Sources,
    folder: Place,
    recipe: Recipe,
    options: RunOptions,
    checkpoint: Checkpoint = carry_on,
) -> Run:
    """Check a run whose INPUT is listed: several runs may share a list.

    Args:
        store: Where sources come from.
        sources: All of INPUT.
        folder: INPUT.
        recipe: What to do.
        options: How.
        checkpoint: See :func:`check`.

    Raises:
        UsageError: A wrong option.
    """
    check_options(options)
    check_reach(sources, options)
    folders = sources.folders()
    if options.limit and options.limit < len(sources):
        sources = sources.select(
            sorted(sample(sources.paths, options.seed, "limit", options.limit))
        )
    run = _run(store, Listed(sources, folders), folder, recipe, options, checkpoint)
    check_labels(run.chain, sources, run.wanted, options)
    return run


def _run(
    store: Store,
    listed: Listed,
    folder: Place,
    recipe: Recipe,
    options: RunOptions,
    checkpoint: Checkpoint,
) -> Run:
    sources = listed.sources
    wanted = wanted_of(sources, options) if recipe.steps else as_they_are(sources, options)
    check_arrays(options, wanted.outputs, len(sources.classes))
    copies = max(1, wanted.most_copies)
    chain = Chain(recipe.name, recipe.steps, options.seed, copies, recipe.survival)
    check_manifest(sources, options)
    container_of = _containers(sources, options)
    place = real_place(folder) if is_table(os.fspath(folder)) else sources.root
    made = listed.identity or identity(chain, place, options, sources)
    # The default depends on the kind of store: what it was is recorded.
    made["locality"] = "container" if container_of else "none"
    output = OutputFolder(options.out or default_out(folder, recipe.name), options.fsync)
    open_sink(options.to, output.files)  # raises where a package is missing
    return Run(
        store,
        sources,
        chain,
        options,
        output,
        made,
        wanted,
        listed.folders,
        heatmaps=usable_maps(options, chain, made["scorer"]),
        white_level=given_white_level(options.white_level),
        container_of=container_of,
        checkpoint=checkpoint,
    )


def _containers(sources: Sources, options: RunOptions) -> Callable[[str], str] | None:
    """Return what gives the container of a source, where neighbours are to lie in one.

    Raises:
        UsageError: They are to, but each source is a file of its own.
    """
    if options.locality == "container" and sources.container_of is None:
        raise UsageError(
            "`locality` is container, but each image of INPUT is a file of its own; leave it out"
        )
    is_default = options.locality == "auto" and sources.keeps_containers
    return sources.container_of if is_default or options.locality == "container" else None
