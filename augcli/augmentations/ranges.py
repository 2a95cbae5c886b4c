"""Options that are a range of numbers, such as ``0.1..0.8``, and draws from a range."""

from __future__ import annotations

from decimal import Context, Decimal
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from augcli.params import Param

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.rng import Stream

_EXACT = Context(prec=30)
"""Decimal rounds exponentials and logarithms correctly; those of C libraries differ."""


class Range(NamedTuple):
    """Two numbers, the lower first; as text ``LOW..HIGH``.

    Example:
        >>> print(Range(0.02, 0.33))
        0.02..0.33
    """

    low: float
    high: float

    def __str__(self) -> str:
        # All digits, so that the text reads back as the same numbers.
        return "..".join(repr(float(limit)).removesuffix(".0") for limit in self)

    def uniform(self, stream: Stream) -> float:
        """Return a number drawn uniformly from the range."""
        return self.low + (self.high - self.low) * stream.uniform()

    def log_uniform(self, stream: Stream) -> float:
        """Return a number above 0 whose logarithm is drawn uniformly."""
        start, end = (_EXACT.ln(Decimal(limit)) for limit in self)
        distance = _EXACT.multiply(_EXACT.subtract(end, start), Decimal(stream.uniform()))
        return float(_EXACT.exp(_EXACT.add(start, distance)))

    def integer(self, stream: Stream) -> int:
        """Return a whole number from low to high, both included, each equally likely."""
        low, high = int(self.low), int(self.high)
        return low + stream.integer(high - low + 1)


def range_option(help_text: str, parse: Callable[[Any], Range]) -> Param:
    """Return the declaration of an option that is a range.

    Args:
        help_text: One or two sentences for ``--help`` and the docs.
        parse: One of the parsers below.
    """
    return Param(help_text, parse=parse, metavar="LOW..HIGH")


def parse_range(value: Any, expected: str, lowest: float = 0, highest: float = inf) -> Range:
    """Return a range of finite numbers above 0.

    Args:
        value: ``"LOW..HIGH"``, ``"LOW,HIGH"`` or two numbers.
        expected: What it must be, for the message.
        lowest: The smallest number allowed, inclusive (0 itself never is).
        highest: The largest number allowed, inclusive.

    Raises:
        ValueError: It is something else.

    Example:
        >>> parse_range("0.02..0.33", "must be …"), parse_range("2, 3", "must be …")
        (Range(low=0.02, high=0.33), Range(low=2.0, high=3.0))
    """
    text = value if isinstance(value, str) else repr(value)
    try:
        if isinstance(value, str):
            low, high = map(float, value.split(".." if ".." in value else ","))
        else:
            low, high = map(float, value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"is {text}, but {expected}") from None
    # Written so that NaN fails as well.
    if not (0 < low <= high < inf and lowest <= low and high <= highest):
        raise ValueError(f"is {text}, but {expected}")
    return Range(low, high)


def parse_shares(value: Any) -> Range:
    """Return a range of shares, above 0 and at most 1.

    Raises:
        ValueError: It is something else.

    Example:
        >>> print(parse_shares([0.02, 0.4]))
        0.02..0.4
    """
    expected = "must be two shares, above 0 and up to 1, the lower first, such as 0.02..0.33"
    return parse_range(value, expected, highest=1)


def parse_quotients(value: Any) -> Range:
    """Return a range of quotients of height and width, or of width and height.

    Raises:
        ValueError: It is something else.

    Example:
        >>> print(parse_quotients("0.3,3.3"))
        0.3..3.3
    """
    return parse_range(value, "must be two quotients, the lower first, such as 0.3..3.3")


def parse_sigmas(value: Any) -> Range:
    """Return a range of standard deviations in pixels, 0.01 to 100.

    Raises:
        ValueError: It is something else.

    Example:
        >>> print(parse_sigmas("0.1..2"))
        0.1..2
    """
    expected = "must be two numbers of 0.01 to 100 px, the lower first, such as 0.1..2"
    return parse_range(value, expected, 0.01, 100)


def parse_units(value: Any) -> Range:
    """Return a range of whole pixels, or of shares of the shorter side if it begins below 1.

    Raises:
        ValueError: It is neither.

    Example:
        >>> print(parse_units("96..224"), parse_units("0.43..1"))
        96..224 0.43..1
    """
    expected = (
        "must be whole pixels of at least 2, the lower first, such as 96..224, or shares of the "
        "shorter side such as 0.43..1"
    )
    units = parse_range(value, expected)
    whole = units.low >= 2 and units.low.is_integer() and units.high.is_integer()
    if not (whole or (units.low < 1 and units.high <= 1)):
        raise ValueError(f"is {units}, but {expected}")
    return units
