"""Splits: the parts of a data set that must stay apart, such as train, val and test."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ALL = "all"
_KINDS = {
    "train": re.compile(r"train(ing)?", re.IGNORECASE),
    "val": re.compile(r"val(id(ation)?)?|dev", re.IGNORECASE),
    "test": re.compile(r"test(ing)?|eval(uation)?", re.IGNORECASE),
}
_FOLD = re.compile(r"fold[-_ ]?(\d+)", re.IGNORECASE)


def split_kind(name: str) -> str:
    """Return what a split of this name is: ``train``, ``val``, ``test`` or ``fold3``.

    Empty where it is the name of no split.

    Example:
        >>> [split_kind(name) for name in ("Training", "valid", "fold_2", "cat")]
        ['train', 'val', 'fold2', '']
    """
    fold = _FOLD.fullmatch(name)
    if fold:
        return f"fold{int(fold[1])}"
    return next((kind for kind, names in _KINDS.items() if names.fullmatch(name)), "")


def is_chosen(name: str, chosen: str) -> bool:
    """Return whether a split is one of those that were chosen.

    Args:
        name: Of the split.
        chosen: Names or kinds of splits, separated by commas, or ``all``.

    Example:
        >>> is_chosen("training", "train"), is_chosen("fold1", "fold1,fold2")
        (True, True)
        >>> is_chosen("val", "train"), is_chosen("val", "all")
        (False, True)
    """
    names = {word.strip().casefold() for word in chosen.split(",")}
    kind = split_kind(name)
    kinds = {split_kind(word) for word in names} - {""}
    return ALL in names or name.casefold() in names or (kind != "" and kind in kinds)


def splits_of_folders(paths: Iterable[str], *, of_classes: bool = True) -> list[str]:
    """Return the top folders that are splits: all, if they have such names and one holds folders.

    Args:
        paths: Of the sources, sorted.
        of_classes: Whether one must hold folders, because classes are folders.

    Returns:
        Their names, sorted; none where there are fewer than two, or other folders lie beside
        them: a class called ``train`` beside ``bus`` and ``car`` is a class.

    Example:
        >>> splits_of_folders(["test/cat/1.jpg", "train/cat/2.jpg", "train/dog/3.jpg"])
        ['test', 'train']
        >>> splits_of_folders(["bus/1.jpg", "train/2.jpg"])
        []
    """
    tops, has_folders = set(), not of_classes
    for path in paths:
        top, _, rest = path.partition("/")
        if not rest:
            continue
        if top not in tops and not split_kind(top):
            return []
        tops.add(top)
        has_folders = has_folders or "/" in rest
    return sorted(tops) if len(tops) > 1 and has_folders else []
