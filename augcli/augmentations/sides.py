"""Sides and ranges as a person writes them: ``16``, ``0.25``, ``96,224``, ``0.02,0.33``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from augcli.pixels.frame import Frame


class Range(NamedTuple):
    """Two numbers, the lower first; written as ``low,high``.

    Example:
        >>> print(Range(0.02, 0.33))
        0.02,0.33
    """

    low: float
    high: float

    def __str__(self) -> str:
        # Exact, so that a default can be typed as help shows it.
        return ",".join(repr(float(one)).removesuffix(".0") for one in self)


def parse_side(found: Any) -> int | float:
    """Return a side: whole pixels, or a share of the shorter side when below 1.

    Raises:
        ValueError: It is neither.

    Example:
        >>> parse_side("16"), parse_side("0.25")
        (16, 0.25)
    """
    expected = "must be whole pixels such as 16, or a share of the shorter side such as 0.25"
    try:
        number = float("nan" if isinstance(found, bool) else found)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"is {found!r}, but {expected}") from None
    if 0 < number < 1:
        return number
    if not (number >= 1 and number.is_integer()):
        raise ValueError(f"is {found}, but {expected}")
    return int(number)


def side_pixels(side: float, frame: Frame) -> int:
    """Return a parsed side in pixels, at least 1.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> side_pixels(16, Frame(100, 200)), side_pixels(0.25, Frame(100, 200))
        (16, 25)
    """
    return side if isinstance(side, int) else max(1, round(side * min(frame)))


def parse_range(found: Any, expected: str) -> Range:
    """Return two finite numbers above 0, the lower first.

    Args:
        found: ``"low,high"``, or two numbers.
        expected: What it should have been, for the message.

    Raises:
        ValueError: It is something else.

    Example:
        >>> parse_range("0.02,0.33", "must be …")
        Range(low=0.02, high=0.33)
    """
    shown = found if isinstance(found, str) else repr(found)
    members = found.split(",") if isinstance(found, str) else found
    try:
        low, high = (float(member) for member in members)
    except (TypeError, ValueError):
        raise ValueError(f"is {shown}, but {expected}") from None
    # Written so that NaN fails as well.
    if not 0 < low <= high < float("inf"):
        raise ValueError(f"is {shown}, but {expected}")
    return Range(low, high)


def parse_shares(found: Any) -> Range:
    """Return a range of shares of an image's area, above 0 and at most 1.

    Raises:
        ValueError: It is something else.

    Example:
        >>> print(parse_shares([0.02, 0.4]))
        0.02,0.4
    """
    expected = "must be two shares, the lower first, such as 0.02,0.33"
    shares = parse_range(found, expected)
    if shares.high > 1:
        raise ValueError(f"is {shares}, but {expected}")
    return shares


def parse_aspects(found: Any) -> Range:
    """Return a range of quotients of height and width.

    Raises:
        ValueError: It is something else.

    Example:
        >>> print(parse_aspects("0.3,3.3"))
        0.3,3.3
    """
    return parse_range(found, "must be two quotients, the lower first, such as 0.3,3.3")


def parse_units(found: Any) -> Range:
    """Return a range of whole pixels, or of shares of the shorter side when it begins below 1.

    Raises:
        ValueError: It is neither.

    Example:
        >>> print(parse_units("96,224"), parse_units("0.43,1"))
        96,224 0.43,1
    """
    expected = (
        "must be whole pixels of at least 2, the lower first, such as 96,224, or shares of the "
        "shorter side such as 0.43,1"
    )
    units = parse_range(found, expected)
    whole = units.low >= 2 and units.low.is_integer() and units.high.is_integer()
    if not (whole or (units.low < 1 and units.high <= 1)):
        raise ValueError(f"is {units}, but {expected}")
    return units
