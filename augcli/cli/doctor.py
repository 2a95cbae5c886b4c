"""``augcli doctor``: what was found, on a terminal or as JSON."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

import typer

from augcli.cli.streams import printable, write_stdout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.doctor.examine import Finding

COLUMNS = 80
MARKS = {"ok": "ok", "note": "note", "problem": "PROBLEM"}
FOLDER = typer.Argument(
    None,
    metavar="[FOLDER]",
    help="Also try this folder: can outputs be written, renamed and locked in it?",
    show_default=False,
)
JSON = typer.Option(False, "--json", help="One JSON object on standard output.")


def doctor(folder: str | None = FOLDER, as_json: bool = JSON) -> None:
    """Look at what augcli builds on; exit code 1 where something is wrong."""
    from augcli.doctor.examine import examine  # noqa: PLC0415 - so that --help stays quick

    found = []
    area = ""
    for finding in examine(folder):
        found.append(finding)
        if as_json:
            continue
        if finding.area != area:
            write_stdout(f"\n{finding.area}" if area else finding.area)
            area = finding.area
        for line in lines_of(finding):
            write_stdout(printable(line))
    count = sum(one.state == "problem" for one in found)
    if as_json:
        findings = [one._asdict() for one in found]
        write_stdout(
            json.dumps({"message_type": "doctor", "problems": count, "findings": findings})
        )
    else:
        write_stdout(f"\n{told(count)}")
    raise typer.Exit(1 if count else 0)


def told(problems: int) -> str:
    """Return the last line.

    Example:
        >>> told(0), told(1), told(2)
        ('nothing is wrong', '1 problem', '2 problems')
    """
    if not problems:
        return "nothing is wrong"
    return "1 problem" if problems == 1 else f"{problems} problems"


def lines_of(finding: Finding) -> Iterator[str]:
    """Yield a finding in lines of at most 80 columns, but for words that are longer.

    Example:
        >>> from augcli.doctor.examine import Finding
        >>> for line in lines_of(Finding("formats", "WebP", "problem", "can't write it", "pip …")):
        ...     print(line)
          PROBLEM  WebP          can't write it
                                 do: pip …
    """
    name = "" if len(finding.name) > 12 else finding.name
    head = f"  {MARKS[finding.state]:7}  {name:12}  "
    text = finding.text if name else f"{finding.name}: {finding.text}"
    yield from _wrapped(text, head)
    if finding.fix:
        yield from _wrapped(f"do: {finding.fix}", " " * len(head))


def _wrapped(text: str, head: str) -> list[str]:
    return textwrap.wrap(
        text,
        COLUMNS,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )
