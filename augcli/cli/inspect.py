"""``augcli inspect``: what INPUT holds, as a page for people or as JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from augcli.cli.generated import (
    INSPECT,
    add_command,
    declare_command,
    input_argument,
    inspect_options,
    names_by_command,
)
from augcli.cli.given import given_options
from augcli.cli.options import CommandOptions
from augcli.cli.progress import showing_progress
from augcli.cli.streams import write_json, write_line
from augcli.cli.tables import UNLABELLED, table_lines
from augcli.recipes.options import RunOptions
from augcli.run.checking.places import path_of
from augcli.run.showing.lines import counted, most_and_least

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from augcli.cli.signals import Signals
    from augcli.run.inspecting.duplicates import Duplicates
    from augcli.run.inspecting.inspection import Inspection, Sides, Sized

SHOWN = 20
"""Classes that are printed; JSON has all of them."""
EXAMPLES_SHOWN = 3
"""Sets of duplicates, groups and blank pictures that are named."""
TEXT = "Show what INPUT holds: classes, sizes, duplicates, and what can't be used."


def add_inspect(app: typer.Typer, signals: Signals) -> None:
    """Add the command to the application.

    Args:
        app: The application.
        signals: End the command.
    """
    options = inspect_options()

    def command(**arguments: Any) -> None:
        given = given_options(INSPECT, options, arguments, names_by_command)
        with given.spelling():
            shared, shown = given.build(RunOptions), given.build(CommandOptions)
            from augcli.run.inspecting.inspect import inspect_sources  # noqa: PLC0415 - --help stays quick

            # Standard output is for the one object at the end.
            progress = replace(shown, json=False, quiet=shown.quiet or shown.json)
            with showing_progress(progress, given.spell) as listener, signals.in_order():
                folder = path_of(arguments["input_folder"])
                found = inspect_sources(folder, shared, signals.counting(listener), signals.check)
        if shown.json:
            write_json({"message_type": "inspection", **found.to_json()})
        else:
            for line in inspection_lines(found, given.spell):
                write_line(line)
        raise typer.Exit(found.exit_code)

    declared = declare_command(command, INSPECT, [input_argument()], options)
    add_command(app, INSPECT, TEXT, declared)


def inspection_lines(found: Inspection, spell: Callable[[str], str]) -> list[str]:
    """Return what was found, for a person.

    Args:
        found: What INPUT holds.
        spell: Writes the options in a message as they were given.
    """
    lines = [f"{name:12}{text}" for name, text in _facts(found, spell) if text]
    if found.classes or found.unlabelled:
        lines += ["", *_class_lines(found)]
    return lines


def _facts(found: Inspection, spell: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each line; an empty text is not shown."""
    yield "input", f"{found.input} ({found.kind})"
    yield "images", _images(found)
    yield "splits", ", ".join(f"{name} {one.images:,}" for name, one in found.splits.items())
    yield "classes", _classes(found)
    yield "formats", _formats(found)
    yield "width", _sides(found.width)
    yield "height", _sides(found.height)
    yield "sizes", ", ".join(f"{size} ({n:,})" for size, n in found.sizes.items() if n > 1)
    if found.smallest != found.largest:
        yield "smallest", _sized(found.smallest)
        yield "largest", _sized(found.largest)
    yield "blank", _blank(found)
    yield "duplicates", _duplicates(found.duplicates)
    for one in found.duplicates.examples[:EXAMPLES_SHOWN]:
        yield "", f"{' = '.join(one.paths[:2])}{' …' if one.images > 2 else ''}"
    yield "groups", _groups(found)
    for note, count in found.notes.items():
        yield "note", f"{spell(note)} ({counted(count, 'image')})"
    for kind, count in found.skipped.items():
        yield "skipped", spell(f"{count:,} x {kind}")
    for notice in found.notices:
        yield "notice", spell(notice)


def _images(found: Inspection) -> str:
    text = f"{found.images:,}"
    if found.unlabelled:
        text += f", {found.unlabelled:,} without a class"
    return text + (f", {found.failed:,} can't be used" if found.failed else "")


def _classes(found: Inspection) -> str:
    if not found.classes:
        return "none: no image has a class"
    kinds = {"soft": ", with soft labels", "several": ", several for each image"}
    text = f"{len(found.classes):,}{kinds.get(found.labels, '')}"
    if found.imbalance is None:
        return text
    if found.imbalance == 1:
        return f"{text}; all with the same number of images"
    return f"{text}; the largest has {found.imbalance:,.4g} times the images of the smallest"


def _formats(found: Inspection) -> str:
    text = ", ".join(f"{name} {count:,}" for name, count in found.formats.items())
    return f"{text}; {found.grey:,} store greys only" if found.grey else text


def _sides(sides: Sides | None) -> str:
    if sides is None:
        return ""
    if sides.smallest == sides.largest:
        return f"{sides.smallest:,}"
    return (
        f"{sides.smallest:,} to {sides.largest:,}, median {sides.median:,}, "
        f"half of them {sides.quarter:,} to {sides.three_quarters:,}"
    )


def _sized(one: Sized | None) -> str:
    return f"{one.width:,} x {one.height:,}, {one.path}" if one else ""


def _blank(found: Inspection) -> str:
    if not found.blank:
        return "none"
    names = ", ".join(found.blank[:EXAMPLES_SHOWN])
    more = ", …" if found.black + found.one_colour > EXAMPLES_SHOWN else ""
    return f"{found.black:,} nearly black, {found.one_colour:,} of one colour: {names}{more}"


def _duplicates(duplicates: Duplicates) -> str:
    if not duplicates.images:
        return "none"
    several = "is the same file as another" if duplicates.images == 1 else "are the same as others"
    text = f"{counted(duplicates.images, 'image')} {several}"
    worse = {
        "across splits": duplicates.across_splits,
        "with different labels": duplicates.conflicting,
    }
    parts = [f"{counted(count, 'set')} {words}" for words, count in worse.items() if count]
    return "; ".join([text, *parts])


def _groups(found: Inspection) -> str:
    if not found.groups:
        return ""
    text = f"{found.groups:,}"
    if not found.leaks.groups:
        return text
    examples = list(found.leaks.examples.items())[:EXAMPLES_SHOWN]
    names = "; ".join(f"{name!r} in {', '.join(splits)}" for name, splits in examples)
    return f"{text}, {found.leaks.groups:,} of them in two splits: {names}"


def _class_lines(found: Inspection) -> list[str]:
    """Return the table of the classes, the largest first, with a column for each split."""
    counts = {**found.classes, **({"": found.unlabelled} if found.unlabelled else {})}
    names = sorted(counts, key=lambda name: -counts[name])
    first, last = most_and_least(names, SHOWN)
    header = ["class", "images", *(["weight"] if found.mass else []), *found.splits]

    def row(name: str) -> list[str]:
        mass = [f"{found.mass.get(name, 0.0):,.1f}"] if found.mass else []
        splits = [
            one.classes.get(name, 0) if name else one.unlabelled for one in found.splits.values()
        ]
        return [name or UNLABELLED, f"{counts[name]:,}", *mass, *(f"{one:,}" for one in splits)]

    rows = [row(name) for name in (*first, *last)]
    lines = table_lines(header, rows)
    if last:
        lines.insert(1 + len(first), f"… {len(names) - SHOWN:,} more")
    return lines
