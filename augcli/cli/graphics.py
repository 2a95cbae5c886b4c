"""Pictures in a terminal: as graphics where it has them, else as coloured half-blocks."""

from __future__ import annotations

import base64
import contextlib
import os
import select
import shutil
import sys
import time
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from augcli.cli.half_blocks import half_blocks
from augcli.errors import UsageError
from augcli.report.sheets.draw import draw, fitting_columns
from augcli.report.sheets.publish import encoded
from augcli.report.sheets.sheet import wrapped
from augcli.report.sheets.sixel import sixels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from augcli.report.sheets.sheet import Sheet

Graphics = Literal["auto", "kitty", "iterm2", "sixel", "blocks"]

ANSWER_SECONDS: Final = 0.3
"""How long a terminal may take to say what it can do."""
CELL: Final = 9
"""Pixels of a column, where a terminal does not say it."""
CHUNK: Final = 4096
"""Characters of a picture that kitty takes at once."""
KITTY: Final = ("kitty", "ghostty")
"""Terminals with kitty's graphics, as TERM or TERM_PROGRAM has them."""
ITERM2: Final = ("iTerm.app", "WezTerm", "mintty")
"""Terminals with iTerm2's, as TERM_PROGRAM or LC_TERMINAL has them."""


class Size(NamedTuple):
    """Of a terminal.

    Attributes:
        columns: Of characters.
        pixels: Width; 0 where it does not say it.
    """

    columns: int
    pixels: int


def in_terminal(sheet: Sheet, graphics: Graphics = "auto") -> str:
    """Return what shows a sheet in the terminal of standard output.

    Args:
        sheet: The sheet.
        graphics: How; ``auto`` for the best that the terminal has.

    Raises:
        UsageError: Standard output is no terminal, and nobody says how.
    """
    check_terminal(graphics)
    if graphics == "auto":
        graphics = graphics_of(os.environ) or ("sixel" if _has_sixels() else "blocks")
    size = _size()
    if graphics == "blocks":
        return half_blocks(sheet, size.columns, many=_has_many_colours(os.environ))
    wide = size.pixels or size.columns * CELL
    picture = draw(wrapped(sheet, fitting_columns(wide)))
    if graphics == "sixel":
        return sixels(picture)
    data = base64.standard_b64encode(encoded(picture)).decode("ascii")
    return kitty(data) if graphics == "kitty" else iterm2(data)


def check_terminal(graphics: Graphics) -> None:
    """Refuse a standard output that can't show pictures.

    Raises:
        UsageError: It is no terminal, and nobody says how to show them.
    """
    if graphics == "auto" and not _is_terminal():
        raise UsageError(
            "standard output is no terminal that could show pictures; give a file with `out` "
            "sheet.png, or `graphics` blocks for coloured text"
        )


def graphics_of(environment: Mapping[str, str]) -> Graphics | None:
    """Return the graphics of a terminal, as far as its variables say it.

    Inside tmux and screen they are those of the terminal around it, which shows no picture then.

    Example:
        >>> graphics_of({"TERM": "xterm-kitty"}), graphics_of({"TERM_PROGRAM": "iTerm.app"})
        ('kitty', 'iterm2')
        >>> graphics_of({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1"}) is None
        True
    """
    term = environment.get("TERM", "")
    if term.startswith(("tmux", "screen")) or "TMUX" in environment:
        return None
    program = environment.get("TERM_PROGRAM", "")
    if any(name in term or name == program for name in KITTY) or "KITTY_WINDOW_ID" in environment:
        return "kitty"
    if program in ITERM2 or environment.get("LC_TERMINAL") == "iTerm2":
        return "iterm2"
    return None


def kitty(data: str) -> str:
    r"""Return what shows a PNG in kitty.

    Args:
        data: The file in Base64.

    Example:
        >>> kitty("aGk=")
        '\x1b_Ga=T,f=100,m=0;aGk=\x1b\\'
    """
    chunks = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)] or [""]
    parts = []
    for number, chunk in enumerate(chunks):
        first = "a=T,f=100," if number == 0 else ""
        parts.append(f"\x1b_G{first}m={int(number + 1 < len(chunks))};{chunk}\x1b\\")
    return "".join(parts)


def iterm2(data: str) -> str:
    r"""Return what shows a picture in iTerm2.

    Args:
        data: The file in Base64.

    Example:
        >>> iterm2("aGk=")
        '\x1b]1337;File=inline=1;preserveAspectRatio=1:aGk=\x07'
    """
    return f"\x1b]1337;File=inline=1;preserveAspectRatio=1:{data}\x07"


def _is_terminal() -> bool:
    with contextlib.suppress(AttributeError, ValueError):
        return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    return False


def _has_many_colours(environment: Mapping[str, str]) -> bool:
    """Return whether a terminal has 24 bits of colour, and not 256 colours only."""
    return environment.get("COLORTERM", "") in ("truecolor", "24bit") or "WT_SESSION" in environment


def _size() -> Size:
    columns = shutil.get_terminal_size().columns
    try:
        import fcntl  # noqa: PLC0415 - Windows has none
        import struct  # noqa: PLC0415
        import termios  # noqa: PLC0415

        answer = fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, bytes(8))
        _, _, pixels, _ = struct.unpack("HHHH", answer)
    except (ImportError, OSError, ValueError, AttributeError):
        return Size(columns, 0)
    return Size(columns, pixels)


def _has_sixels() -> bool:
    """Ask the terminal for its attributes, of which 4 says that it has sixels."""
    try:
        import termios  # noqa: PLC0415 - Windows has none
        import tty  # noqa: PLC0415

        terminal = sys.stdin.fileno()
        before = termios.tcgetattr(terminal)
    except (ImportError, OSError, ValueError, AttributeError):
        return False
    except termios.error:
        return False
    try:
        tty.setcbreak(terminal, termios.TCSANOW)
        sys.stdout.write("\x1b[c")
        sys.stdout.flush()
        answer = _answer(terminal)
    except (OSError, ValueError):
        return False
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)
    attributes = answer.partition(b"\x1b[?")[2].rstrip(b"c").split(b";")
    return b"4" in attributes


def _answer(terminal: int) -> bytes:
    """Return what a terminal answers, up to the letter that ends it."""
    answer = b""
    end = time.monotonic() + ANSWER_SECONDS
    while not answer.endswith(b"c"):
        left = end - time.monotonic()
        if left <= 0 or not select.select([terminal], [], [], left)[0]:
            break
        answer += os.read(terminal, 64)
    return answer
