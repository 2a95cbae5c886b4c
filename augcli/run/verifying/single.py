"""Making one output again, alone: what a report and a notebook ask for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augcli.data.data_set import read
from augcli.errors import InputError, OutputError, ParameterError, UnreadableImage
from augcli.recipes.recipe import Recipe
from augcli.run.checking.inputs import input_store
from augcli.run.status import open_output
from augcli.run.verifying.remake import Remaker, recorded_options

if TYPE_CHECKING:
    from augcli.augmentations.base import Augmentation
    from augcli.pixels.frame import Image


def remake(
    out: str | os.PathLike[str],
    file_name: str,
    *,
    against: str | os.PathLike[str],
    recipe: Recipe | Augmentation[Any] | None = None,
) -> Image:
    """Make one output of an output folder again, alone: the picture before it is encoded.

    Args:
        out: OUT.
        file_name: The output, as the manifest names it.
        against: INPUT, which has its sources.
        recipe: What made OUT; only needed where it has a method that is not registered.

    Returns:
        uint8 (H, W, 3), RGB.

    Raises:
        OutputError: OUT is not an output folder of augcli, or another recipe made it.
        InputError: INPUT can't be listed, or a source can't be used.
        ParameterError: The manifest has no such output.

    Example:
        >>> import augcli, tempfile
        >>> with tempfile.TemporaryDirectory() as out:
        ...     _ = augcli.augment("sample_images", augcli.MixUp(), out=out, workers=0)
        ...     name = augcli.read(out).rows[0].file_name
        ...     image = augcli.remake(out, name, against="sample_images")
        >>> image.dtype, image.ndim
        (dtype('uint8'), 3)
    """
    _, record = open_output(Path(out))
    row = next((row for row in read(out).rows if row.file_name == file_name), None)
    if row is None:
        raise ParameterError("file_name", f"is {file_name!r}, but {out} has no output of that name")
    if recipe is not None and not isinstance(recipe, Recipe):
        recipe = Recipe.of(recipe)
    options = recorded_options(record.identity)
    store = input_store(os.fspath(against), options)
    remaker = Remaker(store, store.list(), record.identity, options, recipe, record.white_level)
    try:
        return remaker.make(row).image
    except OSError as error:
        why = error.strerror or str(error)
    except UnreadableImage as error:
        why = error.reason
    except (ValueError, KeyError, TypeError) as error:
        raise OutputError(f"{out}: the draw of {file_name!r} can't be applied ({error})") from None
    raise InputError(f"{against}: a source of {file_name!r} can't be used ({why})")
