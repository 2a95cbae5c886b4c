"""The files that describe an output folder: metadata.csv, classes.txt, errors.csv, README.md."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

MANIFEST = "metadata.csv"
CLASSES = "classes.txt"
ERRORS = "errors.csv"
CARD = "README.md"


class Row(NamedTuple):
    """One output image, as a row of metadata.csv.

    Attributes:
        file_name: Path relative to OUT, with ``/``.
        label_a: Class of the base.
        weight_a: Its weight; a quotient of pixel counts.
        label_b: Class of the donor; empty where there is none or it is the base's class.
        weight_b: Its weight; weight_a + weight_b is 1.
        source_a: Path of the base relative to INPUT, with ``/``.
        source_b: Path of the donor; empty where there is none.
        method: Name of the augmentation; ``original`` for a source that came along.
        draw: JSON: what was decided, enough to do it again.
        width: Of the output, in pixels.
        height: Of the output, in pixels.
        copy: Copy number, 0 and up.
        sha256: Of the output file.
    """

    file_name: str
    label_a: str
    weight_a: float
    label_b: str
    weight_b: float
    source_a: str
    source_b: str
    method: str
    draw: str
    width: int
    height: int
    copy: int
    sha256: str


class Failure(NamedTuple):
    """One image that could not be made, as a row of errors.csv.

    Attributes:
        source: Path relative to INPUT.
        stage: ``list``, ``read``, ``decode``, ``score``, ``augment``, ``donor``, ``encode`` or
            ``worker``.
        reason: One clause.
    """

    source: str
    stage: str
    reason: str


class _Lines:
    """Takes lines that end with CR LF and writes them with LF.

    A writer that was told to end lines with LF puts a lone CR into no quotes before Python
    3.13, and a name with one would break the table.
    """

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text

    def write(self, line: str) -> None:
        """Write one line, which may hold line breaks in quotes."""
        self._text.write(line.removesuffix("\r\n") + "\n")


def write_table(file: BinaryIO, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    r"""Write a CSV table: UTF-8, RFC 4180, LF, header.

    Example:
        >>> table = io.BytesIO()
        >>> write_table(table, ["a", "b"], [[1.0, "x,y"]])
        >>> table.getvalue()
        b'a,b\n1.0,"x,y"\n'
    """
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    writer = csv.writer(_Lines(text))
    writer.writerow(header)
    writer.writerows(rows)
    text.flush()
    text.detach()


def card(command: str, images: int, classes: int, manifest_hash: str) -> str:
    """Return README.md of an output folder.

    The YAML makes Hugging Face datasets take every row: without it, folder names such as
    ``test`` or ``bullet_train`` are read as names of splits and other rows are dropped. The
    hash in it makes that library notice when the folder changed: it caches by the YAML alone.

    Args:
        command: The command that made it.
        images: How many rows the manifest has.
        classes: How many classes.
        manifest_hash: Hash of metadata.csv.
    """
    return f"""---
configs:
  - config_name: default
    description: metadata.csv has the SHA-256 {manifest_hash}
    data_files:
      - split: train
        path: "**"
---

# Augmented images

{images} images of {classes} classes, made by `{command}`.

`metadata.csv` has a row for each image: its labels with their weights, its sources and what
was drawn. `classes.txt` has the order of the classes. `run.json` has all options and versions.
The images belong into a training set only: keep them apart from validation data.
"""
