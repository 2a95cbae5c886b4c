"""Text files that a person wrote: encodings of any editor, and TOML of any content."""

from __future__ import annotations

import codecs
import re
from typing import Any

TOML_LIMIT = 1 << 20
"""Bytes of the largest TOML file that is read."""
MOST_PARTS = 20
"""Parts of a key, such as the two of ``a.b``; tomllib needs memory for the square of them."""
LARGEST_NUMBER = 1 << 1023
"""Of whole numbers: a float holds all below it."""
_TEXT = r"\"(?:[^\"\\\n]|\\.)*+\"|'[^'\n]*+'"
_PART = rf"(?:[\w-]++|{_TEXT})"
_TOKEN = (
    r"#[^\n]*+|\"\"\"(?:[^\\]|\\.)*?\"\"\"|\'\'\'.*?\'\'\'"
    rf"|(?P<long>{_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MOST_PARTS}}})"
    rf"|{_PART}(?:[ \t]*+\.[ \t]*+{_PART})*+"
)
"""A comment, a text of several lines, or a key: what stands in texts is no key."""
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
"""Byte order marks; those of UTF-32 are first, because UTF-16's begins one of them."""


def decode_text(data: bytes) -> str:
    r"""Return the text of a file in UTF-8, without the byte order mark that it may begin with.

    Raises:
        ValueError: It is in another encoding; the message is a clause whose subject is the file.

    Example:
        >>> decode_text(b"\xef\xbb\xbfseed = 1")
        'seed = 1'
        >>> decode_text("seed = 1".encode("utf-16"))
        Traceback (most recent call last):
            ...
        ValueError: is UTF-16 text; save it as UTF-8
    """
    encoding = _wide_encoding(data)
    if encoding:
        raise ValueError(f"is {encoding} text; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # ``error.object`` has no byte order mark any more.
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"is not UTF-8 text (byte 0x{error.object[error.start]:02x} in line {line}); save it "
            "as UTF-8"
        ) from None


def parse_toml(text: str) -> dict[str, Any]:
    """Return what TOML holds.

    Raises:
        ValueError: It is not TOML, or has a key, a number or a nesting that no file for augcli
            needs; the message is a clause whose subject is the file.

    Example:
        >>> parse_toml("seed = 1")
        {'seed': 1}
        >>> parse_toml("a." * 100_000 + "b = 1")
        Traceback (most recent call last):
            ...
        ValueError: is not TOML: line 1 has a key of more than 20 parts
    """
    import tomllib  # noqa: PLC0415 - workers and most commands read no TOML

    tokens = re.finditer(_TOKEN, text, re.DOTALL)
    start = next((token.start() for token in tokens if token["long"]), None)
    if start is not None:
        line = text.count("\n", 0, start) + 1
        raise ValueError(f"is not TOML: line {line} has a key of more than {MOST_PARTS} parts")
    try:
        content = tomllib.loads(text)
    except RecursionError:
        raise ValueError("is not TOML: it is nested too deeply") from None
    except ValueError as error:
        # A number of 5,000 digits is no error of TOML, but one of Python.
        raise ValueError(f"is not TOML: {error}") from None
    values: list[Any] = [content]
    for value in values:  # grows while it is walked through
        if isinstance(value, dict):
            values += value.values()
        elif isinstance(value, list):
            values += value
        elif isinstance(value, int) and abs(value) >= LARGEST_NUMBER:
            raise ValueError("is not TOML: it has a number of hundreds of digits")
    return content


def _wide_encoding(data: bytes) -> str:
    """Return the name of an encoding with two or four bytes for each letter, or nothing."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return encoding
    # Without a mark: tables and TOML begin with ASCII, which leaves the other bytes 0.
    zeros = [byte == 0 for byte in data[:4]]
    if zeros in ([False, True, True, True], [True, True, True, False]):
        return "UTF-32"
    return "UTF-16" if zeros in ([False, True, False, True], [True, False, True, False]) else ""
