"""Options that are the side of a square, in pixels or as a share of the image's shorter side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from augcli.pixels.frame import Frame


def parse_side(value: Any) -> int | float:
    """Return a side: whole pixels, or a share of the shorter side if below 1.

    Raises:
        ValueError: It is neither.

    Example:
        >>> parse_side("16"), parse_side("0.25")
        (16, 0.25)
    """
    expected = "must be whole pixels such as 16, or a share of the shorter side such as 0.25"
    try:
        number = float("nan" if isinstance(value, bool) else value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"is {value!r}, but {expected}") from None
    if 0 < number < 1:
        return number
    if not (number >= 1 and number.is_integer()):
        raise ValueError(f"is {value}, but {expected}")
    return int(number)


def side_pixels(side: float, frame: Frame) -> int:
    """Return a parsed side in pixels, at least 1.

    Example:
        >>> from augcli.pixels.frame import Frame
        >>> side_pixels(16, Frame(100, 200)), side_pixels(0.25, Frame(100, 200))
        (16, 25)
    """
    return side if isinstance(side, int) else max(1, round(side * min(frame)))
