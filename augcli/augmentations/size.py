"""The ``size`` option: width and height, such as ``640x480``, or ``224`` for both."""

from __future__ import annotations

import re
from typing import Any

from augcli.params import Param
from augcli.pixels.frame import Frame

_SIZE = re.compile(r"(\d{1,5})(?:x(\d{1,5}))?", re.IGNORECASE)


def parse_size(value: Any) -> str:
    """Return a size such as ``640x480`` (width x height), checked.

    Args:
        value: Width and height, as text or as a pair; or one number for both.

    Raises:
        ValueError: It is not one or two whole numbers of at least 1, with an x between two.

    Example:
        >>> parse_size("640x480"), parse_size((640, 480)), parse_size(224)
        ('640x480', '640x480', '224x224')
    """
    text = "x".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
    match = _SIZE.fullmatch(text.strip())
    sides = [int(side) for side in match.groups(default=match[1])] if match else [0]
    if min(sides) < 1 or (isinstance(value, tuple | list) and len(value) != 2):
        raise ValueError(
            f"is {text!r}, but must be WIDTHxHEIGHT in pixels, such as 640x480, "
            "or one number for both, such as 224"
        )
    return "{}x{}".format(*sides)


def size_frame(size: str) -> Frame:
    """Return the frame of a parsed size.

    Example:
        >>> size_frame("640x480")
        Frame(height=480, width=640)
    """
    width, height = size.split("x")
    return Frame(int(height), int(width))


SIZE = Param("Width and height of the result in pixels.", parse=parse_size, metavar="WxH|N")
"""The ``size`` option of the steps that change it."""
