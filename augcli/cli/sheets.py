"""Pictures for people: ``--preview``, ``augcli preview`` and ``augcli sheet``."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from augcli.augmentations import REGISTRY
from augcli.cli.generated import RUN, add_command
from augcli.cli.help import Group
from augcli.cli.options import CommandOptions
from augcli.cli.streams import write_json, write_path, write_stderr, write_stdout
from augcli.errors import UsageError, near_miss, with_flags
from augcli.params import declared

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.cli.given import Given
    from augcli.cli.graphics import Graphics
    from augcli.data.manifest import Row
    from augcli.data.stopping import Checkpoint
    from augcli.files import Place
    from augcli.recipes.options import RunOptions
    from augcli.recipes.recipe import Recipe
    from augcli.report.sheets.sheet import Sheet

METHODS = tuple(method.name for method in REGISTRY)
"""The methods that are commands."""
PREVIEW = "preview"
PREVIEW_TEXT = """\
Show what a method or a recipe would make of some images of INPUT; nothing else is written.

Each row has a base, its donor with the heat map and what is taken of it, and the result with its
label: to the pixel those of the run with the same options. It is shown in the terminal, or
written to a file with --out sheet.png. After METHOD come the options of that command, see augcli
METHOD --help."""
SHEET_TEXT = """\
Show some outputs of an output folder on one picture, for a quick look, an issue or a paper.

