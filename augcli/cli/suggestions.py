"""What a mistyped option may have meant."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from augcli.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

MOST_NAMED = 3
"""Commands that a suggestion names at most."""


def suggestion(
    word: str,
    command: str,
    commands: Mapping[str, Collection[str]],
    write: Callable[[str], str] = repr,
) -> str:
    """Return the nearest option, or the commands that have this option, or nothing.

    Args:
        word: What was written, where a command has no option that is written so.
        command: The command.
        commands: The options of every command.
        write: Writes an option as it should have been written.

    Example:
        >>> commands = {"cutmix": ["top_n", "grid"], "cutout": ["patch"]}
        >>> suggestion("topn", "cutmix", commands)
        "; did you mean 'top_n'?"
        >>> suggestion("top_n", "cutout", commands)
        '; that is an option of cutmix'
        >>> suggestion("topn", "cutout", commands)
        "; did you mean 'top_n'? That is an option of cutmix"
    """
    owners = _owners(word, commands)
    if owners and word not in commands[command]:
        return f"; that is an option of {owners}"
    # An option of another command may be much nearer. Of two that are as near, the own one.
    everywhere = {option for options in commands.values() for option in options}
    own = nearest(word, commands[command])
    near = nearest(word, [*commands[command], *sorted(everywhere - set(commands[command]))])
    if own and _likeness(word, own) >= _likeness(word, near):
        return f"; did you mean {write(own)}?"
    if near:
        owners = _owners(near, commands)
        return f"; did you mean {write(near)}? That is an option of {owners}"
    return ""


def _likeness(word: str, option: str) -> float:
    """Return how much alike two words are, from 0 to 1."""
    return SequenceMatcher(None, option, word).ratio()


def _owners(option: str, commands: Mapping[str, Collection[str]]) -> str:
    """Return the commands that have an option, such as ``cutmix, mixup and others``."""
    named = [command for command, options in commands.items() if option in options]
    if len(named) > MOST_NAMED:
        named[MOST_NAMED - 1 :] = ["others"]
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
