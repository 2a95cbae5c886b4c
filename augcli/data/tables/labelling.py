"""Labelling: the rows of tables give sources their labels, splits and groups."""

from __future__ import annotations

from array import array
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from augcli.data.labels import class_order
from augcli.data.tables.columns import NoColumn, find_columns, unused_columns
from augcli.data.tables.formats import read_table, shortened
from augcli.data.tables.matching import Matcher, why_unknown
from augcli.data.tables.values import NONE, Labels, Numbers, text_of
from augcli.errors import InputError
from augcli.files import TABLE_LIMIT, read_given, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from augcli.data.stores.sources import Sources
    from augcli.data.tables.choice import TableChoice
    from augcli.data.tables.columns import Found
    from augcli.data.tables.formats import Table

AS_DOCUMENTED = "files in column 'file_name', labels in column 'label'"
"""Columns that are worth no word."""
_TWICE = ("two different labels", "two splits", "two groups")
"""What is wrong where two rows of a file differ, in the order of a row's values."""


_Row = tuple[str, int, int, int]
"""Name of a file that was not found as it is written, and numbers of label, split and group."""
_NO_MORE = (NONE, NONE)
"""In the place of the numbers of split and group."""


@dataclass(slots=True)
class _Rows:
    """What was read of a table.

    Attributes:
        count: Rows with a label.
        others: Those whose file was not found yet.
    """

    count: int = 0
    others: list[_Row] = field(default_factory=list)


