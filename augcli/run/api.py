"""A run from sources to manifest: what the command line and Python both call."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augcli.augmentations import METHODS
from augcli.augmentations.base import Augmentation
from augcli.errors import ParameterError
from augcli.params import build, declared, public_name, refuse_unknown
from augcli.recipes.options import RunOptions
from augcli.recipes.recipe import Recipe
from augcli.run.bar import ProgressBar
from augcli.run.check import check
from augcli.run.make import make
from augcli.run.messages import Summary, ignore
from augcli.run.options import export_fields, run_options
from augcli.run.places import path_of

if TYPE_CHECKING:
    from augcli.run.messages import Listener, Message

__all__ = ["Summary", "augment", "export"]


def augment(
    folder: str | os.PathLike[str],
    augmentation: Augmentation[Any] | Recipe,
    *,
    listener: Listener = ignore,
    progress: bool = False,
    **options: Any,
) -> Summary:
    """Augment a folder of images: the run that the command line makes.

    Args:
        folder: INPUT: one folder for each class.
        augmentation: The method with its options, such as ``AttentiveCutMix(top_n=6)``, or a
            recipe.
        listener: Called with each message of the run.
        progress: Show the command line's bar on standard error, in a notebook below its cell,
            with the lines for failed images and the summary.
        **options: The options that all commands share, such as ``out="mixed"``, ``seed=1`` or
            ``workers=4``; see :class:`augcli.recipes.options.RunOptions`.

    Returns:
        What was made. ``summary.failed`` counts the rows of errors.csv.

    Raises:
        UsageError: A wrong option or wrong input; nothing was written.
        Stopped: The disk is full, OUT is gone, …; the same call again continues.

    Example:
        >>> import augcli, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     summary = augcli.augment(
        ...         "sample_images", augcli.Cutout(patch=0.4), out=folder, workers=0
        ...     )
        >>> summary.images, summary.failed
        (16, 0)
    """
    place = path_of(folder)
    recipe, chosen = recipe_and_options(augmentation, options)
    if not callable(listener):
        raise ParameterError("listener", f"is {listener!r}, but must be a function")
    run = check(place, recipe, chosen)
    if not progress:
        return make(run, listener)
    with ProgressBar() as bar:

        def listen(message: Message) -> None:
            bar(message)
            listener(message)

        return make(run, listen)


def export(
    folder: str | os.PathLike[str], *, listener: Listener = ignore, **options: Any
) -> Summary:
    """Write INPUT into another kind of output, unchanged: files, tar files or Parquet.

    Bytes are copied; they are encoded anew where ``size`` or ``format`` is given, or where INPUT
    holds arrays. Labels, splits and groups come along.

    Args:
        folder: INPUT, of any kind that augcli reads.
        listener: Called with each message of the run.
        **options: Such as ``to="webdataset"``, ``out="shards"`` or ``size=224``.

    Raises:
        UsageError: A wrong option or wrong input; nothing was written.
        Stopped: The disk is full, OUT is gone, …; the same call again continues.

    Example:
        >>> import augcli, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     summary = augcli.export("sample_images", to="webdataset", out=folder, workers=0)
        >>> summary.images, summary.failed
        (16, 0)
    """
    if not callable(listener):
        raise ParameterError("listener", f"is {listener!r}, but must be a function")
    chosen = run_options(export_fields(), options, "export")
    recipe = Recipe.without_steps("export")
    return make(check(path_of(folder), recipe, chosen), listener)


def recipe_and_options(
    augmentation: Augmentation[Any] | Recipe, options: dict[str, Any]
) -> tuple[Recipe, RunOptions]:
    """Return what is to be done and how, checked."""
    _check_method(augmentation)
    _check_names(options)
    if not isinstance(augmentation, Recipe):
        chosen = RunOptions(**options)
        return Recipe.of(augmentation, chosen.prob), chosen
    if "prob" in options:
        raise ParameterError("prob", "belongs to the steps of a recipe: give it there")
    run = {**augmentation.run, **options}
    return augmentation, build(RunOptions, run, "the options of a run")


def _check_method(method: object) -> None:
    """Refuse what is neither an augmentation nor a recipe, and say what to give."""
    if isinstance(method, Augmentation | Recipe):
        return
    instead = "a method, such as augcli.Cutout(patch=16), or a recipe"
    if isinstance(method, type) and issubclass(method, Augmentation):
        instead = f"a method with its options: {public_name(method)}()"
    elif isinstance(method, str) and method in METHODS:
        instead = f"the method itself: {public_name(METHODS[method])}()"
    elif isinstance(method, str | Path):
        instead += "; Recipe.load(Path(...)) reads one from a file"
    raise ParameterError("augmentation", f"is {method!r}, but must be {instead}")


def _check_names(options: dict[str, Any]) -> None:
    """Refuse an option that no run has; say whose it is."""
    known = [field.name for field in declared(RunOptions)]
    for name in options:
        owners = [
            public_name(method)
            for method in METHODS.values()
            if name in {field.name for field in declared(method)}
        ]
        if name not in known and owners:
            raise ParameterError(
                name, f"is not an option of augment, but of {' and '.join(owners)}: give it there"
            )
    refuse_unknown(options, known, "is not an option of augment")
