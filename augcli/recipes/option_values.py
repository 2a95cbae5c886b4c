"""The values of options that are more than a number or a choice: sizes, amounts, addresses."""

from __future__ import annotations

import re
from typing import Any

from augcli.errors import near_miss

TIMEOUT_SECONDS = 120.0
ENDINGS = {"jpeg": "jpg", "jpe": "jpg"}
"""Other names of the formats that are written."""
FORMATS = ("same", "jpg", "png", "webp")


def parse_format(value: Any) -> str:
    """Return a format of the outputs, such as ``jpg``, from its name or file ending.

    Raises:
        ValueError: augcli does not write it.

    Example:
        >>> [parse_format(name) for name in ("png", "JPEG", ".jpg")]
        ['png', 'jpg', 'jpg']
    """
    name = str(value).strip().lower().removeprefix(".")
    name = ENDINGS.get(name, name)
    if name not in FORMATS:
        hint = "; png loses no pixel either" if name in ("tif", "tiff", "bmp") else ""
        hint = hint or near_miss(name, (*FORMATS, *ENDINGS))
        raise ValueError(f"is {value!r}, but must be one of {', '.join(FORMATS)}{hint}")
    return name


def seconds_of(timeout: float | None) -> float:
    """Return the seconds that the option ``timeout`` gives an image; 0 for any time.

    Example:
        >>> seconds_of(None), seconds_of(0)
        (120.0, 0)
    """
    return TIMEOUT_SECONDS if timeout is None else timeout


UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def parse_bytes(value: Any) -> str:
    """Return a number of bytes as text, checked, such as ``256MB``.

    Raises:
        ValueError: It is not of that form, or no byte.

    Example:
        >>> parse_bytes("256 mb"), parse_bytes(1_000_000)
        ('256MB', '1MB')
    """
    count = byte_count(str(value))
    for unit in ("GB", "MB", "KB"):
        if count % UNITS[unit] == 0:
            return f"{count // UNITS[unit]}{unit}"
    return str(count)


def byte_count(text: str) -> int:
    """Return the bytes that a text such as ``256MB`` or ``1GiB`` says.

    Raises:
        ValueError: It is not of that form, or no byte.

    Example:
        >>> byte_count("256MB"), byte_count("1 KiB"), byte_count("512")
        (256000000, 1024, 512)
    """
    match = re.fullmatch(r"\s*(\d{1,15})\s*([A-Za-z]*)\s*", text, re.ASCII)
    unit = {**UNITS, "": 1, "B": 1}.get(match[2].upper()) if match else None
    if not match or unit is None or int(match[1]) < 1:
        raise ValueError(f"is {text!r}, but must be a size such as 256MB or 1GB")
    return int(match[1]) * unit


def parse_address(value: Any) -> str:
    """Return the address of a cluster, checked: ``local``, or a host and its port.

    Raises:
        ValueError: It is neither.

    Example:
        >>> parse_address("node1:6379"), parse_address("local")
        ('node1:6379', 'local')
    """
    text = str(value).strip()
    if text != "local" and not re.fullmatch(r"[^\s/:]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}", text):
        raise ValueError(f"is {text!r}, but must be local or a host and its port, as node1:6379")
    return text


def parse_per_class(value: Any) -> int | str:
    """Return a number of images, ``max`` or ``median``.

    Raises:
        ValueError: It is none of these.

    Example:
        >>> parse_per_class("500"), parse_per_class("max")
        (500, 'max')
    """
    if value in ("max", "median"):
        return str(value)
    number = str(value)
    if isinstance(value, bool) or not number.isascii() or not number.isdigit() or int(number) < 1:
        raise ValueError(f"is {value!r}, but must be a number from 1, max or median")
    return int(number)


def parse_copies_of(value: Any) -> str:
    """Return copies by class as text, checked.

    Raises:
        ValueError: It is not of the form ``cat=3,dog=0``.

    Example:
        >>> parse_copies_of({"cat": 3, "dog": 0})
        'cat=3,dog=0'
    """
    text = (
        ",".join(f"{name}={count}" for name, count in value.items())
        if isinstance(value, dict)
        else str(value)
    )
    copies_by_class(text)
    return text


def copies_by_class(text: str) -> dict[str, int]:
    """Return the copies by class that a text such as ``cat=3,dog=0`` holds.

    Raises:
        ValueError: It is not of that form.
    """
    copies = {}
    for part in text.split(","):
        name, is_set, count = part.strip().rpartition("=")
        if not (is_set and name and count.isascii() and count.isdigit()):
            raise ValueError(f"is {text!r}, but must be such as cat=3,dog=0")
        copies[name] = int(count)
    return copies


def class_names(text: str | None) -> frozenset[str]:
    """Return the names that a text holds, separated by commas; none where there is no text."""
    return frozenset(name.strip() for name in (text or "").split(",")) - {""}
