"""``--dry-run``: the plan on a terminal."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from augcli.cli.report import printable, put
from augcli.data.manifest import COLUMNS
from augcli.run.preview import preview

if TYPE_CHECKING:
    from augcli.run.check import Run

SHOWN = 5


def show_preview(run: Run, *, as_json: bool) -> None:
    """Print what a run would make; nothing is written."""
    found = preview(run)
    if as_json:
        rows = [dict(zip(COLUMNS, row.cells(), strict=True)) for row in found.rows]
        failures = [failure._asdict() for failure in found.failures]
        plan = {**asdict(found), "rows": rows, "failures": failures}
        put(json.dumps({"message_type": "plan", "out": run.output.path, **plan}))
        return
    per_class = found.per_class.items()
    classes = ", ".join(f"{name or '(unlabelled)'} {count:,}" for name, count in per_class)
    lines = [
        f"input    {run.sources.place}: {found.sources:,} images ({_cut(classes)})",
        f"out      {run.output.path}",
        f"outputs  {found.outputs:,} images, {found.done:,} of them there already",
        f"space    about {_size(found.bytes_needed)} needed, {_size(found.bytes_free)} free",
    ]
    for row in found.rows[:SHOWN]:
        lines.append(f"  {row.source_a}" + (f"  <-  {row.source_b}" if row.source_b else ""))
        weights = [f"{name} {weight:.4f}" for name, weight in row.label.weights]
        label = ", ".join(weights) or "(unlabelled)"
        lines.append(f"      {label}   {_cut(row.draw)}")
    lines += [f"  {one.source}: would fail: {one.reason}" for one in found.failures[:SHOWN]]
    lines.append("nothing was written")
    for line in lines:
        put(printable(line))


def _cut(text: str, longest: int = 100) -> str:
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
