"""The data set card: README.md, whose head says how Hugging Face datasets is to read OUT."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from augcli.data.manifest_formats.columns import Columns

TRAIN = "train"
"""Name of the only split of the card, where INPUT names none."""
FOR_TRAINING = """\
The images belong into a training set only: keep them apart from validation data.
"""


def card(
    command: str,
    images: int,
    classes: int,
    manifest: str,
    manifest_hash: str,
    data_files: Sequence[tuple[str, str]] = ((TRAIN, "**"),),
    features: str = "",
    *,
    is_mixed: bool = True,
) -> str:
    """Return README.md of an output folder.

    The YAML makes Hugging Face datasets take every row: without it, folder names such as
    ``test`` or ``bullet_train`` are read as names of splits and other rows are dropped. The
    hash in it makes that library notice when the folder changed: it caches by the YAML alone.

    Args:
        command: The command that made it.
        images: How many rows the manifest has.
        classes: How many classes.
        manifest: Name of the manifest.
        manifest_hash: Its hash.
        data_files: Name of each split, and the pattern of the names of its files.
        features: The types of the columns, see :func:`features_of`.
        is_mixed: Whether images were changed, and belong into a training set.
    """
    splits = "".join(
        f"      - split: {split}\n        path: {json.dumps(pattern)}\n"
        for split, pattern in data_files
    )
    return f"""---
configs:
  - config_name: default
    description: {manifest} has the SHA-256 {manifest_hash}
    data_files:
{splits}{features}---

# {"Augmented images" if is_mixed else "Images"}

{images} images of {classes} classes, made by `{command}`.

`{manifest}` has a row for each image: its labels with their weights, its sources and what
was drawn. `classes.txt` has the order of the classes. `run.json` has all options and versions.
{FOR_TRAINING if is_mixed and len(data_files) == 1 else ""}"""


def features_of(
    columns: Columns, classes: Sequence[str], numbered: Collection[str], *, has_lists: bool = True
) -> str:
    r"""Return the types of the columns of the manifest, as YAML of a configuration.

    Args:
        columns: Those of the manifest.
        classes: Names of the classes, in the order of classes.txt.
        numbered: Columns whose class names become numbers.
        has_lists: Whether a table can hold lists; in CSV they are text.

    Example:
        >>> from augcli.data.manifest_formats.columns import Columns
        >>> text = features_of(Columns(), ["cat", "dog"], {"label_a"})
        >>> print("\n".join(text.splitlines()[:6]))
            features:
              - name: image
                dtype: image
              - name: label_a
                dtype:
                  class_label:
    """
    names = "".join(
        f"              '{number}': {json.dumps(name)}\n" for number, name in enumerate(classes)
    )
    lines = ["    features:\n      - name: image\n        dtype: image\n"]
    for column, kind in list(columns.types.items())[1:]:
        lines.append(f"      - name: {_yaml(column)}\n")
        if column in numbered and classes:
            lines.append(f"        dtype:\n          class_label:\n            names:\n{names}")
        elif kind != "list":
            lines.append(f"        dtype: {kind}\n")
        else:
            lines.append("        sequence: float64\n" if has_lists else "        dtype: string\n")
    return "".join(lines)


def _yaml(name: str) -> str:
    """Return a name as YAML, in quotes only where it needs some."""
    return name if name.isidentifier() and name.isascii() else json.dumps(name)
