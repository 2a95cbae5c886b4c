"""``augcli split``: INPUT divided into train, val and test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from augcli.cli.generated import (
    SPLIT,
    add_command,
    declare_command,
    input_argument,
    names_by_command,
    split_options,
)
from augcli.cli.given import given_options
from augcli.cli.options import CommandOptions
from augcli.cli.progress import showing_progress
from augcli.cli.streams import write_json, write_path, write_stderr
from augcli.cli.tables import UNLABELLED, table_lines
from augcli.recipes.options import RunOptions
from augcli.run.checking.places import path_of
from augcli.run.options import SplitOptions
from augcli.run.showing.lines import counted, most_and_least

if TYPE_CHECKING:
    from augcli.cli.signals import Signals
    from augcli.run.splitting.split_run import SplitSummary

SHOWN = 20
"""Classes that are printed; JSON has all of them."""
TEXT = """\
Divide INPUT into train, val and test, before anything is augmented.

Each class is divided, near the shares that are asked for. The split of an image depends on its name
and the seed only, or on its group: images that are added move no other one, and no group is in two
splits. INPUT is only read."""


def add_split(app: typer.Typer, signals: Signals) -> None:
    """Add the command to the application.

    Args:
        app: The application.
        signals: End the command.
    """
    options = split_options()

    def command(**arguments: Any) -> None:
        given = given_options(SPLIT, options, arguments, names_by_command)
        with given.spelling():
            wanted, shared = given.build(SplitOptions), given.build(RunOptions)
            shown = given.build(CommandOptions)
            from augcli.run.splitting.split import split_sources  # noqa: PLC0415 - --help stays quick

            with showing_progress(shown, given.spell) as listener, signals.in_order():
                folder = path_of(arguments["input_folder"])
                counting = signals.counting(listener)
                made = split_sources(folder, wanted, shared, counting, signals.check)
        if shown.json:
            write_json({"message_type": "split", **made.to_json()})
        else:
            for line in [] if shown.quiet else summary_lines(made):
                write_stderr(line)
            write_path(made.table)
        raise typer.Exit(made.exit_code)

    add_command(app, SPLIT, TEXT, declare_command(command, SPLIT, [input_argument()], options))


def summary_lines(made: SplitSummary) -> list[str]:
    """Return what a split holds, for a person: a table of its classes, and the counts."""
    names = {name for counts in made.splits.values() for name in counts}
    totals = {name: sum(one.get(name, 0) for one in made.splits.values()) for name in names}
    first, last = most_and_least(sorted(totals, key=lambda name: (-totals[name], name)), SHOWN)
    rows = [
        [name or UNLABELLED, *(f"{counts.get(name, 0):,}" for counts in made.splits.values())]
        for name in (*first, *last)
    ]
    rows.append(["all", *(f"{sum(counts.values()):,}" for counts in made.splits.values())])
    lines = table_lines(["class", *made.splits], rows)
    if last:
        lines.insert(1 + len(first), f"… {len(names) - SHOWN:,} more")
    text = counted(made.images, "image")
    lines.append(f"{text}, {made.new:,} of them new" if made.new < made.images else text)
    if made.failed:
        lines.append(f"{counted(made.failed, 'image')} failed, see {made.errors}")
    return lines
