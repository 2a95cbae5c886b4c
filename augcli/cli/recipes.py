"""``augcli recipe``: start, check and describe recipes."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from augcli.cli.generated import add_command
from augcli.cli.help import Group
from augcli.cli.streams import write_line, write_path, write_stderr, write_stdout
from augcli.errors import UsageError, near_miss
from augcli.files import create_file
from augcli.params import values
from augcli.recipes.recipe import Recipe, shipped_recipes
from augcli.recipes.schema import recipe_schema

RECIPE = "recipe"
"""The group of commands."""


def recipe_commands() -> typer.Typer:
    """Return the group of commands."""
    group = typer.Typer(cls=Group, help="Start, check and describe recipes.", rich_markup_mode=None)
    name = typer.Argument(
        "erase",
        metavar="NAME",
        help="erase, attentive or family [default: erase].",
        autocompletion=lambda: list(shipped_recipes()),
    )
    out = typer.Option(
        None, "--out", "-o", metavar="FILE", help="File to write [default: NAME.toml]."
    )

    def init(name: str = name, out: str | None = out) -> None:
        """Write one of the shipped recipes into a file, to start from."""
        shipped = shipped_recipes()
        if name not in shipped:
            raise UsageError(
                f"recipe {name!r} is not shipped; choose one of {', '.join(shipped)}"
                f"{near_miss(name, shipped)}"
            )
        path = Path(out or f"{name}.toml")
        try:
            create_file(path, shipped[name].encode("utf-8"))
        except FileExistsError:
            raise UsageError(f"{path} exists already; give another file with --out") from None
        except OSError as error:
            raise UsageError(f"{path} can't be written ({error.strerror})") from None
        write_path(str(path))

    def check(path: str = typer.Argument(metavar="RECIPE", help="The TOML file.")) -> None:
        """Check a recipe and print what it does, step by step."""
        for line in recipe_lines(Recipe.load(path)):
            write_line(line)
        write_stderr("recipe is valid")

    def schema() -> None:
        """Print the JSON Schema of recipes, for editors that complete TOML."""
        write_stdout(json.dumps(recipe_schema(), indent=2))

    for command in (init, check, schema):
        add_command(group, command.__name__, command.__doc__ or "", command, RECIPE)
    return group


def recipe_lines(recipe: Recipe) -> list[str]:
    r"""Return a recipe for people, a line for each option and each step.

    Example:
        >>> for line in recipe_lines(Recipe.parse('[[step]]\nuse = "flip"\nprob = 0.5')):
        ...     print(line)
        recipe recipe: 1 step
        1  flip  applied to 50%  direction=horizontal
    """
    count = len(recipe.steps)
    lines = [f"recipe {recipe.name}: {count} {'step' if count == 1 else 'steps'}"]
    lines += [f"   {name} = {value}" for name, value in recipe.run.items()]
    for number, step in enumerate(recipe.steps, 1):
        share = step.probability
        if recipe.survival is not None:
            share *= 1 - number / len(recipe.steps) * (1 - recipe.survival)
        total = sum(weight for weight, _ in step.choices)
        for weight, augmentation in step.choices:
            options = " ".join(f"{name}={value}" for name, value in values(augmentation).items())
            method = augmentation.name
            name = step.name if step.name == method else f"{step.name}: {method}"
            lines.append(f"{number}  {name}  applied to {share * weight / total:.0%}  {options}")
    return lines
