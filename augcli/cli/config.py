"""Configuration files: the same options as the command line, in TOML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from augcli.cli.suggestions import suggestion
from augcli.errors import UsageError, near_miss
from augcli.files import (
    TOML_LIMIT,
    decode_text,
    parse_toml,
    place_of,
    read_file,
    read_given,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from augcli.files import Place


class Key(NamedTuple):
    """One option in a configuration file.

    Attributes:
        value: As TOML gives it, not yet checked.
        place: What messages call it, such as ``top_n in augcli.toml ([cutmix])``.
    """

    value: Any
    place: str


def read_config(
    path: Place, command: str, commands: Mapping[str, Collection[str]]
) -> dict[str, Key]:
    """Return the options that a configuration file gives to a command, by name.

    Keys at the top are for every command that has such an option; a table named like a
    command is for that command and wins. A key may be written ``top_n`` or ``top-n``.

    Args:
        path: The TOML file, or its URL.
        command: The command that runs.
        commands: Names of the options of every command.

    Raises:
        UsageError: The file can't be read, is not UTF-8 or not TOML, or has an unknown key.
    """
    try:
        content = parse_toml(decode_text(read_given(path, TOML_LIMIT)))
    except OSError as error:
        raise UsageError(f"`config` {path}: can't be read ({error.strerror})") from None
    except ValueError as error:
        raise UsageError(f"`config` {path}: {error}") from None
    known = commands[command]
    everywhere = {name for names in commands.values() for name in names}
    chosen: dict[str, Key] = {}
    for key, value in content.items():
        name = key.replace("-", "_")
        if isinstance(value, dict):
            if key not in commands:
                raise UsageError(
                    f"`config` {path}: [{key}] is not a command{near_miss(key, commands)}"
                )
            continue
        if name not in everywhere:
            raise UsageError(f"`config` {path}: {key} is not known{near_miss(name, everywhere)}")
        if name in known:
            chosen[name] = Key(value, f"{key} in {path}")
    for key, value in content.get(command, {}).items():
        name = key.replace("-", "_")
        if name not in known:
            raise UsageError(
                f"`config` {path}: [{command}] {key} is not known"
                f"{suggestion(name, command, commands)}"
            )
        chosen[name] = Key(value, f"{key} in {path} ([{command}])")
    return chosen


def config_wants_json(path: str, command: Sequence[str]) -> bool:
    """Return whether a configuration file has ``json = true`` for a command.

    A file that can't be read wants nothing. A pipe, which was read before, is not read again.

    Args:
        path: The TOML file.
        command: The name of the command; empty without one.
    """
    try:
        content = parse_toml(decode_text(read_file(place_of(path), TOML_LIMIT).data))
    except (OSError, ValueError, UsageError):
        return False
    tables = [content.get(name) for name in command]
    own = [table["json"] for table in tables if isinstance(table, dict) and "json" in table]
    return [*own, content.get("json")][0] is True
