"""Lists of classes: classes.txt of an output folder, and the same from a person."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import normalize

from augcli.files import decode_text

if TYPE_CHECKING:
    from collections.abc import Iterable

_ESCAPED = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}


def class_list(names: Iterable[str]) -> bytes:
    r"""Return the content of classes.txt, where line breaks and backslashes are escaped.

    Example:
        >>> class_list(["cat", "a\nb"])
        b'cat\na\\nb\n'
    """
    text = "".join(f"{_one_line(name)}\n" for name in names)
    return text.encode("utf-8", "backslashreplace")


def read_class_list(data: bytes) -> list[str]:
    """Return the names that :func:`class_list` wrote.

    Raises:
        ValueError: It is not UTF-8.
    """
    return [_whole(line) for line in data.decode("utf-8").split("\n")[:-1]]


def parse_class_list(data: bytes) -> list[str]:
    r"""Return the names of a list that a person wrote, or that is classes.txt.

    Raises:
        ValueError: It is no such list; the message is a clause whose subject is the file.

    Example:
        >>> parse_class_list(b"cat\r\n\r\ndog\r\n")
        ['cat', 'dog']
    """
    text = decode_text(data)
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    names = [normalize("NFC", _whole(line)) for line in lines if line.strip()]
    if not names:
        raise ValueError("names no class; write one in each line")
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"names class {name!r} twice; remove one of the lines")
        seen.add(name)
    return names


def _one_line(name: str) -> str:
    """Return a class name without line breaks, which would make two classes of it."""
    return name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def _whole(line: str) -> str:
    return re.sub(r"\\[\\nr]", lambda match: _ESCAPED[match[0]], line)
