"""The words that help and shells show for an option, from its declaration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from augcli.errors import with_flags
from augcli.files import Place

if TYPE_CHECKING:
    from augcli.params import Declared


def completions(field: Declared) -> list[str]:
    """Return the words that a shell offers as the value of an option.

    Example:
        >>> from augcli.params import declared
        >>> from augcli.recipes.options import RunOptions
        >>> {field.name: completions(field) for field in declared(RunOptions)}["per_class"]
        ['max', 'median']
    """
    if field.choices:
        return [*field.choices]
    return [word for word in metavar(field).split("|") if word.isalpha() and word.islower()]


def metavar(field: Declared) -> str:
    """Return what help shows as the value of an option.

    Example:
        >>> from augcli.augmentations.cutout import Cutout
        >>> from augcli.params import declared
        >>> {field.name: metavar(field) for field in declared(Cutout)}["patch"]
        'PIXELS|0.SHARE'
    """
    if field.param.parse:
        return field.param.metavar
    words = {Path: "PATH", Place: "PATH|URL", str: "TEXT"}
    return "|".join(field.choices) or words.get(field.kind) or field.kind.__name__.upper()


def describe(field: Declared) -> str:
    """Return an option's help with its bounds and its default.

    Example:
        >>> from augcli.augmentations.cutout import Cutout
        >>> from augcli.params import declared
        >>> describe(declared(Cutout)[1])
        'Patches in each image; they may overlap. [1 to 10000] [default: 1]'
    """
    text = with_flags(field.param.help)
    if field.param.bounds:
        text += f" [{field.param.bounds}]"
    if field.default is not None and field.kind is not bool:
        text += f" [default: {field.default}]"
    return text
