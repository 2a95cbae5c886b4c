"""The application: its commands, and the exit code for every way that they end."""

from __future__ import annotations

import functools
import gc
import os
import re
import sys
from typing import TYPE_CHECKING

from augcli.cli.signals import Signals
from augcli.errors import EXIT_BUG, AugcliError, Interrupted, Stopped, UsageError
from augcli.version import VERSION

if TYPE_CHECKING:
    import typer

    from augcli.cli.given import Given
    from augcli.files import Place
    from augcli.recipes.options import RunOptions
    from augcli.recipes.recipe import Recipe
    from augcli.run.options import HeatMapOptions

LEAST_MEMORY = {"RLIMIT_AS": (256 << 20, "-v"), "RLIMIT_DATA": (72 << 20, "-d")}
"""Bytes of addresses and of data, and what raises a limit: the libraries need most of them."""
COMPLETION = "_AUGCLI_COMPLETE"
"""Variable with which a shell asks Typer for completion."""
START = """\
augcli makes augmented image data sets, offline, with soft labels that are true.

Start with:
  augcli inspect images                 what a folder of images holds
  augcli preview images cutmix          what a method makes of some of them
  augcli cutmix images --top-n 6        make the new data set, images-cutmix
  augcli report images-cutmix           look at it: is it right?
  augcli doctor                         is all that augcli needs there?

augcli --help lists all commands, augcli COMMAND --help the options of each."""
EPILOG = """\
Examples:
  augcli cutout images --patch 16
  augcli cutmix images --top-n 6

augcli COMMAND --help shows the options of a command. Each can also be set as
AUGCLI_NAME in the environment, or in a --config file."""


def main() -> None:
    """Run the command line and exit with its code."""
    # Thousands of objects are made while modules are imported, and none of them is garbage.
    gc.set_threshold(10_000)
    _open_standard_streams()
    debug = "--debug" in sys.argv
    try:
        _check_memory()
    except Stopped as error:
        try:
            _say(error)
        except (MemoryError, ImportError):
            os.write(2, f"augcli: {error}\n".encode())
        sys.exit(error.exit_code)
    # Signals are handled before anything else is imported: an import takes time.
    signals = Signals(_say)
    try:
        with signals:
            _run(signals, debug=debug)
    except Interrupted as error:
        signals.say(error)
        sys.exit(error.exit_code)
    except AugcliError as error:
        _say(error)
        sys.exit(error.exit_code)


def _check_memory() -> None:
    """Check the limit of this process: libraries that get no memory end it without a word.

    Raises:
        Stopped: It is too low for any command.
    """
    try:
        import resource  # noqa: PLC0415
    except ImportError:
        return  # Windows has no such limit
    for name, (least, flag) in LEAST_MEMORY.items():
        limit, _ = resource.getrlimit(getattr(resource, name))
        if 0 <= limit < least:
            raise Stopped(
                f"this process may use {limit >> 20:,} MiB of memory, and augcli needs at least "
                f"{least >> 20:,} MiB; raise the limit (ulimit {flag}), then run the same command "
                "again"
            )


