"""A run from sources to manifest: what the command line and Python both call."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from augcli.params import build
from augcli.recipes.options import RunOptions
from augcli.recipes.recipe import Recipe
from augcli.run.check import check
from augcli.run.make import make
from augcli.run.messages import Summary, ignore

if TYPE_CHECKING:
    import os

    from augcli.augmentations.base import Augmentation
    from augcli.run.messages import Listener

__all__ = ["Summary", "augment"]


def augment(
    folder: str | os.PathLike[str],
    augmentation: Augmentation[Any] | Recipe,
    *,
    listener: Listener = ignore,
    **options: Any,
) -> Summary:
    """Augment a folder of images: the run that the command line makes.

    Args:
        folder: INPUT: one folder for each class.
        augmentation: The method with its options, such as ``AttentiveCutMix(top_n=6)``, or a
            recipe.
        listener: Called with each message of the run.
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
    if isinstance(augmentation, Recipe):
        recipe = augmentation
    else:
        recipe = Recipe.of(augmentation, options.get("prob", 1.0))
    chosen = build(RunOptions, {**recipe.run, **options}, "the options of a run")
    return make(check(Path(folder), recipe, chosen), listener)
