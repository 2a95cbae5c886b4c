"""The values of options: from the command line, the environment or a file, in this order."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from augcli.cli.config import config_wants_json, read_config
from augcli.errors import AugcliError, Interrupted, ParameterError, flag, with_flags
from augcli.params import SWITCH, Declared, build

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

OptionsByClass = dict[type, tuple[Declared, ...]]
"""The options of a command, by the class that declares them."""

Parameterised = TypeVar("Parameterised")


class CommandError(AugcliError):
    """An error whose sentence names options as they were written.

    Args:
        text: The sentence.
        exit_code: Of the process.
    """

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Given:
    """The values of a command's options, and where they were written.

    Attributes:
        values: By the class that declares them, then by name.
        written: What messages call an option that did not come as a flag, by name, such as
            ``AUGCLI_TOP_N (environment)``.
    """

    values: dict[type, dict[str, Any]]
    written: dict[str, str]

    def build(self, owner: type[Parameterised]) -> Parameterised:
        """Return the options that a class declares, checked."""
        return build(owner, self.values[owner])

    def after(self, owner: type, table: Mapping[str, Any], place: str) -> Given:
        """Return the same, with values of a table for the options of a class that are not set.

        Args:
            owner: The class.
            table: Values by name.
            place: Where the table is, for messages.
        """
        chosen = self.values[owner]
        places = {name: f"{name} in {place}" for name in table if name not in chosen}
        return replace(
            self,
            values={**self.values, owner: {**table, **chosen}},
            written={**places, **self.written},
        )

    def spell(self, message: str) -> str:
        """Return a message with its options as they were written."""
        return with_flags(message, self.written)

    @contextlib.contextmanager
    def spelling(self) -> Iterator[None]:
        """Name options in errors as they were written.

        Raises:
            CommandError: In the place of any error for a person.
        """
        try:
            yield
        except Interrupted:
            raise
        except AugcliError as error:
            raise CommandError(text_of(error, self.written), error.exit_code) from error


def text_of(error: AugcliError, written: Mapping[str, str] | None = None) -> str:
    """Return the sentence of an error.

    Args:
        error: Names options in backticks, by their names in Python.
        written: See :class:`Given`; all other options are flags.

    Example:
        >>> error = ParameterError("top_n", "is 0, but must be at least 1")
        >>> text_of(error)
        '--top-n is 0, but must be at least 1'
        >>> text_of(error, {"top_n": "AUGCLI_TOP_N (environment)"})
        'AUGCLI_TOP_N (environment): is 0, but must be at least 1'
    """
    if not isinstance(error, ParameterError):
        return with_flags(str(error), written)
    place = (written or {}).get(error.name)
    return f"{f'{place}:' if place else flag(error.name)} {with_flags(error.message, written)}"


def given_options(
    command: str,
    options: OptionsByClass,
    arguments: Mapping[str, Any],
    commands: Callable[[], Mapping[str, Collection[str]]],
) -> Given:
    """Return the values of a command's options.

    Args:
        command: Name of the command, for its table in the file.
        options: Its options.
        arguments: Values as Typer gives them; None for an option that is not set.
        commands: Gives the names of the options of every command that a file may set.

    Raises:
        CommandError: A value or the file is wrong.
    """
    given: dict[str, Any] = {}
    written: dict[str, str] = {}
    fields = [field for declared in options.values() for field in declared]
    for field in fields:
        value = arguments[field.name]
        variable = f"AUGCLI_{field.name.upper()}"
        if value is None:
            value = os.environ.get(variable) or None
            if value is not None:
                written[field.name] = f"{variable} (environment)"
        if value is not None:
            with Given({}, written).spelling():
                given[field.name] = value if isinstance(value, bool) else field.value_of_text(value)
    if "config" in given:
        with Given({}, written).spelling():
            for name, key in read_config(given["config"], command, commands()).items():
                if name not in given:
                    given[name] = key.value
                    written[name] = key.place
    return Given(
        {
            owner: {field.name: given[field.name] for field in declared if field.name in given}
            for owner, declared in options.items()
        },
        written,
    )


def json_wanted(arguments: Sequence[str]) -> bool:
    """Return whether errors are also written as JSON, whatever ends a command and however early.

    Args:
        arguments: Of the command line; they need not be right.
    """
    if "--json" in arguments:
        return True
    word = os.environ.get("AUGCLI_JSON", "").strip().lower()
    if word:
        return SWITCH.get(word, False)
    return any(config_wants_json(path, arguments[:1]) for path in _config_paths(arguments))


def _config_paths(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the configuration file that a command line or the environment names."""
    for word, following in zip(arguments, [*arguments[1:], ""], strict=False):
        name, is_set, value = word.partition("=")
        if name == "--config":
            yield value if is_set else following
            return
    if path := os.environ.get("AUGCLI_CONFIG"):
        yield path
