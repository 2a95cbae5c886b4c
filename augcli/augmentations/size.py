"""The ``size`` option: width and height, such as ``640x480``."""

from __future__ import annotations

import re
from typing import Any

from augcli.params import Param
from augcli.pixels.frame import Frame

_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})", re.IGNORECASE)


def parse_size(value: Any) -> str:
    """Return a size such as ``640x480`` (width x height), checked.

    Raises:
        ValueError: It is not two whole numbers of at least 1 with an x between them.

    Example:
        >>> parse_size("640x480"), parse_size((640, 480))
        ('640x480', '640x480')
    """
    text = "x".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
    match = _SIZE.fullmatch(text)
    if not match or not all(int(side) for side in match.groups()):
        raise ValueError(f"is {text!r}, but must be WIDTHxHEIGHT in pixels, such as 224x224")
    return text.lower()


def size_frame(size: str) -> Frame:
    """Return the frame of a parsed size.

    Example:
        >>> size_frame("640x480")
        Frame(height=480, width=640)
    """
    width, height = size.split("x")
    return Frame(int(height), int(width))


SIZE = Param("Width and height of the result in pixels.", parse=parse_size, metavar="WxH")
"""The ``size`` option of the steps that change it."""
