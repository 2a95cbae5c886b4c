"""A data set as a report sees it: its record, its figures, and the rows that are shown."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from augcli.data.class_list import read_class_list
from augcli.data.manifest import CLASSES, ERRORS, read_failures
from augcli.data.manifest_formats.formats import manifest_name, read_rows
from augcli.data.sinks.opening import open_sink
from augcli.errors import OutputError
from augcli.files import TABLE_LIMIT
from augcli.recipes.options import RunOptions
from augcli.report.figures.checks import Check, checks
from augcli.report.figures.counting import figures_of
from augcli.report.figures.regions import Regions
from augcli.report.figures.remarks import remarks_of
from augcli.report.figures.table import TableReader
from augcli.report.pictures.choice import Choice
from augcli.report.pictures.result import SIDES, ResultRows
from augcli.report.words import shown
from augcli.run.checking.inputs import input_store
from augcli.run.checking.places import path_of
from augcli.run.status import open_output
from augcli.run.verifying.remake import Remaker, recorded_chain, recorded_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from augcli.data.manifest import Failure, Row
    from augcli.data.output import OutputFolder
    from augcli.data.run_record import RunRecord
    from augcli.recipes.chain import Chain
    from augcli.report.figures.figures import Figures
    from augcli.report.pictures.choice import Chosen

    Place = str | os.PathLike[str]

MANY: Final = 100_000
"""Rows that take some seconds to read, about 30 for a million."""


@dataclass(frozen=True)
class Opened:
    """A complete output folder.

    Attributes:
        out: OUT, as it was given.
        against: INPUT, as it was given; empty where it was not.
        output: Reads its files.
        record: Its run.json.
        chain: What made it; None where this version does not know it.
        options: Of the run; None where this version does not know them.
    """

    out: str
    against: str
    output: OutputFolder
    record: RunRecord
    chain: Chain | None
    options: RunOptions | None

    @property
    def title(self) -> str:
        """The name of OUT, for people."""
        return shown(os.path.basename(self.output.path)) or self.out

    def rows(self) -> Iterator[Row]:
        """Yield the rows of its manifest.

        Raises:
            OutputError: It can't be read.
        """
        name = manifest_name(
            lambda name: self.output.files.size(name) is not None, self.record.tables
        )
        try:
            yield from read_rows(name, self.output.files.open(name), self.classes())
        except (OSError, ValueError) as error:
            raise _unreadable(self.output, name, error) from None

    def classes(self) -> list[str]:
        """Return the names of its classes, in order.

        Raises:
            OutputError: They can't be read.
        """
        try:
            return read_class_list(self.output.files.read(CLASSES, TABLE_LIMIT))
        except (OSError, ValueError) as error:
            raise _unreadable(self.output, CLASSES, error) from None

    def results(
        self,
        model: Path | None = None,
        *,
        without_sources: bool = False,
        sides: tuple[int, int] = SIDES,
    ) -> ResultRows:
        """Return what gives the pictures of a row.

        Args:
            model: The scorer of the run; the shipped one where None.
            without_sources: Whether only outputs are wanted, even where INPUT is known.
            sides: Pixels of the longer side of a result, and of a source.

        Raises:
            InputError: INPUT can't be listed.
        """
        identity = self.record.identity
        sink = open_sink(identity.get("to"), self.output.files)
        remaker = None
        if self.against and not without_sources and self.options and self.chain:
            store = input_store(self.against, self.options)
            remaker = Remaker(
                store, store.list(), identity, self.options, white_level=self.record.white_level
            )
        options = self.options and replace(self.options, model=model)
        return ResultRows(sink, self.chain, remaker, options, identity.get("scorer"), sides)


@dataclass(frozen=True)
class View(Opened):
    """A data set as a report sees it.

    Attributes:
        figures: Its figures.
        checks: What a person should look at first.
        chosen: The rows that are shown.
    """

    figures: Figures
    checks: list[Check]
    chosen: list[Chosen]

    @property
    def exit_code(self) -> int:
        """What the run that made it ended with, as far as its record says it."""
        return 1 if self.figures.failed else 0

    def facts(self) -> dict[str, Any]:
        """Return what the data set is: who made it, and how."""
        record = self.record
        return {
            "out": self.output.path,
            "command": record.identity["command"],
            "input": record.identity.get("input"),
            "state": record.state,
            "exit_code": self.exit_code,
            "augcli": record.augcli,
            "options": {**flattened(record.identity), **flattened(record.amounts)},
            "versions": dict(record.versions),
            "platform": record.platform,
            "device": record.device,
        }

    def to_json(self) -> dict[str, Any]:
        """Return the figures and what they belong to, as JSON can hold it."""
        found = [check._asdict() for check in self.checks]
        return {**self.facts(), "checks": found, **self.figures.to_json()}


def opened_output(out: Place, against: Place | None = None) -> Opened:
    """Open an output folder to look at it.

    Args:
        out: OUT.
        against: INPUT, where its pictures are to be shown too.

    Raises:
        OutputError: It is no complete output folder of augcli.
    """
    output, record = open_output(path_of(out, "OUT"))
    if record.state != "complete":
        raise OutputError(
            f"OUT {os.fspath(out)} is not complete; run the same command again first, then look"
        )
    given = "" if against is None else os.fspath(against)
    return Opened(os.fspath(out), given, output, record, *_made_by(record))


def view_of(
    out: Place,
    against: Place | None = None,
    watch: Callable[[Row], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> View:
    """Read an output folder.

    Args:
        out: OUT.
        against: INPUT, where its pictures are to be shown too.
        watch: Called with each row.
        say: Called with what takes long.

    Raises:
        OutputError: It is no complete output folder of augcli.
    """
    opened = opened_output(out, against)
    output, record, chain = opened.output, opened.record, opened.chain
    recorded = record.counts.get("images")
    if recorded and recorded >= MANY:
        say(f"reading {recorded:,} rows of {out}")
    regions = Regions(chain, recorded or 0)
    choice = Choice()
    are_many = record.identity.get("multi_label") is True
    # Which class is the base's is told by the columns of a pair alone.
    soft = record.soft_label not in ("", "pair")
    reader = TableReader(opened.classes(), many=are_many)
    for number, row in enumerate(opened.rows()):
        reader.add(row)
        regions.add(row)
        choice.add(row, number)
        watch(row)
    remarks = remarks_of(output, record)
    figures = figures_of(reader.table(soft=soft), regions, _failures(output), remarks)
    return View(
        **vars(opened),
        figures=figures,
        checks=checks(figures, recorded),
        chosen=choice.rows(),
    )


def _failures(output: OutputFolder) -> Iterator[Failure]:
    try:
        yield from read_failures(output.files.open(ERRORS))
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise _unreadable(output, ERRORS, error) from None


def _unreadable(output: OutputFolder, name: str, error: OSError | ValueError) -> OutputError:
    why = error.strerror if isinstance(error, OSError) else error
    return OutputError(
        f"{output.folder / name} can't be read ({why}); run the same command again to write it anew"
    )


def _made_by(record: RunRecord) -> tuple[Chain | None, RunOptions | None]:
    """Return the steps and options of a run; None where this version does not know them."""
    try:
        options = recorded_options(record.identity)
        chain = recorded_chain(record.identity, options)
    except OutputError:
        return None, None
    return (chain if chain.steps else None), options


def flattened(content: Any, name: str = "") -> dict[str, Any]:
    """Return the values of nested tables and lists, by their paths.

    Example:
        >>> flattened({"steps": [{"step": "cutout", "patch": 8}], "seed": 0})
        {'steps.0.step': 'cutout', 'steps.0.patch': 8, 'seed': 0}
    """
    items: list[tuple[Any, Any]]
    if isinstance(content, dict) and content:
        items = list(content.items())
    elif isinstance(content, list) and any(isinstance(one, dict | list) for one in content):
        items = list(enumerate(content))
    else:
        return {name: content} if name else {}
    found: dict[str, Any] = {}
    for key, value in items:
        found |= flattened(value, f"{name}.{key}" if name else str(key))
    return found
