"""What of a new OUT some loaders will read otherwise than it is meant, and the way out."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from augcli.data.stores.sources import Sources
    from augcli.recipes.options import RunOptions

MISSING = frozenset(
    {"#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"}
    | {"<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}
)
"""What pandas reads as a missing value, in quotes or not."""
SPLIT_WORDS = frozenset(
    {"train", "training", "val", "valid", "validation", "dev", "test", "testing", "eval"}
    | {"evaluation"}
)
"""Words in names of folders that Hugging Face datasets takes for splits."""
SMALLEST = 10
"""Pixels of the shortest side that Ultralytics reads."""
SHOWN = 3
"""Classes that a notice names."""


def loader_notices(sources: Sources, options: RunOptions) -> Iterator[str]:
    """Yield a line for each thing that a loader will trip over.

    Args:
        sources: What the outputs are made of.
        options: How.
    """
    yield from _class_notices(sources.classes, options)
    if options.to == "folder" and not sources.are_soft:
        yield from _split_notices(sources)
    if options.originals != "none" and not sources.splits:
        yield (
            "originals and the images made of them are alike: a random split of OUT puts them on "
            "both sides, and scores come out too high; split INPUT first, with augcli split"
        )
    endings = _endings(sources, options)
    if options.to == "folder" and "webp" in endings:
        yield "Keras reads no WebP from folders; `format` jpg or png gives it files that it reads"
    if options.to == "webdataset" and len(endings) > 1:
        yield (
            f"samples will have images of several formats ({', '.join(sorted(endings))}), which "
            "Hugging Face datasets refuses in tar files; `format` makes them one"
        )
    frame = options.frame
    if options.to == "folder" and frame and min(frame) < SMALLEST:
        yield f"Ultralytics leaves out images with a side of less than {SMALLEST} pixels"


def _class_notices(classes: Collection[str], options: RunOptions) -> Iterator[str]:
    if missing := [name for name in classes if name in MISSING]:
        yield (
            f"{_named(missing)}: read as a missing value from CSV by pandas and Hugging Face "
            "datasets; read the table as text (pandas: keep_default_na=False), or give `to` parquet"
        )
    if numbers := [name for name in classes if _is_another_number(name)]:
        yield (
            f"{_named(numbers)}: read as another number from CSV; read the table as text (pandas: "
            "dtype=str)"
        )
    if options.to != "folder":
        return
    words = [name for name in classes if SPLIT_WORDS & set(re.split(r"[-._ \d]+", name))]
    if words:
        yield (
            f"{_named(words)}: taken for a split by loaders that go by names of folders; for "
            "Hugging Face datasets, load OUT itself and not 'imagefolder'"
        )
    if len({" ".join(name.casefold().split()) for name in classes}) < len(classes):
        return  # a notice of the sources names classes that differ in case or blanks only
    keys = {name: _natural(name) for name in classes}
    counts = Counter(keys.values())
    ties = [name for name in classes if counts[keys[name]] > 1]
    if ties:
        yield f"{_named(ties)}: timm gives them numbers by chance; give it classes.txt as class map"
    elif sorted(classes, key=keys.__getitem__) != sorted(classes):
        yield (
            "timm numbers the classes in another order (cat9 before cat10, a before B); give it "
            "classes.txt as class map"
        )


def _split_notices(sources: Sources) -> Iterator[str]:
    """Yield a line for each split that lacks a class, which shifts the numbers of others."""
    there: dict[str, set[str]] = {name: set() for name in sources.splits}
    for place, label in set(zip(sources.split_of, sources.label_of, strict=False)):
        there[sources.splits[place]].update(sources.labels[label].classes)
    for split, classes in there.items():
        if classes and (missing := [name for name in sources.classes if name not in classes]):
            yield (
                f"split {split} has no image of {_named(missing)}: loaders that number the folders "
                "of each split give other classes its number there; an empty folder of that name "
                f"in {split} keeps the numbers (torchvision: allow_empty=True)"
            )


def _is_another_number(name: str) -> bool:
    """Return whether a name looks like a number, and that number is written in another way.

    Example:
        >>> [_is_another_number(name) for name in ("007", "1e5", "7", "cat")]
        [True, True, False, False]
    """
    try:
        number = float(name)
    except ValueError:
        return False
    return name.isascii() and "_" not in name and name not in (str(number), f"{number:.0f}")


def _natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """Return by what timm sorts class names."""
    pieces = re.split(r"([0-9]+)", name.lower())
    return tuple((0, int(piece)) if piece.isdigit() else (1, piece) for piece in pieces)


def _endings(sources: Sources, options: RunOptions) -> set[str]:
    """Return the endings that outputs have, as far as options and names say it."""
    if options.format != "same":
        return {options.format}
    found = {path.rpartition(".")[2].lower() for path in sources.paths}
    return {{"jpeg": "jpg"}.get(ending, ending) for ending in found}


def _named(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    word = "class" if len(names) == 1 else "classes"
    return f"{word} {', '.join(map(repr, names[:SHOWN]))}{more}"
