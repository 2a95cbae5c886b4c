"""The rows of the tables that describe an output folder: the manifest and errors.csv.

How the manifest is written and read, see :mod:`augcli.data.manifest_formats`.
"""

from __future__ import annotations

import contextlib
import csv
import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

from augcli.data.csv_rows import csv_rows
from augcli.data.labels import Label

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from typing import BinaryIO

CLASSES = "classes.txt"
ERRORS = "errors.csv"
CARD = "README.md"


OTHER_COLUMNS = "it has other columns than augcli writes"
ROWS_AT_ONCE = 100
"""Rows that are read or written together."""
LONGEST_ROW = 16 << 20
"""Characters of the longest row that is read; the draw of ten thousand boxes has 300,000."""


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
        split: The part of the data set that the sources belong to; empty where there are none.
        group: What the base must stay together with; empty where there is none.
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
    split: str = ""
    group: str = ""

    @property
    def weight_b(self) -> float:
        """Weight of the donor's class; 0 where there is none or it is the base's class."""
        return self.label.weights[1][1] if len(self.label.weights) > 1 else 0.0

    def to_json(self) -> list[Any]:
        """Return the row as values of JSON."""
        name, label, *others = self
        return [name, label.to_json(), *others]

    @classmethod
    def from_json(cls, content: list[Any]) -> Row:
        """Return the row that :meth:`to_json` gave."""
        name, label, *others = content
        return cls(name, Label.from_json(label), *others)


def table_rows(table: BinaryIO) -> Generator[list[str]]:
    """Yield the cells of each row of a CSV table, the header first, and close it.

    Raises:
        OSError: It can't be read.
        ValueError: It is no such table, or its rows have different numbers of cells.
    """
    width = 0
    with contextlib.closing(csv_rows(table, LONGEST_ROW)) as rows:
        for line, cells in rows:
            width = width or len(cells)
            if len(cells) != width:
                raise ValueError(f"line {line} has {len(cells)} cells")
            yield cells


def known_rows(table: BinaryIO, *headers: tuple[str, ...]) -> Generator[list[str]]:
    """Yield the cells of each row of a CSV table with one of these headers, and close it.

    Raises:
        OSError: It can't be read.
        ValueError: It has another header, or is no such table.
    """
    with contextlib.closing(table_rows(table)) as rows:
        header = next(rows, None)
        if header is not None and tuple(header) not in headers:
            raise ValueError(OTHER_COLUMNS)
        yield from rows


MACHINE_STAGES = frozenset({"read", "worker", "memory", "time"})
"""Stages whose failures come from the machine, so that another run may succeed."""


class Failure(NamedTuple):
    """One image that could not be made, as a row of errors.csv.

    Attributes:
        source: Path relative to INPUT.
        stage: ``list``, ``read``, ``decode``, ``score``, ``augment``, ``donor``, ``encode``,
            ``worker``, ``memory`` or ``time``.
        reason: One clause.
    """

    source: str
    stage: str
    reason: str

    @property
    def is_provisional(self) -> bool:
        """Whether it says more about the machine than about the image: every run tries again."""
        return self.stage in MACHINE_STAGES


def read_failures(table: BinaryIO) -> Iterator[Failure]:
    """Yield the rows of an errors.csv, and close it.

    Raises:
        OSError: It can't be read.
        ValueError: It is not what augcli writes.
    """
    for cells in known_rows(table, Failure._fields):
        yield Failure(*cells)


class _Lines:
    """Takes the lines of a csv writer."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.write = self.lines.append


def write_table(file: BinaryIO, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    r"""Write a CSV table: UTF-8, RFC 4180, LF, header.

    Example:
        >>> import io
        >>> table = io.BytesIO()
        >>> write_table(table, ["a", "b"], [[1.0, "x,y"]])
        >>> table.getvalue()
        b'a,b\n1.0,"x,y"\n'
    """
    written = _Lines()
    # Before Python 3.13, a csv writer with LF as its line ending puts a lone CR into no quotes, and
    # a name with a CR would break the table: the CR before each LF is cut off here.
    writer = csv.writer(written)
    writer.writerow(header)
    rows = iter(rows)
    while written.lines:
        file.write("".join([f"{line[:-2]}\n" for line in written.lines]).encode())
        written.lines.clear()
        writer.writerows(itertools.islice(rows, ROWS_AT_ONCE))
