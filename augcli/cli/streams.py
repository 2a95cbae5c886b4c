"""Standard output and standard error: lines that arrive, or are lost without a traceback.

Names of files, labels and texts of records may come from somebody else. What is for people goes
through :func:`printable`, so that no name moves a cursor, reverses a line or forges another one.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from augcli.files import open_null
from augcli.run.showing.lines import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

_STANDARD_ERROR: Final = 2


def write_stderr(text: str) -> None:
    """Write a line for people; a standard error that can't be written changes nothing."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(printable(text) + "\n")
        sys.stderr.flush()


def show_cursor() -> None:
    """Make the cursor of a terminal visible again, which a progress bar hides."""
    # While a bar moves, this is Rich's, which takes such sequences away.
    stderr = getattr(sys.stderr, "rich_proxied_file", sys.stderr)
    with contextlib.suppress(OSError, ValueError, AttributeError):
        if stderr.isatty() and os.environ.get("TERM") != "dumb":
            stderr.write("\x1b[?25h")
            stderr.flush()


def take_stderr() -> None:
    """Give ``sys.stderr`` a descriptor of its own, and let descriptor 2 lead nowhere.

    Libraries in C write lines on odd images there, past Python and from any thread. Nothing else
    in this process writes to the descriptor itself.
    """
    if os.name == "nt":
        return  # where descriptors and the console are tied in ways of their own
    try:
        if sys.stderr.fileno() != _STANDARD_ERROR:
            return  # somebody has replaced it, as tests do
        sys.stderr.flush()
        own = os.dup(_STANDARD_ERROR)
    except (OSError, ValueError, AttributeError):
        return  # closed
    encoding, errors = sys.stderr.encoding, sys.stderr.errors
    # Without a buffer: what a full disk does not take would make Python exit with 120.
    raw = os.fdopen(own, "wb", buffering=0)
    sys.stderr = io.TextIOWrapper(raw, encoding, errors, write_through=True)
    with open_null() as nowhere:
        os.dup2(nowhere.fileno(), _STANDARD_ERROR)


def write_line(text: str) -> None:
    """Write a line for people to standard output."""
    write_stdout(printable(text))


def write_path(path: str) -> None:
    """Write a path: exactly for a program that reads it, printable for a terminal."""
    write_stdout(printable(path) if _is_terminal() else path)


def write_json(content: Mapping[str, Any]) -> None:
    """Write a JSON object as one line of ASCII: all that is not printable is escaped."""
    # JSON allows this control character in texts, and nowhere else.
    write_stdout(json.dumps(content).replace("\x7f", "\\u007f"))


def write_stdout(text: str) -> None:
    """Write a line of results as it is.

    A reader that closed the pipe is no error. A full disk is reported once and changes
    nothing about the outputs.
    """
    if sys.stdout is None:
        return
    try:
        try:
            sys.stdout.write(text + "\n")
        except UnicodeEncodeError:
            sys.stdout.write(_escaped(text) + "\n")
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            write_stderr(f"augcli: standard output can't be written ({error.strerror})")
        drop_stdout()


def drop_stdout() -> None:
    """Let standard output lead nowhere: Python flushes it once more when it ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_terminal() -> bool:
    try:
        return sys.stdout.isatty()
    except (AttributeError, ValueError):
        return False  # closed


def _escaped(text: str) -> str:
    """Return text in ASCII: a path that is not UTF-8, or an encoding that can't write it."""
    try:
        return os.fsencode(text).decode("ascii", "backslashreplace")
    except UnicodeEncodeError:
        return text.encode("ascii", "backslashreplace").decode()
