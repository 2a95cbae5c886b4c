"""Commands made from declared options: one for each augmentation, ``run`` and ``heatmaps``."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augcli.augmentations import REGISTRY
from augcli.augmentations.base import Mixer
from augcli.classifiers.options import ClassifierOptions
from augcli.cli.examples import examples
from augcli.cli.given import Given, OptionsByClass, given_options
from augcli.cli.help import Command
from augcli.cli.option_words import completions, describe, metavar
from augcli.cli.options import CommandOptions
from augcli.files import Place
from augcli.params import Declared, declared
from augcli.recipes.option_kinds import MIXER_OPTIONS, SCORER_OPTIONS
from augcli.recipes.options import RunOptions
from augcli.recipes.recipe import Recipe
from augcli.run.checking.places import path_of
from augcli.run.options import (
    HeatMapOptions,
    SplitOptions,
    export_fields,
    inspect_fields,
    split_fields,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.augmentations.base import Augmentation

    AnyAugmentation = Augmentation[Any]
    RunRecipe = Callable[[Place, Recipe, RunOptions, Given], None]
    ScoreFolder = Callable[[Place, HeatMapOptions, Given], None]

RUN = "run"
"""The command that runs a recipe."""
HEATMAPS = "heatmaps"
"""The command that scores images and stores the heat maps."""
INSPECT = "inspect"
"""The command that shows what INPUT holds."""
SPLIT = "split"
"""The command that divides INPUT into splits."""
EXPORT = "export"
"""The command that writes INPUT into another kind of output."""
SCORER = "scorer"
"""The group whose command ``prepare`` has options of its own."""


ONLY_METHODS = frozenset({"dry_run", "print_recipe", "preview", "vary", "rows", "graphics"})
"""Options that only commands have which make pictures out of pictures."""


def add_commands(app: typer.Typer, run: RunRecipe) -> None:
    """Add a command for each augmentation of the registry, and one for recipes.

    Args:
        app: The application, or a group of it.
        run: Called with INPUT, the recipe and the options.
    """
    for augmentation in REGISTRY:
        add_command(
            app, augmentation.name, _help(augmentation), _augmentation_command(augmentation, run)
        )
    text = "Run a recipe: a chain of steps in a TOML file."
    add_command(app, RUN, text, _recipe_command(run))


def add_heat_maps(app: typer.Typer, score: ScoreFolder) -> None:
    """Add the command for heat maps.

    Args:
        app: The application.
        score: Called with INPUT and the options.
    """
    text = "Score every image once and store the heat maps in a file."
    add_command(app, HEATMAPS, text, _heat_map_command(score))


def add_command(
    group: typer.Typer,
    name: str,
    text: str,
    command: Callable[..., None],
    parent: str = "",
    kind: type[Command] = Command,
) -> None:
    """Add a command to the application or to a group of it.

    Args:
        group: The application or the group.
        name: The command's name.
        text: What ``--help`` says; its first line is also shown in the list of commands.
        command: The function, with the signature that Typer reads.
        parent: The group's name.
        kind: How the command line is read.
    """
    group.command(
        name,
        cls=kind,
        help=text,
        # Typer would cut the first sentence short in the list of commands.
        short_help=text.partition("\n")[0],
        epilog=examples(f"{parent} {name}".strip()),
    )(command)


def options_of(augmentation: type[AnyAugmentation] | None) -> OptionsByClass:
    """Return the options of a command, by the class that declares them.

    Args:
        augmentation: The augmentation of the command; None for the command that runs recipes.
    """
    hidden: set[str] = set()
    if augmentation is None:
        hidden = {"prob"}
    elif not issubclass(augmentation, Mixer):
        hidden |= MIXER_OPTIONS
    if augmentation is not None and not augmentation.can_score:
        hidden |= SCORER_OPTIONS
    common = tuple(field for field in declared(RunOptions) if field.name not in hidden)
    own: OptionsByClass = {augmentation: declared(augmentation)} if augmentation else {}
    return {**own, RunOptions: common, CommandOptions: declared(CommandOptions)}


def heat_map_options() -> OptionsByClass:
    """Return the options of the command for heat maps, by the class that declares them."""
    return {HeatMapOptions: declared(HeatMapOptions), CommandOptions: _options_without_a_run()}


def inspect_options() -> OptionsByClass:
    """Return the options of the command that inspects INPUT, by the class that declares them."""
    return {RunOptions: inspect_fields(), CommandOptions: _options_without_a_run()}


def split_options() -> OptionsByClass:
    """Return the options of the command that splits INPUT, by the class that declares them."""
    return {
        SplitOptions: declared(SplitOptions),
        RunOptions: split_fields(),
        CommandOptions: _options_without_a_run(),
    }


def export_options() -> OptionsByClass:
    """Return the options of the command that writes INPUT elsewhere, by class."""
    without = ONLY_METHODS - {"dry_run"}
    own = tuple(field for field in declared(CommandOptions) if field.name not in without)
    return {RunOptions: export_fields(), CommandOptions: own}


def prepare_options() -> OptionsByClass:
    """Return the options of ``scorer prepare``, by the class that declares them."""
    return {
        ClassifierOptions: declared(ClassifierOptions),
        CommandOptions: _options_without_a_run(),
    }


def _options_without_a_run() -> tuple[Declared, ...]:
    return tuple(field for field in declared(CommandOptions) if field.name not in ONLY_METHODS)


def _augmentation_command(
    augmentation: type[AnyAugmentation], run: RunRecipe
) -> Callable[..., None]:
    options = options_of(augmentation)

    def command(**arguments: Any) -> None:
        given = given_options(augmentation.name, options, arguments, names_by_command)
        with given.spelling():
            method = given.build(augmentation)
            chosen = given.build(RunOptions)
            recipe = Recipe.of(method, chosen.prob)
            run(path_of(arguments["input_folder"]), recipe, chosen, given)

    return declare_command(command, augmentation.name, [input_argument()], options)


def _recipe_command(run: RunRecipe) -> Callable[..., None]:
    options = options_of(None)

    def command(**arguments: Any) -> None:
        given = given_options(RUN, options, arguments, names_by_command)
        with given.spelling():
            recipe = Recipe.load(Path(arguments["recipe"]))
        given = given.after(RunOptions, recipe.run, f"{arguments['recipe']} ([run])")
        with given.spelling():
            run(path_of(arguments["input_folder"]), recipe, given.build(RunOptions), given)

    recipe = inspect.Parameter(
        "recipe",
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[str, typer.Argument(metavar="RECIPE", help="The TOML file.")],
    )
    return declare_command(command, RUN, [recipe, input_argument()], options)


def _heat_map_command(score: ScoreFolder) -> Callable[..., None]:
    options = heat_map_options()

    def command(**arguments: Any) -> None:
        given = given_options(HEATMAPS, options, arguments, names_by_command)
        with given.spelling():
            score(path_of(arguments["input_folder"]), given.build(HeatMapOptions), given)

    return declare_command(command, HEATMAPS, [input_argument()], options)


def declare_command(
    command: Callable[..., None],
    name: str,
    arguments: list[inspect.Parameter],
    options: OptionsByClass,
) -> Callable[..., None]:
    """Give a command the signature that Typer reads."""
    parameters = list(arguments)
    for owner, fields in options.items():
        parameters += [_option(field, undo=owner is not CommandOptions) for field in fields]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__name__ = name.replace("-", "_")
    return command


def names_by_command() -> dict[str, set[str]]:
    """Return the names of the options that a configuration file may set, by command."""
    commands = {augmentation.name: options_of(augmentation) for augmentation in REGISTRY}
    commands |= {RUN: options_of(None), HEATMAPS: heat_map_options(), SCORER: prepare_options()}
    commands |= {INSPECT: inspect_options(), SPLIT: split_options(), EXPORT: export_options()}
    return {
        name: {field.name for fields in options.values() for field in fields} - {"config"}
        for name, options in commands.items()
    }


def input_argument() -> inspect.Parameter:
    """Return the argument INPUT, as Typer declares it."""
    argument = typer.Argument(
        metavar="INPUT",
        help="Folder of images, one folder for each class, or a table, tar archives, Parquet or "
        "arrays; - reads paths from standard input; the current folder if left out.",
        show_default=False,
    )
    return inspect.Parameter(
        "input_folder",
        inspect.Parameter.KEYWORD_ONLY,
        default=".",
        annotation=Annotated[str, argument],
    )


def _option(field: Declared, *, undo: bool) -> inspect.Parameter:
    """Return an option as Typer declares it.

    The default is always None, which shows that the option was not set: the environment or a
    configuration file may set it then. Values arrive as text, so that only
    :mod:`augcli.params` checks them. Typer's panels are the groups of ``--help``.

    Args:
        field: The declared option.
        undo: Whether a switch also has a ``--no-`` form, which overrides a configuration file.
    """
    switch = field.kind is bool
    words = completions(field)
    names = [f"{field.flag}/--no-{field.flag[2:]}" if switch and undo else field.flag]
    if field.param.short:
        names.append(field.param.short)
    option = typer.Option(
        *names,
        help=describe(field),
        metavar=None if switch else metavar(field),
        show_default=False,
        rich_help_panel=field.param.group,
        # Of all else, shells offer paths.
        autocompletion=(lambda: words) if words else None,
    )
    kind = bool | None if switch else str | None
    return inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind, option],
    )


def _help(augmentation: type[AnyAugmentation]) -> str:
    """Return the first paragraphs of a class's docstring, and its paper."""
    text = inspect.getdoc(augmentation) or ""
    description = text.partition("\nExample:")[0].strip()
    return f"{description}\n\nPaper: {augmentation.paper}."
