"""The application: its commands, and from every way to end an exit code."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING

import augcli
from augcli.cli.report import put, tell
from augcli.errors import EXIT_BUG, AugcliError, Interrupted, ParameterError, UsageError, with_flags

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    import typer

    from augcli.cli.options import CommandOptions
    from augcli.recipes.options import RunOptions
    from augcli.recipes.recipe import Recipe
    from augcli.run.options import HeatMapOptions

EPILOG = "Every option can also be given as AUGCLI_NAME in the environment or in a --config file."


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        # Before Typer is imported: a version should cost nothing.
        put(f"augcli {augcli.__version__}")
        sys.exit(0)
    _open_standard_streams()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    debug, as_json = "--debug" in sys.argv, "--json" in sys.argv
    try:
        application()(prog_name="augcli")
    except SystemExit as error:
        if error.code == UsageError.exit_code and as_json:
            # Typer has told a person what was wrong with the words of the command line.
            told = {"exit_code": error.code, "text": "wrong usage, see standard error"}
            put(json.dumps({"message_type": "fatal", **told}))
        raise
    except AugcliError as error:
        if debug:
            traceback.print_exc()
        _fail(_sentence(error), error.exit_code, as_json=as_json)
    except Exception as error:
        if debug:
            traceback.print_exc()
        _fail(
            f"augcli has a bug: {type(error).__name__}: {error}; what is in OUT is whole. Run "
            "again with --debug and report what it prints",
            EXIT_BUG,
            as_json=as_json,
        )


def _open_standard_streams() -> None:
    """Where a standard stream is closed, let its number lead nowhere.

    Else an output would get the number, and what a decoder warns of would end up in it.
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
    from augcli.cli.recipes import recipe_commands  # noqa: PLC0415
    from augcli.cli.scorer import scorer_commands  # noqa: PLC0415
    from augcli.cli.verbs import add_verbs  # noqa: PLC0415

    app = typer.Typer(
        name="augcli",
        help="Make augmented image data sets, offline, with soft labels that are true.",
        epilog=EPILOG,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        # Plain help reads better in 80 columns, keeps [brackets], and is 50 ms faster.
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    def show_version(wanted: bool) -> None:
        if wanted:
            put(f"augcli {augcli.__version__}")
            raise typer.Exit

    version_option = typer.Option(
        False, "--version", "-V", is_eager=True, callback=show_version, help="Show the version."
    )

    @app.callback()
    def callback(version: bool = version_option) -> None:
        pass

    add_commands(app, run_command, score_command)
    app.add_typer(recipe_commands(), name="recipe")
    app.add_typer(scorer_commands(), name=SCORER)
    add_verbs(app)
    return app


def run_command(folder: Path, recipe: Recipe, options: RunOptions, command: CommandOptions) -> None:
    """Run a recipe over a folder."""
    import typer  # noqa: PLC0415

    from augcli.cli.report import reporting  # noqa: PLC0415

    if command.print_recipe:
        from augcli.recipes.recipe import with_options  # noqa: PLC0415

        put(with_options(recipe, options).to_toml())
        return
    from augcli.run.check import check  # noqa: PLC0415

    run = check(folder, recipe, options)
    if command.dry_run:
        # It makes a few outputs itself; a run leaves that, and the decoders, to its workers.
        from augcli.cli.preview import show_preview  # noqa: PLC0415

        show_preview(run, as_json=command.json)
        return
    from augcli.run.make import make  # noqa: PLC0415

    with reporting(command) as listener:
        summary = make(run, listener)
    raise typer.Exit(summary.exit_code)


def score_command(folder: Path, options: HeatMapOptions, command: CommandOptions) -> None:
    """Make or bring up to date a file of heat maps."""
    import typer  # noqa: PLC0415

    from augcli.cli.report import reporting  # noqa: PLC0415
    from augcli.run.heatmaps import make_heat_maps  # noqa: PLC0415

    with reporting(command) as listener:
        summary = make_heat_maps(folder, options, listener)
    raise typer.Exit(summary.exit_code)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    """The first signal ends the run in order, a second one at once."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_DFL)
    raise Interrupted(number)


def _sentence(error: AugcliError) -> str:
    if isinstance(error, ParameterError):
        return f"{error.flag} {with_flags(error.message)}"
    return with_flags(str(error))


def _fail(text: str, code: int, *, as_json: bool) -> None:
    tell(f"augcli: {text}")
    if as_json:
        put(json.dumps({"message_type": "fatal", "exit_code": code, "text": text}))
    sys.exit(code)