def _run(signals: Signals, *, debug: bool) -> None:
    """Run the command.

    Raises:
        AugcliError: In the place of every error.
        SystemExit: Its exit code.
    """
    # Before Typer is imported, which takes longer than all the rest.
    if sys.argv[1:] in (["--version"], ["-V"]):
        _write_stdout(f"augcli {VERSION}")
        sys.exit(0)
    if not sys.argv[1:] and COMPLETION not in os.environ:
        _write_stdout(START)
        sys.exit(0)
    from augcli.cli.streams import drop_stdout, take_stderr  # noqa: PLC0415 - see main

    # The processor's cores are for the workers; threads that can't be started end the process.
    for library in ("OPENBLAS", "OMP", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    # OpenCV ends the process where one is no number; `max_pixels` is augcli's own limit.
    for side in ("PIXELS", "WIDTH", "HEIGHT"):
        os.environ.pop(f"OPENCV_IO_MAX_IMAGE_{side}", None)
    if not debug:
        take_stderr()
    try:
        application(signals)(prog_name="augcli")
    except Exception as error:
        # Whatever a library raises while a signal is pending may come from the signal.
        signals.check()
        if debug:
            _show_traceback()
        if isinstance(error, AugcliError):
            raise
        if isinstance(error, KeyError | ValueError) and COMPLETION in os.environ:
            raise UsageError(
                f"the variables with which a shell asks for completion are incomplete ({error}); "
                f"to run a command, unset {COMPLETION}"
            ) from None
        if isinstance(error, OSError) and _is_of_typer(error):
            drop_stdout()
            raise Stopped(
                f"standard output can't be written ({error.strerror}); fix that, then run the "
                "same command again"
            ) from None
        from augcli.data.stopping import refused_by_system  # noqa: PLC0415

        raise refused_by_system(error) or Bug(error) from error


def _is_of_typer(error: OSError) -> bool:
    """Return whether Typer met an error: of all files, it only writes standard output."""
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    module = place.tb_frame.f_globals.get("__name__", "") if place else ""
    return re.match(r"(typer|click)\b", module) is not None


class Bug(AugcliError):
    """An error that augcli did not expect.

    Args:
        error: The error.
    """

    exit_code = EXIT_BUG

    def __init__(self, error: Exception) -> None:
        super().__init__(
            f"augcli has a bug: {type(error).__name__}: {error}; the files in OUT are complete. "
            "Run again with --debug and report what it prints"
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


def application(signals: Signals | None = None) -> typer.Typer:
    """Return the application with all its commands.

    Args:
        signals: End a run; None where nothing is to be run.
    """
    import typer  # noqa: PLC0415 - not needed for --version

    from augcli.cli.cluster import add_finish, add_prepare  # noqa: PLC0415
    from augcli.cli.export import add_export  # noqa: PLC0415
    from augcli.cli.generated import SCORER, add_commands, add_heat_maps  # noqa: PLC0415
    from augcli.cli.inspect import add_inspect  # noqa: PLC0415
    from augcli.cli.recipes import RECIPE, recipe_commands  # noqa: PLC0415
    from augcli.cli.report import add_report  # noqa: PLC0415
    from augcli.cli.scorer import scorer_commands  # noqa: PLC0415
    from augcli.cli.sheets import CommandGroup, add_sheets  # noqa: PLC0415
    from augcli.cli.split import add_split  # noqa: PLC0415
    from augcli.cli.verbs import add_verbs  # noqa: PLC0415

    # Never entered: no signal is handled.
    signals = signals or Signals(lambda _: None)
    app = typer.Typer(
        name="augcli",
        cls=CommandGroup,
        help="Make augmented image data sets, offline, with soft labels that are true.",
        epilog=EPILOG,
        pretty_exceptions_enable=False,
        # Plain help reads better in 80 columns, keeps [brackets], and is 50 ms faster.
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    def show_version(wanted: bool) -> None:
        if wanted:
            _write_stdout(f"augcli {VERSION}")
            raise typer.Exit

    version_option = typer.Option(
        False, "--version", "-V", is_eager=True, callback=show_version, help="Show the version."
    )

    @app.callback()
    def callback(version: bool = version_option) -> None:
        pass

    run = functools.partial(run_command, signals)
    add_commands(app, run)
    add_heat_maps(app, functools.partial(score_command, signals))
    add_export(app, run)
    add_inspect(app, signals)
    add_split(app, signals)
    add_report(app)
    add_sheets(app)
    app.add_typer(recipe_commands(), name=RECIPE)
    app.add_typer(scorer_commands(signals), name=SCORER)
    add_prepare(app, signals)
    add_finish(app, signals)
    add_verbs(app)
    return app


def run_command(
    signals: Signals, folder: Place, recipe: Recipe, options: RunOptions, given: Given
) -> None:
    """Run a recipe over a folder."""
    import typer  # noqa: PLC0415

    from augcli.cli.options import CommandOptions  # noqa: PLC0415
    from augcli.cli.progress import showing_progress  # noqa: PLC0415

    command = given.build(CommandOptions)
    if command.print_recipe:
        from augcli.recipes.recipe import with_options  # noqa: PLC0415

        _write_stdout(with_options(recipe, options).to_toml())
        return
    from augcli.cli.sheets import refuse_options_of_previews, show_preview  # noqa: PLC0415

    if command.preview:
        show_preview(folder, recipe, options, given, signals.check)
        return
    refuse_options_of_previews(given)
    # First, and from here: deeper in the stack, where calls cross a block of CPython's frames,
    # NumPy takes twice as long to import.
    import augcli.plan.ring  # noqa: F401, PLC0415

    if command.dry_run:
        # Imported here, because it needs the decoders, which a run imports in its workers.
        from augcli.cli.dry_run import show_dry_run  # noqa: PLC0415
        from augcli.run.checking.check import check  # noqa: PLC0415

        run = check(folder, recipe, options, signals.check)
        show_dry_run(run, given.spell, as_json=command.json)
        return
    from augcli.run.engine import engine  # noqa: PLC0415

    make = engine(folder, recipe, options, signals.check)
    with showing_progress(command, given.spell) as listener, signals.in_order():
        summary = make(signals.counting(listener))
    raise typer.Exit(summary.exit_code)


def score_command(signals: Signals, folder: Place, options: HeatMapOptions, given: Given) -> None:
    """Make or update a file of heat maps."""
    import typer  # noqa: PLC0415

    from augcli.cli.options import CommandOptions  # noqa: PLC0415
    from augcli.cli.progress import showing_progress  # noqa: PLC0415
    from augcli.run.heatmaps import make_heat_maps  # noqa: PLC0415

    command = given.build(CommandOptions)
    with showing_progress(command, given.spell) as listener, signals.in_order():
        summary = make_heat_maps(folder, options, signals.counting(listener), signals.check)
    raise typer.Exit(summary.exit_code)


def _say(error: AugcliError) -> None:
    """Write the sentence of an error."""
    from augcli.cli.streams import write_stderr  # noqa: PLC0415 - see main

    text = str(error)
    if not isinstance(error, Bug | Interrupted):
        from augcli.cli.given import text_of  # noqa: PLC0415

        text = text_of(error)
    write_stderr(f"augcli: {text}")
    from augcli.cli.given import json_wanted  # noqa: PLC0415

    if json_wanted(sys.argv[1:]):
        from augcli.cli.streams import write_json  # noqa: PLC0415

        write_json({"message_type": "fatal", "exit_code": error.exit_code, "text": text})


def _write_stdout(text: str) -> None:
    from augcli.cli.streams import write_stdout  # noqa: PLC0415 - see main

    write_stdout(text)


def _show_traceback() -> None:
    import traceback  # noqa: PLC0415

    from augcli.cli.streams import write_stderr  # noqa: PLC0415 - see main

    for line in traceback.format_exc().splitlines():
        write_stderr(line)