@dataclass(slots=True)
class Labelling:
    """Gives sources what one or several tables say of them.

    Attributes:
        sources: All of them.
        folders: Paths of their folder, absolute.
        choice: What a person said about the tables.
    """

    sources: Sources
    folders: Sequence[str]
    choice: TableChoice
    _paths: list[str] = field(init=False)
    _index: dict[str, int] = field(init=False)
    _values: tuple[array[int], array[int], array[int]] = field(init=False)
    _labels: Numbers = field(default_factory=Numbers)
    _splits: Numbers = field(default_factory=Numbers)
    _groups: Numbers = field(default_factory=Numbers)
    _matcher: Matcher = field(init=False)
    _subject: str = ""

    def __post_init__(self) -> None:
        # A row may name a file that can't be used: errors.csv lists it.
        refused = [path for path, _ in self.sources.refused]
        self._paths = [*self.sources.paths, *refused]
        self._index = {path: index for index, path in enumerate(self._paths)}
        count = len(self._paths)
        self._values = (
            array("l", [NONE]) * count,
            array("l", [NONE]) * count,
            array("l", [NONE]) * count,
        )
        self._matcher = Matcher(self.folders, self._paths)

    def add(self, subject: str, data: bytes, folder: str = "") -> None:
        """Read a table.

        Args:
            subject: What the table is in messages, such as ```labels` birds.csv``.
            data: Its bytes.
            folder: In which the files lie that it names; empty for the whole folder.

        Raises:
            InputError: It is no such table, or does not fit the files.
            NoColumn: It has no column of files or of labels.
        """
        self._subject, folder = subject, folder and f"{folder}/"
        try:
            table = read_table(data)
            found = find_columns(table.columns, self.choice)
            labels = Labels(found, self.choice, self._labels)
            rows = self._read(table, found, labels, folder)
            example = self._match(rows.others, folder)
        except NoColumn as error:
            raise NoColumn(f"{subject}: {error}") from None
        except ValueError as error:
            raise InputError(f"{subject}: {error}") from None
        self._note(table, found, labels, rows.count, example)

    def finish(self) -> Sources:
        """Return the sources with their labels; without those that have no row, where allowed.

        Raises:
            InputError: A file has no row, or no file is left.
        """
        sources, choice = self.sources, self.choice
        count = len(sources)
        rowless = [index for index in range(count) if self._values[0][index] == NONE]
        if rowless and not (choice.is_input or choice.missing == "skip"):
            raise InputError(
                f"{self._subject}: has no row for {len(rowless):,} images of INPUT, first "
                f"{sources.paths[rowless[0]]!r}; add rows for them, take them out of INPUT, or "
                "give `missing` skip"
            )
        values = tuple(array("l", numbers[:count]) for numbers in self._values)
        if rowless:
            if len(rowless) == count:
                raise InputError(f"{self._subject}: names no image of INPUT that can be used")
            sources.skipped["image", "the table has no row for it"] += len(rowless)
            kept = [index for index in range(count) if values[0][index] != NONE]
            sources = sources.select(kept)
            values = tuple(array("l", [numbers[index] for index in kept]) for numbers in values)
        of_label, of_split, of_group = values
        sources.set_label_numbers(self._labels.values, of_label)
        sources.order_classes(class_order(sources.classes))
        if self._splits.values:
            sources.set_splits((self._splits.values[number] for number in of_split), [])
        if self._groups.values:
            sources.set_groups(self._groups.values[number] for number in of_group)
        sources.are_many = choice.multi_label
        return sources

    def _read(self, table: Table, found: Found, labels: Labels, folder: str) -> _Rows:
        """Take all rows whose file is found by its name as it is written.

        Raises:
            ValueError: A row can't be used; the message is a clause whose subject is the table.
        """
        label_of, index_of = labels.number_of, self._index.get
        more_of = self._more_of(found)
        of_label, skips = self._values[0], self.choice.missing == "skip"
        rows = _Rows()
        with closing(table.rows) as content:
            for number, cells in content:
                try:
                    name = cells[found.file]
                    if name.__class__ is not str or not name:
                        name = text_of(name, "file name")
                    label = label_of(cells)
                    more = more_of(cells) if more_of else _NO_MORE
                except ValueError as error:
                    if _is_blank(cells):
                        continue
                    raise ValueError(f"{table.word} {number} {error}") from None
                if label == NONE:
                    if skips or _is_blank(cells):
                        continue
                    raise ValueError(f"{table.word} {number} has no label")
                rows.count += 1
                index = index_of(folder + name if folder else name)
                if index is None:
                    if not name.isspace() or not _is_blank(cells):
                        rows.others.append((name, label, *more))
                elif more_of or of_label[index] != NONE:
                    self._set(index, name, (label, *more))
                else:
                    of_label[index] = label
        return rows

    def _more_of(self, found: Found) -> Callable[[Sequence[Any]], tuple[int, int]] | None:
        """Return the function that gives the numbers of a row's split and group, if it has any."""
        split_at, group_at = found.split, found.group
        splits, groups = self._splits, self._groups
        if split_at is None and group_at is None:
            return None

        def more_of(cells: Sequence[Any]) -> tuple[int, int]:
            split = group = NONE
            if split_at is not None:
                split = splits.of(text_of(cells[split_at], "split").strip())
            if group_at is not None:
                cell = cells[group_at]
                group = groups.of("" if cell is None else str(cell).strip())
            return split, group

        return more_of

    def _set(self, index: int, name: str, values: Sequence[int]) -> None:
        """Give a file its values.

        Raises:
            ValueError: It has others already.
        """
        for numbers, number, what in zip(self._values, values, _TWICE, strict=True):
            before = numbers[index]
            if before == NONE:
                numbers[index] = number
            elif before != number:
                raise ValueError(f"{name} has {what}")

    def _match(self, rows: Sequence[_Row], folder: str) -> str:
        """Take rows whose file is not named as its path is; return an example of these.

        Raises:
            ValueError: A file is not there, or several are meant.
        """
        unknown: list[str] = []
        example = ""
        for name, *values in rows:
            index, several = self._matcher.find(folder + name)
            if several:
                raise ValueError(f"names {name!r}, which may be {several}; write the whole path")
            if index is None:
                unknown.append(name)
                continue
            self._set(index, name, values)
            example = example or f"such as {name!r} for {self._paths[index]!r}"
        if not unknown:
            return example
        first = unknown[0]
        if self.choice.missing != "skip":
            why = why_unknown(folder + first, self.sources.root, self.sources.paths)
            raise ValueError(
                f"{len(unknown):,} of its files are not images in INPUT (`missing` skip leaves "
                f"out their rows), first {first!r}{why}"
            )
        self.sources.found.append(
            f"{self._subject}: {len(unknown):,} of its files are not images in INPUT, first "
            f"{first!r}; their rows are skipped"
        )
        return example

    def _note(self, table: Table, found: Found, labels: Labels, count: int, example: str) -> None:
        """Note what a person should know of a table."""
        lines = [*table.notices]
        if found.words != AS_DOCUMENTED:
            lines.insert(0, f"{count:,} rows, {found.words}")
        if example:
            lines.append(f"names of files are not written as their paths are, {example}")
        if labels.are_scaled:
            lines.append("weights that don't sum to 1 were divided by their sum")
        if labels.joined:
            lines.append(
                f"{shortened(labels.joined)!r} is one class; `multi_label` makes several of it"
            )
        lines += unused_columns(table.columns, found)
        self.sources.found += [f"{self._subject}: {line}" for line in lines]


def _is_blank(cells: Sequence[Any]) -> bool:
    return not any(cell is not None and str(cell).strip() for cell in cells)


def read_labels(table: str, *, is_input: bool = False) -> tuple[str, bytes]:
    """Return what a table is in messages, and its bytes.

    Args:
        table: The file, as it was given; a pipe, too, is read once.
        is_input: Whether it is INPUT.

    Raises:
        InputError: It can't be read.
    """
    subject = f"INPUT {shown(table)}" if is_input else f"`labels` {shown(table)}"
    try:
        return subject, read_given(table, TABLE_LIMIT)
    except OSError as error:
        raise InputError(f"{subject}: can't be read ({error.strerror})") from None
