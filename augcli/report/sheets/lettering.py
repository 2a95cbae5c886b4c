"""Words on pictures: a font that has all of their letters, and texts cut to a width."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from PIL import ImageFont

if TYPE_CHECKING:
    from collections.abc import Callable

    Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

SYSTEM_FONTS: Final = (
    *("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "Arial.ttf"),
    *("NotoSansCJK-Regular.ttc", "PingFang.ttc", "msyh.ttc", "Arial Unicode.ttf"),
)
"""Fonts that many systems have; Pillow's own one has ASCII letters and few more."""
MISSING: Final = "\uffff"
"""A character that no font has: it shows what a font draws in the place of others."""


@functools.lru_cache(maxsize=1024)
def font_for(text: str, size: int) -> Font | None:
    """Return the first font that has all letters of a text; None where none has.

    Args:
        text: In printable characters.
        size: Height of the letters, in pixels.

    Example:
        >>> font_for("cat 0.878", 13) is None
        False
    """
    for font in _fonts(size):
        missing = _drawn(font, MISSING)
        if all(char.isspace() or _drawn(font, char) != missing for char in set(text)):
            return font
    return None


def lettered(text: str, size: int) -> tuple[str, Font]:
    r"""Return a text as it can be drawn, with its font: where none has its letters, in ASCII.

    Example:
        >>> lettered("cat", 13)[0], lettered("\U0001f9ff", 13)[0][:2]
        ('cat', '\\U')
    """
    font = font_for(text, size)
    if font is None:
        text = text.replace("…", "...").encode("ascii", "backslashreplace").decode()
        font = _fonts(size)[0]
    return text, font


def cut(text: str, width: float, length: Callable[[str], float]) -> str:
    """Return a text that is no wider than a width, with an ellipsis in the place of its middle.

    The end stays, since it tells names of files apart.

    Args:
        text: The text.
        width: In the units of ``length``.
        length: Returns how wide a text is.

    Example:
        >>> cut("a rather long name", 11, len), cut("short", 11, len)
        ('a rath…name', 'short')
    """
    if length(text) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        kept = (low + high + 1) // 2
        low, high = (kept, high) if length(_cut_to(text, kept)) <= width else (low, kept - 1)
    return _cut_to(text, low)


def _cut_to(text: str, kept: int) -> str:
    """Return so many characters of a text, its beginning and end."""
    end = kept * 2 // 5
    return f"{text[: kept - end]}…{text[len(text) - end :]}"


@functools.cache
def _fonts(size: int) -> list[Font]:
    found: list[Font] = [ImageFont.load_default(size)]
    for name in SYSTEM_FONTS:
        try:
            found.append(ImageFont.truetype(name, size))
        except OSError:
            continue
    return found


@functools.cache
def _drawn(font: Font, char: str) -> bytes:
    return bytes(font.getmask(char))
