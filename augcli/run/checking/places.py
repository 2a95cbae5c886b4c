"""Places: outputs never lie among sources, and sources never among outputs.

A later run would take the outputs for sources. An OUT inside INPUT is allowed: it is known by its
run.json, and never read.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from augcli.data.run_record import output_above
from augcli.errors import InputError, OutputError, ParameterError
from augcli.files import is_url, place_of, real_place, shown

if TYPE_CHECKING:
    from pathlib import Path

    from augcli.files import Place


def path_of(folder: object, what: str = "INPUT") -> Place:
    """Return INPUT, or something else, as a path or a URL, as it is given.

    Raises:
        ParameterError: It is no path.
        InputError: It is a URL that augcli does not take.
    """
    if not isinstance(folder, str | os.PathLike) or not str(folder):
        raise ParameterError("folder", f"is {folder!r}, but must be the path of a folder of images")
    path = os.fspath(folder)
    if not isinstance(path, str) or "\0" in path:
        raise ParameterError("folder", f"is {path!r}, but must be text without NUL characters")
    try:
        return place_of(path)
    except ValueError as error:
        raise InputError(f"{what} {shown(path)} {error}") from None


def check_places(place: str, folder: Place, out: Place, *, has_labels: bool) -> None:
    """Refuse places where outputs would lie among sources, or sources among outputs.

    Args:
        place: INPUT, absolute.
        folder: INPUT, as it was given.
        out: OUT, as it was given.
        has_labels: Whether a table gives the labels.

    Raises:
        UsageError: INPUT or OUT lies in such a place.
    """
    path = real_place(out)
    if path == place:
        raise OutputError(f"OUT {out} is INPUT itself; give another folder with `out`")
    if holds(path, place):
        raise OutputError(
            f"OUT {out} holds INPUT, whose images the outputs would join; give another folder "
            "with `out`"
        )
    above = output_above(path)
    if above:
        raise OutputError(
            f"OUT {out} lies in {above}, an output of augcli, whose images the outputs would "
            "join; give another folder with `out`"
        )
    above = output_above(place)
    if above and not has_labels:
        raise InputError(
            f"INPUT {folder} lies in {above}, which augcli made: only the table there has the "
            f"labels; give {above}, or `labels` table.csv"
        )


def check_overlay(place: str, overlay: Path) -> None:
    """Refuse a folder for overlays that lies in INPUT or in an output of augcli, or holds them.

    Args:
        place: INPUT, absolute.
        overlay: The folder, as it was given.

    Raises:
        OutputError: It lies in such a place.
    """
    path = os.path.realpath(overlay)
    there = path
    while not os.path.lexists(there):
        there = os.path.dirname(there)
    if holds(place, there):
        raise OutputError(
            f"`overlay` {overlay} lies in INPUT, whose images it would join; give a folder outside"
        )
    if holds(path, place):
        raise OutputError(
            f"`overlay` {overlay} holds INPUT, whose images the overlays would join; give another "
            "folder"
        )
    above = output_above(os.path.join(path, "overlay.jpg"))
    if above:
        raise OutputError(
            f"`overlay` {overlay} lies in {above}, an output of augcli, whose images it would "
            "join; give a folder outside"
        )


def holds(folder: str, place: str) -> bool:
    """Return whether a folder is another one or holds it, by whatever path it is named.

    Args:
        folder: Absolute; need not be there.
        place: Absolute, and there.
    """
    if is_url(folder) or is_url(place):
        return place == folder or place.startswith(f"{folder}/")
    try:
        own = os.stat(folder)
    except OSError:
        return False
    above = ""
    while above != place:
        if os.path.samestat(own, os.stat(place)):
            return True
        above, place = place, os.path.dirname(place)
    return False
