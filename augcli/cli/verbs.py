"""Commands written by hand: ``status`` and ``verify`` on output folders, and ``doctor``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from augcli.cli.doctor import doctor
from augcli.cli.generated import add_command
from augcli.cli.streams import write_json, write_line, write_stderr
from augcli.errors import with_flags
from augcli.run.checking.places import path_of
from augcli.run.showing.lines import counted

if TYPE_CHECKING:
    from augcli.run.cluster.missing import ArrayStatus

OUT = typer.Argument(metavar="OUT", help="An output folder of augcli.")
JSON = typer.Option(
    False, "--json", envvar="AUGCLI_JSON", help="Print one JSON object on standard output."
)
RESUBMIT = typer.Option(
    False,
    "--resubmit",
    help="Print only the tasks of an array job whose shards are missing and that are not at work, "
    "as Slurm's arrays take them.",
)
AGAINST = typer.Option(
    None, "--against", metavar="INPUT", help="Make every output again from INPUT and compare."
)
LABELS = typer.Option(
    None, "--labels", metavar="TABLE", help="The table of labels, where OUT was made with one."
)
SHOWN = 20
"""Problems that are printed; JSON has all of them."""


def add_verbs(app: typer.Typer) -> None:
    """Add the commands to the application."""
    add_command(app, "status", "Show what is made, failed and left in an output folder.", status)
    add_command(app, "verify", "Check files and labels for damage.", verify)
    text = "Check that all that augcli needs is installed and works."
    add_command(app, "doctor", text, doctor)


def status(out: str = OUT, resubmit: bool = RESUBMIT, as_json: bool = JSON) -> None:
    """Print the status of an output folder."""
    from augcli.run.status import status as status_of  # noqa: PLC0415 - --help stays quick

    state = status_of(path_of(out, "OUT"))
    array = state.array
    if resubmit:
        write_line(array.resubmit if array else "")
        return
    if as_json:
        content = {**asdict(state), "left": state.left}
        content["array"] = array and array._asdict()
        write_json({"message_type": "status", **content})
        return
    at_work = "a run is at work" if state.alive else "no run is at work"
    if array:
        at_work = f"{counted(len(array.at_work), 'task')} at work"
    write_line(f"{state.command}: {state.state}, {at_work}")
    made = f"{state.made:,} of {state.jobs:,} made"
    write_line(f"{made}, {state.failed:,} failed, {state.left:,} left")
    if array:
        _write_tasks(array, out)
    if state.damaged:
        write_line(
            f"{counted(state.damaged, 'damaged part')}; run the same command again to repair"
        )


def _write_tasks(array: ArrayStatus, out: str) -> None:
    """Print how far the tasks of an array job are."""
    done = array.shards - len(array.missing)
    write_line(f"{done:,} of {counted(array.shards, 'shard')} made")
    for words in array.at_work[:SHOWN]:
        write_line(f"at work: {words}")
    if not array.missing:
        write_line(f"nothing is missing: augcli finish {out}")
    for words in array.last[:SHOWN]:
        write_line(f"shards are missing of task {words}")
    if len(array.last) > SHOWN:
        write_line(f"and of {len(array.last) - SHOWN:,} more tasks; --json names all of them")


def verify(
    out: str = OUT,
    against: str | None = AGAINST,
    labels: str | None = LABELS,
    as_json: bool = JSON,
) -> None:
    """Check an output folder; exit code 1 where something is wrong."""
    # Decoders are imported here, so that --help stays quick.
    from augcli.run.verifying.verify import verify as verify_folder  # noqa: PLC0415

    result = verify_folder(out, against=against, labels=labels)
    if as_json:
        problems = [problem._asdict() for problem in result.problems]
        content = {**asdict(result), "problems": problems}
        write_json({"message_type": "verified", **content})
    else:
        for problem in result.problems[:SHOWN]:
            write_stderr(f"{problem.file_name}: {with_flags(problem.what)}")
        if len(result.problems) > SHOWN:
            write_stderr(
                f"and {len(result.problems) - SHOWN:,} more problems; --json prints all of them"
            )
        for text in result.unchecked:
            write_stderr(f"not checked: {with_flags(text)}")
        problem_count = counted(len(result.problems), "problem")
        write_line(f"{counted(result.rows, 'row')} checked, {problem_count}")
        if against:
            write_line(f"{result.remade:,} made again, {result.identical:,} of them identical")
    raise typer.Exit(1 if result.problems else 0)
