"""The options that decide how a file becomes 8-bit RGB, where there is a choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from augcli.data.codecs.formats import FULL_WHITE
from augcli.params import Param

if TYPE_CHECKING:
    from augcli.pixels.frame import Colour


def parse_white_level(value: Any) -> int | str:
    """Return a white level, checked.

    Raises:
        ValueError: It is neither a whole number from 1 to 65535 nor ``auto``.

    Example:
        >>> parse_white_level("4095"), parse_white_level("auto")
        (4095, 'auto')
    """
    text = str(value)
    if text.lower() == "auto":
        return "auto"
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= FULL_WHITE:
        raise ValueError(
            f"is {value!r}, but must be a whole number from 1 to {FULL_WHITE}, or auto"
        )
    return int(text)


def given_white_level(white_level: int | str) -> int | None:
    """Return a parsed white level, None where it is to be estimated."""
    return None if isinstance(white_level, str) else white_level


def parse_background(value: Any) -> str:
    """Return a colour such as ``#ffffff`` in lower case, checked.

    Raises:
        ValueError: It is no such colour.

    Example:
        >>> parse_background("#FFFFFF")
        '#ffffff'
    """
    text = str(value).lower()
    background_colour(text)
    return text


def background_colour(background: str | None) -> Colour | None:
    """Return the colour that a parsed background names; None where transparency is dropped."""
    if background is None:
        return None
    from augcli.pixels import parse_colour  # noqa: PLC0415 - it imports OpenCV

    return parse_colour(background)


WHITE_LEVEL: Final = Param(
    "Level of 16-bit images that becomes white (255), such as 4095 for 12-bit data; auto "
    "estimates it from a sample.",
    parse=parse_white_level,
    metavar="1..65535|auto",
    group="input",
)
BACKGROUND: Final = Param(
    "Colour behind transparent pixels; if left out, transparency is dropped and the colours "
    "stored behind it show.",
    parse=parse_background,
    metavar="#RRGGBB",
    group="input",
)
