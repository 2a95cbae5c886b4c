"""Write docs/options.md from the declared options: ``make docs``."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import typer.main

from augcli.augmentations import REGISTRY
from augcli.cli.app import application
from augcli.cli.generated import (
    EXPORT,
    HEATMAPS,
    INSPECT,
    SPLIT,
    export_options,
    heat_map_options,
    inspect_options,
    options_of,
    split_options,
)
from augcli.cli.option_words import metavar
from augcli.cli.options import CommandOptions
from augcli.errors import flag, with_flags
from augcli.params import Group, declared
from augcli.recipes.options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.cli.given import OptionsByClass
    from augcli.params import Declared

PAGE = Path(__file__).with_name("options.md")

HEAD = """\
# Every option

This page is made by `make docs` from the declarations in the code.

`augcli COMMAND [INPUT] [options]`: INPUT is the current folder if left out. `augcli COMMAND --help`
shows the same texts, `augcli COMMAND --help --format man` (or `markdown`) as a page to keep.
`augcli --install-completion` lets your shell complete commands, options and their values. A command
has its own options and the [common ones](#options-that-commands-share).

Each option can also be set in the environment (`--top-n 6` is `AUGCLI_TOP_N=6`), in a file
(`top_n = 6`, see [pipelines.md](pipelines.md#options-from-a-file-or-the-environment)) and in
Python (`AttentiveCutMix(top_n=6)`, see [python.md](python.md)). `--no-inside` turns a switch such
as `--inside` off again.
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(render(), encoding="utf-8")


def render() -> str:
    """Return the page."""
    parts = [HEAD]
    for augmentation in REGISTRY:
        first = (augmentation.__doc__ or "").strip().partition("\n")[0]
        words = textwrap.fill(f"{first} Source: {augmentation.paper}.", 99)
        own = table(declared(augmentation))
        parts.append(f"## augcli {augmentation.name}\n\n{words}\n\n{own}")
    parts += [_heat_maps(), _export(), _inspect(), _split()]
    parts += [_by_hand(words, command) for words, command in commands() if not _generated(words)]
    parts.append(f"## Options that commands share\n\n{_shared()}")
    return "\n".join(parts)


def _shared() -> str:
    """Return a table of the shared options for each group, in the order of ``--help``."""
    only = _only(RunOptions) | _only(CommandOptions)
    fields = (*declared(RunOptions), *declared(CommandOptions))
    groups = {
        group: tuple(field for field in fields if field.param.group == group)
        for group in get_args(Group)
    }
    return "\n".join(
        f"### {group.capitalize()}\n\n{table(members, only)}" for group, members in groups.items()
    )


def commands() -> Iterator[tuple[str, Any]]:
    """Yield the words and the parsed form of each command of the application."""
    group: Any = typer.main.get_command(application())
    yield from _commands_in("", group)


def _commands_in(words: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands_in(f"{words}{name} ", command)
        else:
            yield f"{words}{name}", command


def _generated(words: str) -> bool:
    return words in {
        EXPORT,
        HEATMAPS,
        INSPECT,
        SPLIT,
        *(augmentation.name for augmentation in REGISTRY),
    }


def _heat_maps() -> str:
    own, of_command_line = heat_map_options().values()
    shared = ", ".join(f"`{field.flag}`" for field in of_command_line)
    return (
        f"## augcli {HEATMAPS}\n\nScore every image once and store the heat maps in a file, see "
        f"[heatmaps.md](heatmaps.md).\n\n{table(own)}\nIt also has {shared}, see "
        "[below](#run).\n"
    )


def _export() -> str:
    shared = ", ".join(_flags(export_options()))
    words = (
        "Write INPUT into another kind of output, unchanged, see [outputs.md](outputs.md). It has "
        f"{shared}, which mean what they mean for [the other "
        "commands](#options-that-commands-share)."
    )
    return f"## augcli {EXPORT}\n\n{textwrap.fill(words, 99, break_on_hyphens=False)}\n"


def _inspect() -> str:
    shared = ", ".join(_flags(inspect_options()))
    words = (
        f"Show what INPUT holds, see [inspect.md](inspect.md). It has {shared}, which mean what "
        "they mean for [the other commands](#options-that-commands-share)."
    )
    return f"## augcli {INSPECT}\n\n{textwrap.fill(words, 99, break_on_hyphens=False)}\n"


def _split() -> str:
    own, *rest = split_options().items()
    shared = ", ".join(_flags(dict(rest)))
    words = (
        f"It also has {shared}, which mean what they mean for [the other "
        "commands](#options-that-commands-share)."
    )
    return (
        f"## augcli {SPLIT}\n\nDivide INPUT into train, val and test, see "
        f"[splits.md](splits.md).\n\n{table(own[1])}\n"
        f"{textwrap.fill(words, 99, break_on_hyphens=False)}\n"
    )


def _flags(options: OptionsByClass) -> list[str]:
    return [f"`{field.flag}`" for fields in options.values() for field in fields]


def _only(owner: type) -> dict[str, str]:
    """Return a note for each option that only some augmentations have, by name."""
    names: dict[str, list[str]] = {}
    for augmentation in REGISTRY:
        for field in options_of(augmentation)[owner]:
            names.setdefault(field.name, []).append(f"`{augmentation.name}`")
    return {
        field.name: f" Only {', '.join(names[field.name])}."
        for field in declared(owner)
        if field.name in names and len(names[field.name]) < len(REGISTRY)
    }


def table(fields: tuple[Declared, ...], only: dict[str, str] | None = None) -> str:
    """Return a table of declared parameters."""
    rows = []
    for field in fields:
        flags = f"`{field.flag}`" + (f", `{field.param.short}`" if field.param.short else "")
        value = "switch" if field.kind is bool else f"`{metavar(field)}`"
        note = (only or {}).get(field.name, "")
        words = with_flags(field.param.help) + note
        rows.append([flags, value, _default(field), field.param.bounds, words])
    return _rows(["option", "value", "default", "range", "what it does"], rows)


def _default(field: Declared) -> str:
    if field.kind is bool:
        return "on" if field.default else "off"
    return "" if field.default is None else f"`{field.default}`"


def _by_hand(words: str, command: Any) -> str:
    """Return the section of a command that no augmentation declares."""
    shared = {field.name for owner in (RunOptions, CommandOptions) for field in declared(owner)}
    runs = "workers" in {parameter.name for parameter in command.params}
    rows = []
    for parameter in command.params:
        if parameter.name == "help" or (runs and parameter.name in shared):
            continue
        argument = parameter.param_type_name == "argument"
        names = parameter.metavar or parameter.name.upper()
        flags = ", ".join(f"`{word}`" for word in ([names] if argument else parameter.opts))
        default = "off" if parameter.default is False else f"`{parameter.default}`"
        rows.append([flags, "" if parameter.default is None else default])
        rows[-1].append(parameter.help or "")
    described = textwrap.fill(" ".join((command.help or "").split()), 99, break_on_hyphens=False)
    text = f"## augcli {words}\n\n{described}\n"
    missing = sorted(shared - {parameter.name for parameter in command.params})
    if runs:
        without = ", ".join(f"`{flag(name)}`" for name in missing)
        text += "\nIt has the [common options](#options-that-commands-share)"
        text += f", but not {without}.\n" if without else ".\n"
    return text + ("\n" + _rows(["word", "default", "what it does"], rows) if rows else "")


def _rows(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    cells = [[cell.replace("|", r"\|") for cell in line] for line in lines]
    return "".join("| " + " | ".join(line) + " |\n" for line in cells)


if __name__ == "__main__":
    main()
