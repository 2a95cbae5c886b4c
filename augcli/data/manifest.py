"""The files that describe an output folder: metadata.csv, classes.txt, errors.csv, README.md."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, NamedTuple

from augcli.data.labels import Label

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import BinaryIO

MANIFEST = "metadata.csv"
CLASSES = "classes.txt"
ERRORS = "errors.csv"
CARD = "README.md"


COLUMNS = (
    *("file_name", "label_a", "weight_a", "label_b", "weight_b", "source_a", "source_b"),
    *("method", "draw", "width", "height", "copy", "sha256"),
)
"""The columns of metadata.csv."""


class Row(NamedTuple):
    """One output image.

    Attributes:
        file_name: Path relative to OUT, with ``/``.
        label: Its soft label; the classes of the base come first. Weights count pixels, or
            with ``label_mode`` attention the heat-map mass that is visible.
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
    label: Label
    source_a: str
    source_b: str
    method: str
    draw: str
    width: int
    height: int
    copy: int
    sha256: str

    @property
    def weight_b(self) -> float:
        """Weight of the donor's class; 0 where there is none or it is the base's class."""
        return self.label.weights[1][1] if len(self.label.weights) > 1 else 0.0

    def cells(self) -> tuple[object, ...]:
        """Return the row of metadata.csv: ``label_a`` is the base's class, ``label_b`` the donor's.

        Example:
            >>> label = Label((("cat", 0.75), ("dog", 0.25)))
            >>> Row("cat/a.jpg", label, "a", "b", "mixup", "{}", 8, 8, 0, "").cells()[1:5]
            ('cat', 0.75, 'dog', 0.25)
        """
        (label_a, weight_a), (label_b, weight_b), *_ = (*self.label.weights, ("", 0.0), ("", 0.0))
        if not label_a:
            weight_a = 1.0
        return (
            *(self.file_name, label_a, weight_a, label_b, weight_b),
            *(self.source_a, self.source_b, self.method, self.draw),
            *(self.width, self.height, self.copy, self.sha256),
        )

    @classmethod
    def from_cells(cls, cells: Sequence[str]) -> Row:
        """Return the row that a line of metadata.csv holds.

        Raises:
            ValueError: It has another number of cells, or text in the place of a number.
        """
        values = dict(zip(COLUMNS, cells, strict=True))
        pairs = [(values[f"label_{role}"], float(values[f"weight_{role}"])) for role in "ab"]
        if pairs[1] == ("", 0.0):
            del pairs[1]
        if pairs == [("", 1.0)]:
            pairs = []
        return cls(
            file_name=values["file_name"],
            label=Label(tuple(pairs)),
            source_a=values["source_a"],
            source_b=values["source_b"],
            method=values["method"],
            draw=values["draw"],
            width=int(values["width"]),
            height=int(values["height"]),
            copy=int(values["copy"]),
            sha256=values["sha256"],
        )


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

    Before Python 3.13, a csv writer with LF as its line ending puts a lone CR into no quotes, and
    a name with a CR would break the table.
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
