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
from augcli.run.checking.places import path_of
from augcli.run.engine import engine
from augcli.run.messages import Planned, Summary, ignore
from augcli.run.options import export_fields, run_options
from augcli.run.showing.bar import ProgressBar

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.run.messages import Listener, Message

__all__ = ["Planned", "Summary", "augment", "export", "finish", "prepare"]


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
        progress: Show the command line's bar with the lines for failed images and the summary:
            on standard error, in a notebook below its cell.
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
    _check_listener(listener)
    return _made(engine(place, recipe, chosen), listener, progress=progress)


def prepare(
    folder: str | os.PathLike[str],
    augmentation: Augmentation[Any] | Recipe,
    *,
    listener: Listener = ignore,
    **options: Any,
) -> Planned:
    """List a folder of images once for many tasks, and write the plan that they share into OUT.

    Each task is then a call of :func:`augment` with the same arguments and ``shard="3/100"``, on
    any machine that has INPUT and OUT; :func:`finish` comes last. Without this call the first task
    makes the plan.

    Args:
        folder: INPUT.
        augmentation: The method with its options, or a recipe.
        listener: Called with each message.
        **options: As for :func:`augment`.

    Returns:
        How much there is to do.

    Raises:
        UsageError: A wrong option or wrong input, or tasks are at work by another plan.
        Stopped: The disk is full, OUT is gone, …

    Example:
        >>> import augcli, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     options = {"out": folder, "workers": 0}
        ...     run = ("sample_images", augcli.Cutout(patch=0.4))
        ...     planned = augcli.prepare(*run, **options)
        ...     tasks = [augcli.augment(*run, shard=f"{n}/2", **options) for n in range(2)]
        ...     summary = augcli.finish(folder)
        >>> planned.jobs, [task.new for task in tasks], summary.images
        (16, [0, 16], 16)
    """
    place = path_of(folder)
    recipe, chosen = recipe_and_options(augmentation, options)
    _check_listener(listener)
    from augcli.run.cluster.prepare import prepare_plan  # noqa: PLC0415 - few runs are shared

    return prepare_plan(place, recipe, chosen, listener)


def finish(
    out: str | os.PathLike[str], *, listener: Listener = ignore, force: bool = False
) -> Summary:
    """Write the manifest and the other tables, when all tasks of a run are done.

    Args:
        out: OUT.
        listener: Called with each message.
        force: Go on although tasks seem to be at work.

    Returns:
        What OUT holds.

    Raises:
        UsageError: OUT has no plan, or tasks are at work.
        Stopped: Shards are missing: the message names them and their tasks.
    """
    place = path_of(out)
    _check_listener(listener)
    from augcli.run.cluster.finish import finish_shared  # noqa: PLC0415 - few runs are shared

    return finish_shared(place, listener, force=force)


def export(
    folder: str | os.PathLike[str],
    *,
    listener: Listener = ignore,
    progress: bool = False,
    **options: Any,
) -> Summary:
    """Write INPUT into another kind of output, unchanged: files, tar files, Parquet or arrays.

    Bytes are copied; they are encoded anew where ``size`` or ``format`` is given, or where INPUT
    holds arrays. Labels, splits and groups come along.

    Args:
        folder: INPUT, of any kind that augcli reads.
        listener: Called with each message of the run.
        progress: Show the bar, see :func:`augment`.
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
    _check_listener(listener)
    chosen = run_options(export_fields(), options, "export")
    make = engine(path_of(folder), Recipe.without_steps("export"), chosen)
    return _made(make, listener, progress=progress)


def _made(make: Callable[[Listener], Summary], listener: Listener, *, progress: bool) -> Summary:
    """Make a run, with a bar where it is wanted."""
    if not progress:
        return make(listener)
    with ProgressBar() as bar:

        def listen(message: Message) -> None:
            bar(message)
            listener(message)

        return make(listen)


def _check_listener(listener: object) -> None:
    if not callable(listener):
        raise ParameterError("listener", f"is {listener!r}, but must be a function")


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
