"""The application: its commands, and the exit code for every way that they end."""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING

from augcli.cli.streams import take_stderr, write_json, write_stderr, write_stdout
from augcli.errors import EXIT_BUG, AugcliError, Interrupted
from augcli.version import VERSION

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    import typer

    from augcli.cli.given import Given
    from augcli.recipes.options import RunOptions
    from augcli.recipes.recipe import Recipe
    from augcli.run.options import HeatMapOptions

EPILOG = """\
Examples:
  augcli cutout images --patch 16
  augcli cutmix images --top-n 6

augcli COMMAND --help shows the options of a command. Each can also be set as
AUGCLI_NAME in the environment, or in a --config file."""


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        # Before Typer is imported, which takes longer than all the rest.
        write_stdout(f"augcli {VERSION}")
        sys.exit(0)
    # Thousands of objects are made while modules are imported, and none of them is garbage.
    gc.set_threshold(10_000)
    _open_standard_streams()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    debug = "--debug" in sys.argv
    if not debug:
        take_stderr()
    try:
        application()(prog_name="augcli")
    except AugcliError as error:
        if debug:
            _show_traceback()
        from augcli.cli.given import text_of  # noqa: PLC0415 - not needed for --version

        _fail(text_of(error), error.exit_code)
    except Exception as error:
        if debug:
            _show_traceback()
        _fail(
            f"augcli has a bug: {type(error).__name__}: {error}; the files in OUT are complete. "
            "Run again with --debug and report what it prints",
            EXIT_BUG,
        )


def _open_standard_streams() -> None:
    """Open the null device for every standard stream that is closed.

    Otherwise an output file would get its descriptor, and a decoder's warnings would be
    written into the file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one


def application() -> typer.Typer:
    """Return the application with all its commands."""
    import typer  # noqa: PLC0415 - not needed for --version

    from augcli.cli.generated import SCORER, add_commands  # noqa: PLC0415
    from augcli.cli.help import Group  # noqa: PLC0415
    from augcli.cli.recipes import RECIPE, recipe_commands  # noqa: PLC0415
    from augcli.cli.scorer import scorer_commands  # noqa: PLC0415
    from augcli.cli.verbs import add_verbs  # noqa: PLC0415

    app = typer.Typer(
        name="augcli",
        cls=Group,
        help="Make augmented image data sets, offline, with soft labels that are true.",
        epilog=EPILOG,
        pretty_exceptions_enable=False,
        # Plain help reads better in 80 columns, keeps [brackets], and is 50 ms faster.
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    def show_version(wanted: bool) -> None:
        if wanted:
            write_stdout(f"augcli {VERSION}")
            raise typer.Exit

    version_option = typer.Option(
        False, "--version", "-V", is_eager=True, callback=show_version, help="Show the version."
    )

    @app.callback()
    def callback(version: bool = version_option) -> None:
        pass

    add_commands(app, run_command, score_command)
    app.add_typer(recipe_commands(), name=RECIPE)
    app.add_typer(scorer_commands(), name=SCORER)
    add_verbs(app)
    return app


def run_command(folder: Path, recipe: Recipe, options: RunOptions, given: Given) -> None:
    """Run a recipe over a folder."""
    import typer  # noqa: PLC0415

    from augcli.cli.options import CommandOptions  # noqa: PLC0415
    from augcli.cli.progress import showing_progress  # noqa: PLC0415

    command = given.build(CommandOptions)
    if command.print_recipe:
        from augcli.recipes.recipe import with_options  # noqa: PLC0415

        write_stdout(with_options(recipe, options).to_toml())
        return
    # First, and from here: deeper in the stack, where calls cross a block of CPython's frames,
    # NumPy takes twice as long to import.
    import augcli.plan.ring  # noqa: F401, PLC0415
    from augcli.run.check import check  # noqa: PLC0415

    run = check(folder, recipe, options)
    if command.dry_run:
        # Imported here, because it needs the decoders, which a run imports in its workers.
        from augcli.cli.preview import show_preview  # noqa: PLC0415

        show_preview(run, given.spell, as_json=command.json)
        return
    from augcli.run.make import make  # noqa: PLC0415

    with showing_progress(command, given.spell) as listener:
        summary = make(run, listener)
    raise typer.Exit(summary.exit_code)


def score_command(folder: Path, options: HeatMapOptions, given: Given) -> None:
    """Make or update a file of heat maps."""
    import typer  # noqa: PLC0415

    from augcli.cli.options import CommandOptions  # noqa: PLC0415
    from augcli.cli.progress import showing_progress  # noqa: PLC0415
    from augcli.run.heatmaps import make_heat_maps  # noqa: PLC0415

    with showing_progress(given.build(CommandOptions), given.spell) as listener:
        summary = make_heat_maps(folder, options, listener)
    raise typer.Exit(summary.exit_code)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    """End the run in order at the first signal, at once at a second one."""
    for handled in (signal.SIGINT, signal.SIGTERM):
        signal.signal(handled, signal.SIG_DFL)
    raise Interrupted(number)


def _show_traceback() -> None:
    for line in traceback.format_exc().splitlines():
        write_stderr(line)


def _fail(text: str, code: int) -> None:
    from augcli.cli.given import json_wanted  # noqa: PLC0415 - not needed for --version

    write_stderr(f"augcli: {text}")
    if json_wanted(sys.argv[1:]):
        write_json({"message_type": "fatal", "exit_code": code, "text": text})
    sys.exit(code)
