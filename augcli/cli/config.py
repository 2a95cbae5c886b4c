"""Configuration files: the same options as the command line, in TOML."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from augcli.errors import UsageError, near_miss
from augcli.files import decode_text, read_given

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path


def read_config(
    path: Path, command: str, known: Collection[str], commands: Mapping[str, Collection[str]]
) -> dict[str, Any]:
    """Return the options that a configuration file gives to a command.

    Keys at the top are for every command that has such an option; a table named like a
    command is for that command and wins. A key may be written ``top_n`` or ``top-n``.

    Args:
        path: The TOML file.
        command: The command that runs.
        known: Names of its options.
        commands: Names of the options of every command.

    Raises:
        UsageError: The file can't be read, is not UTF-8 or not TOML, or has an unknown key.
    """
    try:
        text = decode_text(read_given(path))
    except OSError as error:
        raise UsageError(f"--config {path}: can't be read ({error.strerror})") from None
    except ValueError as error:
        raise UsageError(f"--config {path}: {error}") from None
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"--config {path}: is not TOML: {error}") from None
    everywhere = {name for names in commands.values() for name in names}
    chosen: dict[str, Any] = {}
    for key, value in content.items():
        name = key.replace("-", "_")
        if isinstance(value, dict):
            if key not in commands:
                raise UsageError(
                    f"--config {path}: [{key}] is not a command{near_miss(key, commands)}"
                )
            continue
        if name not in everywhere:
            raise UsageError(f"--config {path}: {key} is not known{near_miss(name, everywhere)}")
        if name in known:
            chosen[name] = value
    for key, value in content.get(command, {}).items():
        name = key.replace("-", "_")
        if name not in known:
            raise UsageError(
                f"--config {path}: [{command}] {key} is not known{near_miss(name, known)}"
            )
        chosen[name] = value
    return chosen
