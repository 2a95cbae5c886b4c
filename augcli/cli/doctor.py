"""``augcli doctor``: prints what the doctor finds, as text or as JSON."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import typer

from augcli.cli.streams import write_json, write_line, write_stdout
from augcli.errors import with_flags

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.doctor.examine import Finding

COLUMNS = 80
MARKS = {"ok": "ok", "note": "note", "problem": "PROBLEM"}
FOLDER = typer.Argument(
    None,
    metavar="FOLDER",
    help="Check also whether outputs can be written, renamed and locked in this folder.",
    show_default=False,
)
JSON = typer.Option(
    False, "--json", envvar="AUGCLI_JSON", help="One JSON object on standard output."
)


def doctor(folder: str | None = FOLDER, as_json: bool = JSON) -> None:
    """Check everything that augcli depends on; exit code 1 if there is a problem."""
    from augcli.doctor.examine import examine  # noqa: PLC0415 - so that --help stays quick

    findings = []
    area = ""
    for raw in examine(folder):
        finding = raw._replace(text=with_flags(raw.text), fix=with_flags(raw.fix))
        findings.append(finding)
        if as_json:
            continue
        if finding.area != area:
            write_stdout(f"\n{finding.area}" if area else finding.area)
            area = finding.area
        for line in lines_of(finding):
            write_line(line)
    problems = sum(finding.state == "problem" for finding in findings)
    if as_json:
        objects = [finding._asdict() for finding in findings]
        content = {"message_type": "doctor", "problems": problems, "findings": objects}
        write_json(content)
    else:
        write_stdout(f"\n{conclusion(problems)}")
    raise typer.Exit(1 if problems else 0)


def conclusion(problems: int) -> str:
    """Return the last line.

    Example:
        >>> conclusion(0), conclusion(1), conclusion(2)
        ('nothing is wrong', '1 problem', '2 problems')
    """
    if not problems:
        return "nothing is wrong"
    return "1 problem" if problems == 1 else f"{problems} problems"


def lines_of(finding: Finding) -> Iterator[str]:
    """Yield a finding in lines of at most 80 columns; only longer words exceed them.

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
