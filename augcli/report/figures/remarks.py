"""Remarks: what may surprise about outputs, counted in run.json, with names from the parts."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from augcli.errors import Stopped
from augcli.plan.parts import Parts
from augcli.report.figures.figures import Remark
from augcli.report.words import shown

if TYPE_CHECKING:
    from augcli.data.output import OutputFolder
    from augcli.data.run_record import RunRecord

EXAMPLES: Final = 5
"""Names that stand for many."""
SEARCHED: Final = 200_000
"""Outputs among which names are looked for: the records of more take too long to read."""


def remarks_of(output: OutputFolder, record: RunRecord) -> list[Remark]:
    """Return the remarks of a run, the most frequent first, with names of outputs.

    Args:
        output: Reads OUT.
        record: Its run.json, which counts them.
    """
    counts: dict[str, int] = record.counts.get("remarks", {})
    names: dict[str, list[str]] = {text: [] for text, count in counts.items() if count}
    if names:
        # Parts that are gone or damaged have no names to give.
        with contextlib.suppress(Stopped, OSError):
            _find(output, names)
    found = [Remark(shown(text), counts[text], names[text]) for text in names]
    return sorted(found, key=lambda remark: -remark.images)


def _find(output: OutputFolder, names: dict[str, list[str]]) -> None:
    """Add names of outputs to each remark, until all have some or enough was searched."""
    wanted = set(names)
    searched = 0
    for stored in Parts(output.files).read():
        for made in stored.part.made if stored.part else ():
            for text in wanted.intersection(made.remarks):
                names[text].append(shown(made.row.file_name))
                if len(names[text]) == EXAMPLES:
                    wanted.discard(text)
        searched += len(stored.part.made) if stored.part else 0
        if not wanted or searched >= SEARCHED:
            return
