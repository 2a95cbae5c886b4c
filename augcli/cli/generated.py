"""One command for each augmentation, made from its declaration, and one for recipes."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augcli.augmentations import REGISTRY
from augcli.augmentations.base import Mixer
from augcli.classifiers.options import PrepareOptions
from augcli.cli.config import read_config
from augcli.cli.options import CommandOptions
from augcli.errors import with_flags
from augcli.params import Declared, build, declared
from augcli.recipes.options import MIXER_OPTIONS, SCORER_OPTIONS, RunOptions
from augcli.recipes.recipe import Recipe
from augcli.run.options import HeatMapOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.augmentations.base import Augmentation

    AnyAugmentation = Augmentation[Any]
    Runner = Callable[[Path, Recipe, RunOptions, CommandOptions], None]
    Scoring = Callable[[Path, HeatMapOptions, CommandOptions], None]
    Owners = dict[type, tuple[Declared, ...]]

RUN = "run"
"""The command that runs a recipe."""
HEATMAPS = "heatmaps"
"""The command that scores and keeps the heat maps."""
SCORER = "scorer"
"""The group whose command ``prepare`` has options of its own."""


def add_commands(app: typer.Typer, run: Runner, score: Scoring) -> None:
    """Add a command for every augmentation of the registry, one for recipes, one for heat maps.

    Args:
        app: Takes the commands.
        run: Called with INPUT, the recipe and the options.
        score: Called with INPUT and the options.
    """
    for augmentation in REGISTRY:
        text = _help(augmentation)
        # Typer would cut the first sentence short in the list of commands.
        short = text.partition("\n")[0]
        app.command(augmentation.name, help=text, short_help=short)(_of_method(augmentation, run))
    app.command(RUN, help="Run a recipe: a chain of steps in a TOML file.")(_of_recipe(run))
    app.command(HEATMAPS, help="Score every image once and keep the heat maps in a file.")(
        _of_heat_maps(score)
    )


def options_of(augmentation: type[AnyAugmentation] | None) -> Owners:
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
    own: Owners = {augmentation: declared(augmentation)} if augmentation else {}
    return {**own, RunOptions: common, CommandOptions: declared(CommandOptions)}


def heat_map_options() -> Owners:
    """Return the options of the command for heat maps, by the class that declares them."""
    return {HeatMapOptions: declared(HeatMapOptions), CommandOptions: _told_without_a_run()}


def prepare_options() -> Owners:
    """Return the options of the command that prepares a scorer, by the class declaring them."""
    return {PrepareOptions: declared(PrepareOptions), CommandOptions: _told_without_a_run()}


def _told_without_a_run() -> tuple[Declared, ...]:
    of_runs = {"dry_run", "print_recipe"}
    return tuple(field for field in declared(CommandOptions) if field.name not in of_runs)


def _of_method(augmentation: type[AnyAugmentation], run: Runner) -> Callable[..., None]:
    options = options_of(augmentation)

    def command(**found: Any) -> None:
        given = given_options(augmentation.name, options, found)
        method = build(augmentation, given[augmentation])
        chosen = build(RunOptions, given[RunOptions])
        recipe = Recipe.of(method, chosen.prob)
        run(
            Path(found["input_folder"]),
            recipe,
            chosen,
            build(CommandOptions, given[CommandOptions]),
        )

    return declare_command(command, augmentation.name, [_input()], options)


def _of_recipe(run: Runner) -> Callable[..., None]:
    options = options_of(None)

    def command(**found: Any) -> None:
        given = given_options(RUN, options, found)
        recipe = Recipe.load(Path(found["recipe"]))
        chosen = build(RunOptions, {**recipe.run, **given[RunOptions]})
        run(
            Path(found["input_folder"]),
            recipe,
            chosen,
            build(CommandOptions, given[CommandOptions]),
        )

    recipe = inspect.Parameter(
        "recipe",
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[str, typer.Argument(metavar="RECIPE", help="The TOML file.")],
    )
    return declare_command(command, RUN, [recipe, _input()], options)


def _of_heat_maps(score: Scoring) -> Callable[..., None]:
    options = heat_map_options()

    def command(**found: Any) -> None:
        given = given_options(HEATMAPS, options, found)
        chosen = build(HeatMapOptions, given[HeatMapOptions])
        score(Path(found["input_folder"]), chosen, build(CommandOptions, given[CommandOptions]))

    return declare_command(command, HEATMAPS, [_input()], options)


def declare_command(
    command: Callable[..., None], name: str, arguments: list[inspect.Parameter], options: Owners
) -> Callable[..., None]:
    """Give a command the signature that Typer reads."""
    parameters = list(arguments)
    for owner, fields in options.items():
        parameters += [_option(field, undo=owner is not CommandOptions) for field in fields]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__name__ = name.replace("-", "_")
    return command


def given_options(
    command: str, options: Owners, found: dict[str, Any]
) -> dict[type, dict[str, Any]]:
    """Return what was given on the command line, in the environment or in a file, by owner."""
    given = {
        field.name: found[field.name]
        if field.kind is bool
        else field.value_of_text(found[field.name])
        for fields in options.values()
        for field in fields
        if found[field.name] is not None
    }
    if "config" in given:
        given = {**_from_config(command, given["config"]), **given}
    return {
        owner: {field.name: given[field.name] for field in fields if field.name in given}
        for owner, fields in options.items()
    }


def _from_config(command: str, path: Path) -> dict[str, Any]:
    commands = {one.name: options_of(one) for one in REGISTRY}
    commands |= {RUN: options_of(None), HEATMAPS: heat_map_options(), SCORER: prepare_options()}
    names = {
        name: {field.name for fields in options.values() for field in fields} - {"config"}
        for name, options in commands.items()
    }
    return read_config(path, command, names[command], names)


def _input() -> inspect.Parameter:
    argument = typer.Argument(
        metavar="INPUT",
        help="Folder of images, one folder for each class; the current folder if left out.",
        show_default=False,
    )
    return inspect.Parameter(
        "input_folder",
        inspect.Parameter.KEYWORD_ONLY,
        default=".",
        annotation=Annotated[str, argument],
    )


def _option(field: Declared, *, undo: bool) -> inspect.Parameter:
    """Return the command line's form of a parameter.

    The default is always None, so that what was given can be told from what was not: a
    configuration file comes between the two. Values arrive as text, so that
    :mod:`augcli.params` alone judges them.

    Args:
        field: The parameter.
        undo: Whether a switch also has a ``--no-`` form, which overrides a configuration file.
    """
    switch = field.kind is bool
    names = [f"{field.flag}/--no-{field.flag[2:]}" if switch and undo else field.flag]
    if field.param.short:
        names.append(field.param.short)
    option = typer.Option(
        *names,
        help=describe(field),
        metavar=None if switch else metavar(field),
        envvar=f"AUGCLI_{field.name.upper()}",
        show_envvar=False,
        show_default=False,
        autocompletion=(lambda: list(field.choices)) if field.choices else None,
    )
    kind = bool | None if switch else str | None
    return inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind, option],
    )


def metavar(field: Declared) -> str:
    """Return what help shows for the value of a parameter.

    Example:
        >>> from augcli.augmentations.cutout import Cutout
        >>> {field.name: metavar(field) for field in declared(Cutout)}["patch"]
        'PIXELS|0.SHARE'
    """
    if field.param.parse:
        return field.param.metavar
    return "|".join(field.choices) or {Path: "PATH", str: "TEXT"}.get(
        field.kind, field.kind.__name__.upper()
    )


def describe(field: Declared) -> str:
    """Return a parameter's help with its bounds and its default.

    Example:
        >>> from augcli.augmentations.cutout import Cutout
        >>> describe(declared(Cutout)[1])
        'Patches in each image; they may overlap. [1 to 10000] [default: 1]'
    """
    text = with_flags(field.param.help)
    if field.param.bounds:
        text += f" [{field.param.bounds}]"
    if field.default is not None and field.kind is not bool:
        text += f" [default: {field.default}]"
    return text


def _help(augmentation: type[AnyAugmentation]) -> str:
    """Return the first paragraphs of a class's docstring, and its paper."""
    text = inspect.getdoc(augmentation) or ""
    words = text.partition("\nExample:")[0].strip()
    return f"{words}\n\nPaper: {augmentation.paper}."
