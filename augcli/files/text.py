"""Decoding of text files that a person wrote, which may come from any editor."""

from __future__ import annotations

import codecs

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