With --against INPUT each row has an output with its base, its donor and the heat map. The picture
is shown in the terminal, or written to a file with --out sheet.png."""
_GRAPHICS = next(one for one in declared(CommandOptions) if one.name == "graphics")


def show_preview(
    folder: Place, recipe: Recipe, options: RunOptions, given: Given, checkpoint: Checkpoint
) -> None:
    """Show what a command would make of some images.

    Args:
        folder: INPUT.
        recipe: What to do.
        options: How; ``out`` is the file of the sheet, where it ends as a picture does.
        given: The options as they were written.
        checkpoint: Called between two images; what it raises ends it.
    """
    # The decoders are imported here, so that --help stays quick.
    from augcli.report.preview import preview_of  # noqa: PLC0415
    from augcli.report.previews.variation import Variation  # noqa: PLC0415
    from augcli.report.sheets.publish import is_picture  # noqa: PLC0415

    command = given.build(CommandOptions)
    place = None
    if options.out is not None and is_picture(options.out):
        place, options = str(options.out), replace(options, out=None)
    variation = None if command.vary is None else Variation.of(command.vary)

    def make() -> tuple[Sheet, dict[str, Any]]:
        made = preview_of(
            folder, recipe, options, variation, rows=command.rows, checkpoint=checkpoint
        )
        return made.sheet, {"rows": [[_described(*one) for one in row] for row in made.rows]}

    with given.spelling():
        _show(make, place, command.graphics, "preview", as_json=command.json)


def refuse_options_of_previews(given: Given) -> None:
    """Refuse options that only a preview has.

    Raises:
        UsageError: One is given.
    """
    for name in ("vary", "rows", "graphics"):
        if name in given.values[CommandOptions]:
            raise UsageError(given.spell(f"`{name}` needs `preview`"))


def as_command(words: list[str]) -> list[str]:
    """Return ``preview INPUT METHOD …`` as the command line that it stands for.

    Args:
        words: What follows ``augcli``.

    Raises:
        UsageError: It names no method and no recipe.

    Example:
        >>> as_command(["preview", "images", "cutmix", "--top-n", "6"])
        ['cutmix', 'images', '--preview', '--top-n', '6']
        >>> as_command(["preview", "recipe.toml", "images"])
        ['run', 'recipe.toml', 'images', '--preview']
        >>> as_command(["preview", "cutmix", "-o", "sheet.png"])
        ['cutmix', '--preview', '-o', 'sheet.png']
    """
    named = [word for word in words[1:3] if not word.startswith("-") or word == "-"]
    rest = words[1 + len(named) :]
    recipes = [word for word in named if word.endswith(".toml")]
    if recipes:
        named.remove(recipes[0])
        return [RUN, recipes[0], *named, "--preview", *rest]
    # The method comes last: a folder may be called as a method is.
    if named and named[-1] in METHODS:
        return [named[-1], *named[:-1], "--preview", *rest]
    if named and not {"--help", "-h"} & {*words}:
        raise _not_a_preview(named[-1])
    return words


class CommandGroup(Group):
    """The group of all commands, where ``preview`` stands for a command with ``--preview``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that a command line names."""
        if args[0] == PREVIEW:
            # A shell that completes a line has only its beginning.
            with contextlib.suppress(*[UsageError] if ctx.resilient_parsing else []):
                args = as_command(args)
        return super().resolve_command(ctx, args)


def add_sheets(app: typer.Typer) -> None:
    """Add the commands to the application."""
    add_command(app, PREVIEW, PREVIEW_TEXT, preview)
    add_command(app, "sheet", SHEET_TEXT, sheet)


def preview(
    folder: str = typer.Argument(metavar="INPUT", help="Images, as every command reads them."),
    method: str = typer.Argument(
        metavar="METHOD",
        help="A method, such as cutmix, or a recipe: a file that ends in .toml.",
        autocompletion=lambda: list(METHODS),
    ),
) -> None:
    """Take the words for ``--help``; :func:`as_command` has read or refused them before."""
    raise _not_a_preview(f"{folder} {method}")


def _not_a_preview(word: str) -> UsageError:
    return UsageError(
        f"preview needs INPUT and then a method or a recipe, but {word!r} is neither one of "
        f"{', '.join(METHODS)} nor a file that ends in .toml{near_miss(word, METHODS)}"
    )


def sheet(
    out: str = typer.Argument(metavar="OUT", help="An output folder of augcli."),
    place: str | None = typer.Option(
        None, "--out", "-o", metavar="FILE", help="File to write, .png or .jpg."
    ),
    rows: int = typer.Option(
        6,
        "--rows",
        metavar="INT",
        help="Rows of the sheet. [1 to 50] [default: 6]",
        show_default=False,
    ),
    against: str | None = typer.Option(
        None, "--against", metavar="INPUT", help="Show bases, donors and heat maps from INPUT too."
    ),
    model: str | None = typer.Option(
        None, "--model", metavar="FILE", help="The scorer, where OUT was made with one."
    ),
    graphics: str = typer.Option(
        "auto",
        "--graphics",
        envvar="AUGCLI_GRAPHICS",
        metavar="|".join(_GRAPHICS.choices),
        help=_GRAPHICS.param.help,
        show_default=False,
        autocompletion=lambda: list(_GRAPHICS.choices),
    ),
    as_json: bool = typer.Option(
        False, "--json", envvar="AUGCLI_JSON", help="Print one JSON object on standard output."
    ),
) -> None:
    """Show some outputs of an output folder."""
    from augcli.report.contact_sheet import contact_sheet  # noqa: PLC0415 - --help stays quick

    way = _GRAPHICS.value_of_text(graphics)

    def make() -> tuple[Sheet, dict[str, Any]]:
        return contact_sheet(out, against, rows=rows, model=Path(model) if model else None), {}

    _show(make, place, way, "sheet", as_json=as_json)


def _show(
    make: Callable[[], tuple[Sheet, dict[str, Any]]],
    place: str | None,
    graphics: str,
    message: str,
    *,
    as_json: bool,
) -> None:
    """Write a sheet into a file, or show it; a wrong place is refused before it is made."""
    from augcli.cli.graphics import check_terminal, in_terminal  # noqa: PLC0415
    from augcli.report.sheets.draw import draw  # noqa: PLC0415
    from augcli.report.sheets.publish import checked_sheet_place, write_sheet  # noqa: PLC0415

    path = checked_sheet_place(place) if place else None
    way = cast("Graphics", graphics)
    if not path and not as_json:
        check_terminal(way)
    made, content = make()
    if path:
        write_sheet(draw(made), path)
    if as_json:
        write_json({"message_type": message, "picture": path, **content})
        return
    if path:
        for note in made.notes:
            write_stderr(with_flags(note))
        write_path(path)
    else:
        write_stdout(in_terminal(made, way))


def _described(words: str, row: Row) -> dict[str, Any]:
    return {
        "value": words or None,
        "base": row.source_a,
        "donor": row.source_b or None,
        "label": dict(row.label.weights),
        "draw": row.draw,
        "sha256": row.sha256,
    }
