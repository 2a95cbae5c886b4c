"""A sheet in a file: PNG or JPEG, which says that augcli made it."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Final

from PIL.PngImagePlugin import PngInfo

from augcli.errors import ParameterError
from augcli.report.place import check_place, write_file_for_people

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

ENDINGS: Final = (".png", ".jpg", ".jpeg")
MARK: Final = "made by augcli"
"""What a sheet says in its first bytes, so that only sheets are replaced."""
QUALITY: Final = 88


def is_picture(path: str | os.PathLike[str]) -> bool:
    """Return whether a path has the ending of a sheet.

    Example:
        >>> is_picture("sheet.png"), is_picture("images-cutmix")
        (True, False)
    """
    return os.path.splitext(os.fspath(path))[1].lower() in ENDINGS


def checked_sheet_place(path: str | os.PathLike[str]) -> str:
    """Return where a sheet is written, absolute.

    Raises:
        ParameterError: The ending is not one of a sheet.
        OutputError: Something else lies there, or it would lie in an output folder.
    """
    if not is_picture(path):
        raise ParameterError("out", f"is {os.fspath(path)!r}, but must end in .png or .jpg")
    place = os.path.abspath(os.fspath(path))
    check_place(place, "sheet", lambda start: MARK.encode() in start)
    return place


def write_sheet(picture: Picture, place: str) -> None:
    """Write a sheet.

    Args:
        picture: Of the sheet.
        place: What :func:`checked_sheet_place` gave.

    Raises:
        OutputError: It can't be written.
    """
    write_file_for_people(place, "sheet", encoded(picture, place))


def encoded(picture: Picture, name: str = "sheet.png") -> bytes:
    """Return a picture as the bytes of a file.

    Args:
        picture: Of a sheet.
        name: Of the file; its ending says the format.
    """
    data = io.BytesIO()
    if name.lower().endswith(".png"):
        info = PngInfo()
        info.add_text("Comment", MARK)
        picture.save(data, "PNG", pnginfo=info, compress_level=4)
    else:
        picture.save(data, "JPEG", quality=QUALITY, subsampling=0, comment=MARK)
    return data.getvalue()
