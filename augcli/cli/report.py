"""``augcli report``: a page on an output folder, or on two, to see whether it is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from augcli.cli.generated import add_command
from augcli.cli.streams import write_json, write_path, write_stderr
from augcli.run.showing.lines import counted

if TYPE_CHECKING:
    from augcli.report.report import Reported

TEXT = """\
Write one HTML page that shows whether an output folder is right, or compares two.

The page holds all that it shows: pictures with their draws and labels, class mass, donor weights,
places, pairs, donors, failures, duplicates. It needs the extra: pip install 'augcli[report]'."""
OUTS = typer.Argument(metavar="OUT [OTHER]", help="An output folder of augcli; two are compared.")
PAGE = typer.Option(
    None, "--out", "-o", metavar="FILE", help="File to write [default: OUT-report.html]."
)
AGAINST = typer.Option(
    None, "--against", metavar="INPUT", help="Show bases, donors and heat maps from INPUT too."
)
MODEL = typer.Option(
    None, "--model", metavar="FILE", help="The scorer, where OUT was made with one, for heat maps."
)
JSON = typer.Option(
    False,
    "--json",
    envvar="AUGCLI_JSON",
    help="Print the figures as one JSON object; a page is written only with --out.",
)


def add_report(app: typer.Typer) -> None:
    """Add the command to the application."""
    add_command(app, "report", TEXT, report)


def report(
    outs: list[str] = OUTS,
    page: str | None = PAGE,
    against: str | None = AGAINST,
    model: str | None = MODEL,
    as_json: bool = JSON,
) -> None:
    """Report on output folders."""
    # Decoders are imported here, so that --help stays quick.
    from augcli.report.report import report as report_on  # noqa: PLC0415

    made = report_on(
        outs,
        page,
        against=against,
        model=model,
        with_page=page is not None or not as_json,
        say=write_stderr,
    )
    if as_json:
        write_json({"message_type": "report", **made.to_json()})
        return
    write_stderr(summary_line(made))
    write_path(made.page)


def summary_line(made: Reported) -> str:
    """Return what a page holds, for a person."""
    return f"{counted(made.pictures, 'picture')}, {made.bytes / 1e6:.1f} MB"
