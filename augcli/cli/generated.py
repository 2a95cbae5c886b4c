"""One command for each augmentation, made from its declaration."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augcli.augmentations import REGISTRY
from augcli.augmentations.base import Mixer
from augcli.cli.config import read_config
from augcli.cli.options import CommandOptions
from augcli.params import Declared, build, declared
from augcli.run.options import MIXER_OPTIONS, SCORER_OPTIONS, RunOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.augmentations.base import Augmentation

    AnyAugmentation = Augmentation[Any]
    Runner = Callable[[Path, AnyAugmentation, RunOptions, CommandOptions], None]


def add_commands(app: typer.Typer, run: Runner) -> None:
    """Add a command for every augmentation of the registry.

    Args:
        app: Takes the commands.
        run: Called with INPUT, the augmentation and the options.
    """
    for augmentation in REGISTRY:
        app.command(
            augmentation.name,
            help=_help(augmentation),
        )(_command(augmentation, run))


def options_of(augmentation: type[AnyAugmentation]) -> dict[type, tuple[Declared, ...]]:
    """Return the options of a command, by the class that declares them."""
    hidden: set[str] = set()
    if not issubclass(augmentation, Mixer):
        hidden |= MIXER_OPTIONS
    if not augmentation.can_score:
        hidden |= SCORER_OPTIONS
    common = tuple(field for field in declared(RunOptions) if field.name not in hidden)
    return {
        augmentation: declared(augmentation),
        RunOptions: common,
        CommandOptions: declared(CommandOptions),
    }


def _command(augmentation: type[AnyAugmentation], run: Runner) -> Callable[..., None]:
    options = options_of(augmentation)

    def command(**found: Any) -> None:
        folder = found["input_folder"]
        given = {
            field.name: found[field.name]
            if field.kind is bool
            else field.value_of_text(found[field.name])
            for fields in options.values()
            for field in fields
            if found[field.name] is not None
        }
        if "config" in given:
            given = {**_from_config(augmentation, given["config"]), **given}
        parts = {
            owner: {field.name: given[field.name] for field in fields if field.name in given}
            for owner, fields in options.items()
        }
        run(
            Path(folder),
            build(augmentation, parts[augmentation]),
            build(RunOptions, parts[RunOptions]),
            build(CommandOptions, parts[CommandOptions]),
        )

    parameters = [_input()]
    for owner, fields in options.items():
        parameters += [_option(field, undo=owner is not CommandOptions) for field in fields]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__name__ = augmentation.name.replace("-", "_")
    return command


def _from_config(augmentation: type[AnyAugmentation], path: Path) -> dict[str, Any]:
    names = {
        one.name: {field.name for fields in options_of(one).values() for field in fields}
        for one in REGISTRY
    }
    known = names[augmentation.name] - {"config"}
    return read_config(path, augmentation.name, known, {**names, augmentation.name: known})


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
        >>> [metavar(field) for field in declared(Cutout)]
        ['PIXELS|0.SHARE', 'INT', 'BOOL', 'FILL']
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
    text = field.param.help
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
