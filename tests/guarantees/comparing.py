"""What tells two output folders, or two states of a folder, from one another."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from augcli.data.manifest import ERRORS
from augcli.data.manifest_formats.formats import MANIFESTS
from augcli.data.output import STATE
from augcli.data.run_record import RECORD
from tests.photos import tree

if TYPE_CHECKING:
    from pathlib import Path

ALIKE = ("augcli", "state", "identity", "mean_colour", "white_level", "jobs", "refused", "counts")
"""What run.json says independently of the history."""
SHOWN = 3


def difference(out: Path, clean: Path) -> str:
    """Return how a complete OUT differs from that of a first run; empty where it does not."""
    found, expected = tree(out, hidden=False), tree(clean, hidden=False)
    more = sorted(found.keys() - expected.keys())
    missing = sorted(expected.keys() - found.keys())
    other = sorted(name for name in found if name in expected and found[name] != expected[name])
    if more or missing or other:
        return (
            f"OUT differs from a clean run: {len(more)} more {more[:SHOWN]}, "
            f"{len(missing)} missing {missing[:SHOWN]}, {len(other)} differ {other[:SHOWN]}"
            + _rows_that_differ(found, expected)
        )
    if (out / STATE).exists():
        return f"complete, but {STATE} is left"
    records = [json.loads((folder / RECORD).read_bytes()) for folder in (out, clean)]
    values = [(key, *(record.get(key) for record in records)) for key in ALIKE]
    return "; ".join(
        f"{key} of run.json is {found}, of a clean run {expected}"
        for key, found, expected in values
        if found != expected
    )


def stamps(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return what tells each file below a folder from a changed one, by its path."""
    found: dict[str, tuple[int, ...]] = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            state = os.lstat(path)
            found[os.path.relpath(path, folder)] = (
                state.st_ino,
                state.st_mode,
                state.st_size,
                state.st_mtime_ns,
                state.st_ctime_ns,
            )
    return found


def _rows_that_differ(found: dict[str, bytes], expected: dict[str, bytes]) -> str:
    """Return the first rows of the tables that only one of them has."""
    text = ""
    for table in (MANIFESTS[0], ERRORS):
        before, after = (
            set(one.get(table, b"").decode().splitlines()) for one in (expected, found)
        )
        for sign, lines in (("+", after - before), ("-", before - after)):
            text += "".join(f"\n{sign} {table}: {row}" for row in sorted(lines)[:SHOWN])
    return text
