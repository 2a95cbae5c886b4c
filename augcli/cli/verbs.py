"""Verbs written by hand: ``status`` and ``verify`` on output folders, and ``doctor``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import typer

from augcli.cli.doctor import doctor
from augcli.cli.report import put, tell

OUT = typer.Argument(metavar="OUT", help="An output folder of augcli.")
JSON = typer.Option(False, "--json", help="One JSON object on standard output.")
AGAINST = typer.Option(
    None, "--against", metavar="INPUT", help="Make every output again from INPUT and compare."
)
SHOWN = 20


def add_verbs(app: typer.Typer) -> None:
    """Add the verbs to the application."""
    app.command(help="Say what is done, failed and left in an output folder.")(status)
    app.command(help="Check that every output is whole and every row true.")(verify)
    app.command(help="Check what augcli builds on, by trying it.")(doctor)


def status(out: str = OUT, as_json: bool = JSON) -> None:
    """Print the status of an output folder."""
    from augcli.run.status import status as status_of  # noqa: PLC0415 - --help stays quick

    found = status_of(Path(out))
    if as_json:
        put(json.dumps({"message_type": "status", **asdict(found), "left": found.left}))
        return
    alive = "a run is at work in it now" if found.alive else "no run is at work in it"
    put(f"{found.command}: {found.state}, {alive}")
    put(f"{found.made:,} made, {found.failed:,} failed, {found.left:,} left of {found.jobs:,}")
    if found.damaged:
        put(f"{found.damaged:,} parts are damaged; running the command again makes them anew")


def verify(out: str = OUT, against: str | None = AGAINST, as_json: bool = JSON) -> None:
    """Check an output folder; exit code 1 where something is wrong."""
    # Decoders are imported here, so that --help stays quick.
    from augcli.run.verify import verify as verify_folder  # noqa: PLC0415

    found = verify_folder(out, against=against)
    if as_json:
        problems = [problem._asdict() for problem in found.problems]
        put(json.dumps({"message_type": "verified", **asdict(found), "problems": problems}))
    else:
        for problem in found.problems[:SHOWN]:
            tell(f"{problem.file_name}: {problem.what}")
        if len(found.problems) > SHOWN:
            tell(f"and {len(found.problems) - SHOWN:,} problems more; --json has them all")
        put(f"{found.rows:,} rows checked, {len(found.problems):,} problems")
        if against:
            put(f"{found.remade:,} made again, {found.identical:,} of them byte for byte the same")
    raise typer.Exit(1 if found.problems else 0)
