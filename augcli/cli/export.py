"""``augcli export``: INPUT unchanged, in another kind of output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from augcli.cli.generated import (
    EXPORT,
    add_command,
    declare_command,
    export_options,
    input_argument,
    names_by_command,
)
from augcli.cli.given import given_options
from augcli.recipes.options import RunOptions
from augcli.recipes.recipe import Recipe
from augcli.run.checking.places import path_of

if TYPE_CHECKING:
    import typer

    from augcli.cli.generated import RunRecipe

TEXT = """\
Write INPUT into another kind of output, unchanged: files, tar files, Parquet or arrays.

The bytes of the images are copied; they are encoded anew where a size or a format is given, or
where INPUT holds arrays. Labels, splits and groups come along."""


def add_export(app: typer.Typer, run: RunRecipe) -> None:
    """Add the command to the application.

    Args:
        app: The application.
        run: Called with INPUT, the recipe and the options.
    """
    options = export_options()

    def command(**arguments: Any) -> None:
        given = given_options(EXPORT, options, arguments, names_by_command)
        with given.spelling():
            folder, chosen = path_of(arguments["input_folder"]), given.build(RunOptions)
            run(folder, Recipe.without_steps(EXPORT), chosen, given)

    add_command(app, EXPORT, TEXT, declare_command(command, EXPORT, [input_argument()], options))
