"""Before a run: everything that can be checked without opening an image."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from augcli.data.labels import apply_labels
from augcli.data.stores.folder import list_sources
from augcli.errors import InputError, OutputError, UsageError
from augcli.plan.fingerprint import identity
from augcli.plan.output import Output
from augcli.plan.ring import sample
from augcli.recipes.chain import Chain
from augcli.run.making import Run
from augcli.run.scoring import usable_maps

if TYPE_CHECKING:
    from augcli.data.stores.folder import Sources
    from augcli.recipes.options import RunOptions
    from augcli.recipes.recipe import Recipe


def prepare(folder: Path, recipe: Recipe, options: RunOptions) -> Run:
    """Check everything that can be checked without opening an image.

    Args:
        folder: INPUT.
        recipe: What to do; its ``run`` table is in ``options`` already.
        options: How.

    Raises:
        UsageError: A wrong option or wrong input.
    """
    _check_surroundings(folder, options.out)
    chain = Chain(recipe.name, recipe.steps, options.seed, options.copies, recipe.survival)
    out = options.out or default_out(folder, chain.name)
    sources = list_sources(folder, out=out, follow_links=options.follow_links)
    if options.labels:
        apply_labels(sources, options.labels)
    if options.limit and options.limit < len(sources):
        sources = sources.select(
            sorted(sample(sources.paths, options.seed, "limit", options.limit))
        )
    _check_labels(chain, sources, options)
    if os.path.realpath(out) == sources.folder:
        raise OutputError(f"OUT {out} is INPUT itself; give another folder with --out")
    found = identity(chain, sources, options)
    return Run(
        sources,
        chain,
        options,
        Output(out, options.fsync),
        found,
        heatmaps=usable_maps(options, chain, found["scorer"]),
    )


def _check_surroundings(*paths: Path | None) -> None:
    """Refuse what would make every path mean something else.

    Raises:
        UsageError: The current folder is gone, or file names are not read as UTF-8.
    """
    try:
        os.getcwd()
    except FileNotFoundError:
        if not all(path is None or path.is_absolute() for path in paths):
            raise UsageError(
                "the current folder was removed; go to another one, or give whole paths"
            ) from None
    encoding = sys.getfilesystemencoding()
    if encoding.lower().replace("-", "") != "utf8":
        raise UsageError(
            f"Python reads file names as {encoding} here, so the manifest would hold other names; "
            "set LC_ALL=C.UTF-8 or PYTHONUTF8=1"
        )


def default_out(folder: Path, command: str) -> Path:
    """Return ``<INPUT>-<command>`` beside INPUT."""
    whole = Path(os.path.abspath(folder))
    return whole.with_name(f"{whole.name or 'augcli'}-{command}")


def _check_labels(chain: Chain, sources: Sources, options: RunOptions) -> None:
    if chain.mixer_at is None:
        return
    for index, number in enumerate(sources.class_of):
        if number < 0:
            raise InputError(
                f"{chain.name} mixes labels, but {sources.paths[index]!r} has none: put the "
                "images of each class into a folder of its own, or give --labels table.csv "
                "with the columns file_name,label"
            )
    if len(sources) == 1:
        raise InputError(
            f"{chain.name} mixes two images, but INPUT holds only one: {sources.paths[0]!r}"
        )
    if options.pair == "different" and len(set(sources.class_of)) == 1:
        raise InputError(
            "--pair different needs images of two classes, but all are of "
            f"{sources.label(0)!r}; use --pair any"
        )
