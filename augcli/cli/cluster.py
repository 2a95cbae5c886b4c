"""``augcli prepare`` and ``augcli finish``: before and after the tasks of an array job."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import typer

from augcli.cli.export import add_export
from augcli.cli.generated import ONLY_METHODS, add_command, add_commands
from augcli.cli.help import Command, Group
from augcli.cli.options import CommandOptions
from augcli.errors import UsageError
from augcli.run.checking.places import path_of

if TYPE_CHECKING:
    from augcli.cli.given import Given
    from augcli.cli.signals import Signals
    from augcli.files import Place
    from augcli.recipes.options import RunOptions
    from augcli.recipes.recipe import Recipe

PREPARE = "prepare"
PREPARE_TEXT = """\
List INPUT once for the tasks of an array job, and write the plan that they share.

What follows is the command of the tasks with the same options, without --shard. Without this step
the first task that starts does it. augcli finish comes when all tasks are done."""
FINISH_TEXT = """\
Write the manifest when the tasks of an array job are done.

Names the shards that are missing and the tasks that have them."""
OUT = typer.Argument(metavar="OUT", help="The output folder that the tasks share.")
FORCE = typer.Option(
    False, "--force", help="Go on although tasks seem to be at work in OUT: they are gone."
)
QUIET = typer.Option(False, "--quiet", help="Print errors only.")
JSON = typer.Option(False, "--json", envvar="AUGCLI_JSON", help="Print one JSON object per event.")


class _Prefix(Command):
    """A command before another command line, which it leaves as it is."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the words that follow; only help is for this command itself."""
        if args in ([], ["--"]):
            args = ["--help"]
        if {"--help", "-h"} & {*args} and args[0].startswith("-"):
            return super().parse_args(ctx, args)
        ctx.args = args
        return []


def add_prepare(app: typer.Typer, signals: Signals) -> None:
    """Add ``prepare`` to the application.

    Args:
        app: The application.
        signals: End it.
    """

    def prepare(context: typer.Context) -> None:
        # Built here, so that no other command waits for it.
        group = typer.Typer(
            cls=Group,
            help=PREPARE_TEXT,
            rich_markup_mode=None,
            pretty_exceptions_enable=False,
            context_settings={"help_option_names": ["-h", "--help"]},
        )
        run = functools.partial(prepare_command, signals)
        add_commands(group, run)
        add_export(group, run)
        group(context.args, prog_name=context.command_path)

    add_command(app, PREPARE, PREPARE_TEXT, prepare, kind=_Prefix)


def prepare_command(
    signals: Signals, folder: Place, recipe: Recipe, options: RunOptions, given: Given
) -> None:
    """Prepare a run."""
    from augcli.cli.progress import showing_progress  # noqa: PLC0415 - --help stays quick
    from augcli.run.cluster.prepare import prepare_plan  # noqa: PLC0415

    if options.shard is not None:
        raise UsageError("prepare is for all tasks: leave out `shard`")
    for name in given.values[CommandOptions]:
        if name in ONLY_METHODS:
            raise UsageError(given.spell(f"`{name}` is for a run: leave it out of prepare"))
    with showing_progress(given.build(CommandOptions), given.spell) as listener:
        prepare_plan(folder, recipe, options, listener, signals.check)


def add_finish(app: typer.Typer, signals: Signals) -> None:
    """Add ``finish`` to the application.

    Args:
        app: The application.
        signals: End it.
    """

    def finish(
        out: str = OUT, force: bool = FORCE, quiet: bool = QUIET, as_json: bool = JSON
    ) -> None:
        from augcli.cli.progress import showing_progress  # noqa: PLC0415 - --help stays quick
        from augcli.run.cluster.finish import finish_shared  # noqa: PLC0415

        with showing_progress(CommandOptions(quiet=quiet, json=as_json)) as listener:
            summary = finish_shared(path_of(out, "OUT"), listener, force=force)
        raise typer.Exit(summary.exit_code)

    add_command(app, "finish", FINISH_TEXT, finish)
