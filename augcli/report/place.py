"""Where pages and pictures are written: never over a file that augcli did not make."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from augcli.data.run_record import output_above
from augcli.errors import OutputError
from augcli.files import open_file, publish_file

if TYPE_CHECKING:
    from collections.abc import Callable

START = 512
"""Bytes at the beginning of a file that say whether augcli made it."""


def check_place(path: str, noun: str, is_ours: Callable[[bytes], bool]) -> None:
    """Refuse a path where a file must not be written.

    Args:
        path: Absolute.
        noun: What is written, such as ``report``.
        is_ours: Whether a file that begins with such bytes is one of augcli.

    Raises:
        OutputError: Something else lies there, or it lies in an output folder.
    """
    inside = output_above(os.path.realpath(path))
    if inside:
        raise OutputError(
            f"{noun} {path} lies in {inside}, an output of augcli; give a file outside with `out`"
        )
    if os.path.lexists(path) and not _begins(path, is_ours):
        raise OutputError(
            f"{path} exists and is no {noun} of augcli; give another file with `out`, or remove it"
        )


def write_file_for_people(path: str, noun: str, data: bytes) -> None:
    """Write a page or a picture.

    Raises:
        OutputError: It can't be written.
    """
    try:
        publish_file(path, data)
    except OSError as error:
        raise OutputError(
            f"{noun} {path} can't be written ({error.strerror}); give another file with `out`"
        ) from None


def _begins(path: str, is_ours: Callable[[bytes], bool]) -> bool:
    try:
        with open_file(path) as file:
            return is_ours(file.read(START))
    except OSError:
        return False
