"""What ``--help`` shows, and one sentence for a wrong command line."""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING, Any, cast, get_args

import typer
from typer.core import TyperCommand, TyperGroup

from augcli.cli.help_page import FORMATS, HelpPage
from augcli.cli.suggestions import suggestion
from augcli.errors import UsageError, near_miss
from augcli.params import Group as ParamGroup

if TYPE_CHECKING:
    from collections.abc import Iterator

HELP = "Show this message and exit; --help --format markdown or man writes it so."
_FORMAT = "format of the help"
"""Where a context keeps the format of its help."""
TyperUsageError = cast("type[Exception]", typer.BadParameter.__mro__[1])
"""Typer's base of all errors in a command line, which it does not export."""


class _WithHelp:
    """What a command and a group of commands share: augcli's help."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        page = help_page(self, ctx)
        match ctx.meta.get(_FORMAT):
            case "markdown":
                text = page.to_markdown()
            case "man":
                text = page.to_man()
            case _:
                text = page.to_text(formatter.width)
        formatter.write(text)


class Command(_WithHelp, TyperCommand):
    """A command with augcli's help."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line.

        Raises:
            UsageError: It is wrong.
        """
        with _one_sentence(ctx, args):
            return super().parse_args(ctx, _without_format(ctx, args))


class Group(_WithHelp, TyperGroup):
    """A group of commands with augcli's help, which it shows when it is called alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line up to the command's name.

        Raises:
            UsageError: It is wrong.
        """
        with _one_sentence(ctx, args):
            is_alone = args in ([], ["--"]) and not ctx.resilient_parsing
            if args and args[0].startswith("-"):
                args = _without_format(ctx, args)
            return super().parse_args(ctx, ["--help"] if is_alone else args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that a command line names.

        Raises:
            UsageError: There is no such command.
        """
        name = args[0]
        if name in self.commands or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        hint = near_miss(name, self.commands)
        if not hint and os.path.isdir(name):
            hint = f"; the command comes first, such as {ctx.command_path} cutmix {name}"
        raise UsageError(f"{name!r} is not a command of {_title(ctx)}{hint or _see(ctx)}")


def _without_format(ctx: Any, args: list[str]) -> list[str]:
    """Return a command line without ``--format`` of ``--help``, and note the format."""
    if not {"--help", "-h"} & {*args}:
        return args
    for at, word in enumerate(args):
        name, is_set, value = word.partition("=")
        value = value if is_set else " ".join(args[at + 1 : at + 2])
        if name == "--format" and value in FORMATS:
            ctx.meta[_FORMAT] = value
            return args[:at] + args[at + (1 if is_set else 2) :]
    return args


@contextlib.contextmanager
def _one_sentence(ctx: Any, args: list[str]) -> Iterator[None]:
    """Turn Typer's error, of which it prints four lines, into one of augcli."""
    words = [*args]  # Typer takes the words that it has read out of the list.
    try:
        yield
    except TyperUsageError as error:
        option = getattr(error, "option_name", None)
        if option is not None and hasattr(error, "possibilities"):
            raise UsageError(_unknown(option, words, ctx)) from None
        text = str(getattr(error, "message", error)).rstrip(".")
        if type(error).__name__ == "MissingParameter":
            needed = _name(getattr(error, "param", None))
            raise UsageError(f"{_title(ctx)} needs {needed}{_see(ctx)}") from None
        extra = re.match(r"Got unexpected extra argument\S* \((.*)\)", text)
        if extra:
            problem = f"{_title(ctx)} does not take another argument: {extra[1]}"
            raise UsageError(problem + _see(ctx)) from None
        # Typer's words, such as "Option '--seed' requires an argument.", in a sentence.
        raise UsageError(f"{text[:1].lower()}{text[1:]}{_see(ctx)}") from None


def _unknown(option: str, words: list[str], ctx: Any) -> str:
    """Return what is wrong with an option that the command does not have."""
    # Of -top-n, Typer names only -t.
    word = next((word for word in words if word.startswith(option)), option).partition("=")[0]
    commands = _options_by_command(ctx.find_root().command)
    command = ctx.command_path.partition(" ")[2]
    name = word.lstrip("-").replace("_", "-")
    start = f"{word} is not an option of {_title(ctx)}"
    if not command and any(name in names for names in commands.values()):
        return f"{start}; write it after the command"
    hint = suggestion(name, command, commands, "--{}".format)
    return start + (hint or _see(ctx))


def _options_by_command(command: Any, path: str = "") -> dict[str, list[str]]:
    """Return the long options of a command and of all below it, without their dashes."""
    names = [
        name[2:]
        for param in command.params
        for name in (*param.opts, *param.secondary_opts)
        if name.startswith("--")
    ]
    options = {path: names}
    for name, below in getattr(command, "commands", {}).items():
        options |= _options_by_command(below, f"{path} {name}".strip())
    return options


def _title(ctx: Any) -> str:
    """Return the name of a command, as its user thinks of it."""
    return str(ctx.command_path.partition(" ")[2] or ctx.command_path)


def _see(ctx: Any) -> str:
    return f"; see {ctx.command_path} --help"


def help_page(command: Any, ctx: Any) -> HelpPage:
    """Return the help of a command or of a group of commands.

    Args:
        command: As Typer made it.
        ctx: Its context.
    """
    params = [param for param in command.get_params(ctx) if not getattr(param, "hidden", False)]
    arguments = [param for param in params if param.param_type_name == "argument"]
    options = [param for param in params if param.param_type_name == "option"]
    below = getattr(command, "commands", {})
    words = [_name(param) if param.required else f"[{_name(param)}]" for param in arguments]
    words += ["COMMAND"] if below else []
    sections = {"arguments": [(_name(param), param.help or "") for param in arguments]}
    sections |= _options_by_group(options)
    sections["commands"] = [(name, entry.short_help or entry.help) for name, entry in below.items()]
    return HelpPage(
        ctx.command_path,
        (*words, "[options]"),
        tuple((command.help or "").split("\n\n")),
        {title: rows for title, rows in sections.items() if rows},
        tuple((command.epilog or "").splitlines()),
    )


def _options_by_group(options: list[Any]) -> dict[str, list[tuple[str, str]]]:
    """Return how options are written and what they mean, by the group that declares them."""
    groups = [getattr(option, "rich_help_panel", None) for option in options]
    # --help and other options that Typer adds are in no group.
    rest = "run" if any(groups) else "options"
    rows: dict[str, list[tuple[str, str]]] = {name: [] for name in (*get_args(ParamGroup), rest)}
    for option, group in zip(options, groups, strict=True):
        text = HELP if "--help" in option.opts else option.help or ""
        rows[group or rest].append((_written(option), text))
    return rows


def _name(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _written(option: Any) -> str:
    """Return an option with its value, such as ``-o, --out PATH``."""
    names = sorted(option.opts, key=len)
    if option.secondary_opts:
        names = [f"--[no-]{option.opts[0][2:]}"]
    return " ".join([", ".join(names), option.metavar or ""]).strip()
