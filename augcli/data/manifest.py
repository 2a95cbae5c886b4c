"""The files that describe an output folder: metadata.csv, classes.txt, errors.csv, README.md."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from augcli.data.csv_rows import csv_rows
from augcli.data.labels import Label
from augcli.files import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from typing import BinaryIO

MANIFEST = "metadata.csv"
CLASSES = "classes.txt"
ERRORS = "errors.csv"
CARD = "README.md"


COLUMNS = (
    *("file_name", "label_a", "weight_a", "label_b", "weight_b", "source_a", "source_b"),
    *("method", "draw", "width", "height", "copy", "sha256"),
)
"""The columns of metadata.csv where each source has one class."""
SOFT_COLUMNS = ("file_name", "label", *COLUMNS[5:])
"""The same where sources have soft labels or several classes: ``label`` is JSON, a weight by
class."""
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

    def facts(self) -> dict[str, object]:
        """Return all but the name and the label, by the names of the columns."""
        return dict(zip(self._fields[2:], self[2:], strict=True))

    def soft_cells(self) -> tuple[object, ...]:
        """Return the row of metadata.csv with its whole label, see :data:`SOFT_COLUMNS`."""
        label = json.dumps(self.label.to_json(), ensure_ascii=False)
        return (self.file_name, label, *self[2:10])

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
    def from_cells(cls, cells: Sequence[str], columns: Sequence[str] = COLUMNS) -> Row:
        """Return the row that a line of metadata.csv holds.

        Args:
            cells: Of the line.
            columns: Names of the columns, see :class:`Columns`.

        Raises:
            ValueError: It has another number of cells, or text in the place of a number.
        """
        values = dict(zip(columns, cells, strict=True))
        return cls(
            file_name=values["file_name"],
            label=_soft_label(values["label"]) if "label" in values else _label(values),
            source_a=values["source_a"],
            source_b=values["source_b"],
            method=values["method"],
            draw=values["draw"],
            width=int(values["width"]),
            height=int(values["height"]),
            copy=int(values["copy"]),
            sha256=values["sha256"],
            split=values.get("split", ""),
            group=values.get("group", ""),
        )


class Columns(NamedTuple):
    """Which columns a metadata.csv has.

    Attributes:
        soft: Whether labels are JSON, a weight by class.
        splits: Whether there is a column ``split``.
        groups: Whether there is a column ``group``.
        shards: Whether there is a column ``shard``: the file that holds the output.
    """

    soft: bool = False
    splits: bool = False
    groups: bool = False
    shards: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        names = SOFT_COLUMNS if self.soft else COLUMNS
        others = (["split"] * self.splits, ["group"] * self.groups, ["shard"] * self.shards)
        return (*names, *itertools.chain.from_iterable(others))

    def cells(self, row: Row) -> tuple[object, ...]:
        """Return the cells of a row."""
        cells = row.soft_cells() if self.soft else row.cells()
        if self.splits:
            cells = (*cells, row.split)
        if self.groups:
            cells = (*cells, row.group)
        return (*cells, row.file_name.partition("/")[0]) if self.shards else cells


KNOWN_COLUMNS = frozenset(
    Columns(*kinds).names for kinds in itertools.product((False, True), repeat=4)
)
"""The columns that a metadata.csv may have."""


def _label(values: Mapping[str, str]) -> Label:
    pairs = [(values[f"label_{role}"], float(values[f"weight_{role}"])) for role in "ab"]
    if pairs[1] == ("", 0.0):
        del pairs[1]
    return Label() if pairs == [("", 1.0)] else Label(tuple(pairs))


def _soft_label(text: str) -> Label:
    content = parse_json(text.encode("utf-8"))
    weights: dict[str, Any] = content if isinstance(content, dict) else {"": None}
    # Twice as large as a weight is an error that verify names; a number that no float holds is not.
    if not all(type(weight) in (int, float) and abs(weight) < 1e9 for weight in weights.values()):
        raise ValueError(f"label is {text[:80]!r}, but must be a JSON object of weights")
    "".join(weights).encode("utf-8")  # raises where JSON's escapes hold half of a character
    return Label.from_json({name: float(weight) for name, weight in weights.items()})


def read_rows(table: BinaryIO) -> Iterator[Row]:
    """Yield the rows of a metadata.csv, and close it.

    Raises:
        OSError: It can't be read.
        ValueError: It is not what augcli writes.
    """
    for columns, cells in table_rows(table, KNOWN_COLUMNS):
        yield Row.from_cells(cells, columns)


def table_rows(
    table: BinaryIO, known: AbstractSet[tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield the header and the cells of each row of a table that augcli wrote, and close it.

    Args:
        table: The table.
        known: The headers that it may have; an empty table has none.

    Raises:
        OSError: It can't be read.
        ValueError: It is not what augcli writes.
    """
    with contextlib.closing(csv_rows(table, LONGEST_ROW)) as rows:
        header = next(rows, None)
        if header is None:
            return
        columns = tuple(header.cells)
        if columns not in known:
            raise ValueError("it has other columns than augcli writes")
        for line, cells in rows:
            if len(cells) != len(columns):
                raise ValueError(f"line {line} has {len(cells)} cells")
            yield columns, cells


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
    for _, cells in table_rows(table, {Failure._fields}):
        yield Failure(*cells)


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
