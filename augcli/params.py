"""Parameters: each one is declared once, with its type, default, help and bounds.

A class with parameters is a frozen, keyword-only dataclass whose fields are
``Annotated[type, Param(...)] = default``. The options of the command line, the keys of
recipes and configuration files, and the tables in the docs are made from these fields.
:func:`check` validates all of them, so a wrong value gives the same message everywhere.

Field types: ``int``, ``float``, ``bool``, ``str``, ``Path``, ``Place`` (a path or a URL),
``Literal`` of strings, each also ``| None``; any type with ``Param(parse=...)``.

Over 300 lines, because everything that reads a declaration checks values and names with it.

Example:
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Blur:
    ...     radius: Annotated[int, Param("Radius of the blur.", minimum=1, unit="px")] = 3
    ...     def __post_init__(self) -> None:
    ...         check(self)
    >>> [(field.name, field.default) for field in declared(Blur)]
    [('radius', 3)]
    >>> Blur(radius=0)
    Traceback (most recent call last):
        ...
    augcli.errors.ParameterError: radius is 0, but must be at least 1 px
"""

from __future__ import annotations

import dataclasses
import functools
import math
import sys
import types
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from augcli.errors import ParameterError, UsageError, flag, near_miss
from augcli.files import Place, Url, is_url, place_of, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Mapping
    from typing import Self

__all__ = [
    "Annotated",
    "ByName",
    "Declared",
    "Group",
    "Param",
    "build",
    "check",
    "declared",
    "public_name",
    "refuse_unknown",
    "values",
]

Parameterised = TypeVar("Parameterised")

Group = Literal["method", "input", "output", "amount", "run"]
"""What a parameter is about; ``--help`` and the docs list parameters in these groups."""

LARGEST_NUMBER = 1 << 1023
"""Of whole numbers: a float holds all below it."""
SWITCH = {
    **dict.fromkeys(("1", "true", "yes", "on", "t", "y"), True),
    **dict.fromkeys(("0", "false", "no", "off", "f", "n"), False),
}
"""What the words mean that turn a switch on or off, in lower case."""


@dataclass(frozen=True, slots=True)
class Param:
    """What a parameter means and which values it may have.

    Attributes:
        help: One or two sentences for ``--help`` and the docs. Other options stand in
            backticks by their Python names; :func:`augcli.errors.with_flags` spells them.
        minimum: The smallest value allowed, inclusive.
        maximum: The largest value allowed, inclusive.
        unit: Unit of the value, such as ``px``.
        parse: Turns text, or a value of the field's type, into the field's value, and reads
            back ``str`` of that value. Raises ``ValueError`` with a clause such as
            ``"is 'x', but must be …"``.
        metavar: What ``--help`` shows for the value of a parameter with ``parse``.
        short: A one-letter flag, such as ``-o``.
        group: What the parameter is about.
    """

    help: str
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    parse: Callable[[Any], Any] | None = None
    metavar: str = "TEXT"
    short: str = ""
    group: Group = "method"

    @property
    def bounds(self) -> str:
        """The bounds in words, such as ``1 to 100`` or ``at least 1 px``, or nothing."""
        unit = f" {self.unit}" if self.unit else ""
        if self.minimum is not None and self.maximum is not None:
            return f"{self.minimum} to {self.maximum}{unit}"
        if self.minimum is not None:
            return f"at least {self.minimum}{unit}"
        if self.maximum is not None:
            return f"at most {self.maximum}{unit}"
        return ""


@dataclass(frozen=True, slots=True)
class Declared:
    """One parameter of a class: its name, type, default and :class:`Param`.

    Attributes:
        name: The field's name, such as ``top_n``.
        kind: The field's type without ``None``, such as ``int`` or ``Literal["any", "same"]``.
        optional: Whether ``None`` is allowed.
        default: The default value.
        param: The declaration.
    """

    name: str
    kind: Any
    optional: bool
    default: Any
    param: Param

    @property
    def flag(self) -> str:
        """The option as the command line writes it, such as ``--top-n``."""
        return flag(self.name)

    @property
    def choices(self) -> tuple[str, ...]:
        """The words that a ``Literal`` allows; empty for other types."""
        return typing.get_args(self.kind) if typing.get_origin(self.kind) is Literal else ()

    def value(self, given: Any) -> Any:
        """Return a given value, checked and turned into the parameter's type.

        Raises:
            ParameterError: It is of a wrong type or out of bounds.
        """
        if given is None and self.optional:
            return None
        if isinstance(given, int) and abs(given) >= LARGEST_NUMBER:
            raise ParameterError(self.name, "is a number of hundreds of digits")
        if self.param.parse is not None:
            try:
                return self.param.parse(given)
            except ValueError as error:
                raise ParameterError(self.name, str(error)) from None
        if self.choices:
            return self._choice(given)
        return self._scalar(given)

    def value_of_text(self, text: str) -> Any:
        """Return the value of text from the command line or the environment.

        Raises:
            ParameterError: It is of a wrong type or out of bounds.
        """
        if self.param.parse is not None or self.choices or self.kind in (str, Path, Place):
            return self.value(text)
        if self.kind is bool:
            return self.value(SWITCH.get(text.strip().lower(), text))
        try:
            return self.value(self.kind(text))
        except ValueError:
            return self.value(text)

    def _choice(self, given: Any) -> str:
        if given not in self.choices:
            expected = ", ".join(self.choices)
            hint = near_miss(str(given), self.choices)
            raise ParameterError(self.name, f"is {given!r}, but must be one of {expected}{hint}")
        return str(given)

    def _place(self, given: str | Path | Url) -> Path | Url:
        """Return a path, or a URL where that is allowed."""
        if "\0" in str(given):
            raise ParameterError(self.name, "holds a NUL character, which no path can")
        if self.kind is Path and is_url(given):
            raise ParameterError(self.name, f"is the URL {shown(given)}, but must be a local path")
        try:
            return place_of(given)
        except ValueError as error:
            raise ParameterError(self.name, f"{shown(given)} {error}") from None

    def _scalar(self, given: Any) -> Any:
        if self.kind in (Path, Place) and isinstance(given, str | Path | Url):
            return self._place(given)
        # In Python a bool is an int: True would be accepted as 1.
        fits = isinstance(given, self.kind) and (self.kind is bool or not isinstance(given, bool))
        if self.kind is float and isinstance(given, int) and not isinstance(given, bool):
            given, fits = float(given), True
        is_unbounded = self.param.minimum is None or self.param.maximum is None
        if not fits or (is_unbounded and isinstance(given, float) and not math.isfinite(given)):
            words = {int: "a whole number", float: "a number", bool: "true or false"}
            expected = words.get(self.kind, "text")
            raise ParameterError(self.name, f"is {given!r}, but must be {expected}")
        low, high = self.param.minimum, self.param.maximum
        # Written so that NaN fails as well.
        if not ((low is None or given >= low) and (high is None or given <= high)):
            raise ParameterError(self.name, f"is {given}, but must be {self.param.bounds}")
        return given


