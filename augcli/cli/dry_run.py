"""``--dry-run``: the plan on a terminal."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from augcli.cli.streams import write_json, write_line
from augcli.cli.tables import UNLABELLED, table_lines
from augcli.run.dry_run import dry_run
from augcli.run.showing.lines import most_and_least

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from augcli.data.manifest import Row
    from augcli.run.checking.checked_run import Run
    from augcli.run.dry_run import ClassAmount, DryRun

SHOWN = 5
"""Rows and failures that are printed; JSON has all of them."""
CLASSES_SHOWN = 20
"""Classes that are printed."""


def show_dry_run(run: Run, spell: Callable[[str], str], *, as_json: bool) -> None:
    """Print what a run would make; nothing is written.

    Args:
        run: The run, checked.
        spell: Writes the options in a message as they were given.
        as_json: Whether to print one JSON object.
    """
    plan = dry_run(run)
    if as_json:
        columns = run.manifest_columns(run.sources.classes)
        rows = [columns.values(row) for row in plan.rows]
        failures = [failure._asdict() for failure in plan.failures]
        content = {**asdict(plan), "rows": rows, "failures": failures}
        write_json({"message_type": "plan", "out": run.output.path, **content})
        return
    for line in dry_run_lines(plan, run.sources.root, run.output.path, spell):
        write_line(line)


def dry_run_lines(plan: DryRun, folder: str, out: str, spell: Callable[[str], str]) -> list[str]:
    """Return a plan for people, with its first rows and failures."""
    classes = ", ".join(f"{name or UNLABELLED} {n:,}" for name, n in plan.per_class.items())
    free = "" if plan.bytes_free is None else f", {_size(plan.bytes_free)} free"
    if plan.bytes_free is not None and plan.bytes_needed > plan.bytes_free:
        free = f", only{free[1:]}: make room, or give another folder with {spell('`out`')}"
    lines = [
        f"input    {folder}: {plan.sources:,} images ({_shortened(classes)})",
        f"out      {out}, which can be written",
        f"outputs  {plan.outputs:,} images, {plan.done:,} already made",
        f"space    about {_size(plan.bytes_needed)} needed{free}",
    ]
    for row in plan.rows[:SHOWN]:
        lines += _row_lines(row)
    lines += [f"  {row.source}: would fail: {spell(row.reason)}" for row in plan.failures[:SHOWN]]
    lines += [f"  {line}" for line in class_lines(plan.classes)]
    return [*lines, "nothing was written"]


def class_lines(classes: Sequence[ClassAmount]) -> list[str]:
    """Return a table: how much of each class there is, and will be.

    Example:
        >>> from augcli.run.dry_run import ClassAmount
        >>> for line in class_lines([ClassAmount("", "cat", 9, 90), ClassAmount("", "dog", 2, 90)]):
        ...     print(line)
        class  has  will have
        cat      9         90
        dog      2         90
    """
    if not classes:
        return []
    has_mass = any(one.mass is not None for one in classes)
    header = ["class", "has", "will have", *(["weight", "will weigh"] if has_mass else [])]
    # Many are shown from the most to the fewest outputs, a few as they are.
    order = sorted(classes, key=lambda one: -one.will_have)
    first, last = (
        most_and_least(order, CLASSES_SHOWN) if len(order) > CLASSES_SHOWN else (classes, ())
    )
    rows = []
    for one in (*first, *last):
        name = one.name or UNLABELLED
        mass = [f"{one.mass or 0:,.1f}", f"{one.will_mass or 0:,.1f}"] if has_mass else []
        title = f"{one.split}/{name}" if one.split else name
        rows.append([title, f"{one.has:,}", f"{one.will_have:,}", *mass])
    lines = table_lines(header, rows)
    if last:
        lines.insert(1 + len(first), f"… {len(classes) - CLASSES_SHOWN:,} more")
    return lines


def _row_lines(row: Row) -> list[str]:
    sources = f"  {row.source_a}" + (f"  <-  {row.source_b}" if row.source_b else "")
    weights = [f"{name} {weight:.4f}" for name, weight in row.label.weights]
    label = ", ".join(weights) or UNLABELLED
    return [sources, f"      {label}   {_shortened(row.draw)}"]


def _shortened(text: str, longest: int = 100) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _size(count: float) -> str:
    """Return a number of bytes in words.

    Example:
        >>> _size(1_234_567)
        '1.2 MB'
    """
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