class ByName:
    """Base of classes with parameters: a wrong name is an error with a suggestion.

    Example:
        >>> @dataclass(frozen=True, kw_only=True)
        ... class Blur(ByName):
        ...     radius: Annotated[int, Param("Radius of the blur.")] = 3
        >>> Blur(radiu=5)
        Traceback (most recent call last):
            ...
        augcli.errors.ParameterError: radiu is not an option of Blur; did you mean 'radius'?
    """

    def __new__(cls, *arguments: object, **options: object) -> Self:
        """Refuse what is not an option of the class, before the dataclass reads the values.

        Raises:
            ParameterError: A name that the class does not have.
            UsageError: A value without a name.
        """
        names = [field.name for field in declared(cls)]
        if arguments:
            such_as = f"{public_name(cls)}({names[0]}=...)" if names else f"{public_name(cls)}()"
            raise UsageError(
                f"{public_name(cls)} takes its options by name, such as {such_as}, "
                f"not {arguments[0]!r} alone"
            )
        refuse_unknown(options, names, f"is not an option of {public_name(cls)}")
        return super().__new__(cls)


def public_name(owner: type[Any]) -> str:
    """Return the name under which a class is known to users.

    Where its module has another name for it, as ``AttentiveCutMix`` for ``CutMix``, both.
    """
    module = vars(sys.modules[owner.__module__])
    others = [name for name, value in module.items() if value is owner and name != owner.__name__]
    return f"{others[0]} ({owner.__name__})" if others else owner.__name__


def refuse_unknown(names: Collection[str], known: Collection[str], problem: str) -> None:
    """Raise ParameterError for the first name that is not known, with the nearest known one.

    Args:
        names: What was given.
        known: What may be given.
        problem: What is wrong with a name, such as ``is not known``.
    """
    for name in names:
        if name not in known:
            raise ParameterError(name, f"{problem}{near_miss(name, known)}")


def declared(owner: type[Any]) -> tuple[Declared, ...]:
    """Return the declared parameters of a class, in order."""
    return _declared(owner)  # type: ignore[arg-type]  # a class is hashable


@functools.cache
def _declared(owner: Hashable) -> tuple[Declared, ...]:
    assert isinstance(owner, type)
    hints = typing.get_type_hints(owner, include_extras=True)
    parameters = []
    for field in dataclasses.fields(owner):
        hint = hints[field.name]
        if typing.get_origin(hint) is not Annotated:
            continue
        kind, param = typing.get_args(hint)
        optional = False
        if typing.get_origin(kind) in (types.UnionType, typing.Union):
            members = [member for member in typing.get_args(kind) if member is not types.NoneType]
            optional = len(members) < len(typing.get_args(kind))
            kind = members[0] if len(members) == 1 else Place if Url in members else str
        parameters.append(Declared(field.name, kind, optional, field.default, param))
    return tuple(parameters)


def check(instance: object) -> None:
    """Check every parameter of a dataclass instance; called in its ``__post_init__``.

    Values are replaced by what :meth:`Declared.value` makes of them.

    Raises:
        ParameterError: The first parameter with a wrong value.
    """
    for field in declared(type(instance)):
        given = getattr(instance, field.name)
        value = field.value(given)
        if value is not given:
            object.__setattr__(instance, field.name, value)


def build(owner: type[Parameterised], mapping: Mapping[str, Any], where: str = "") -> Parameterised:
    """Return an instance made from names and values, such as a table of a TOML file.

    Args:
        owner: A class with declared parameters.
        mapping: Values by field name.
        where: What the mapping is, for the message about an unknown name.

    Raises:
        ParameterError: An unknown name (the message has the nearest known one) or a wrong
            value.
    """
    known = [field.name for field in declared(owner)]
    refuse_unknown(mapping, known, f"is not known in {where}" if where else "is not known")
    return owner(**mapping)


def values(instance: object) -> dict[str, Any]:
    """Return the parameters of an instance by name, as JSON can hold them.

    Numbers, truth values, text and None are as they are, all else is text. :func:`build` makes
    an equal instance from the result.
    """
    named = {field.name: getattr(instance, field.name) for field in declared(type(instance))}
    plain = (bool, int, float, str, type(None))
    return {
        name: value if isinstance(value, plain) else str(value) for name, value in named.items()
    }
