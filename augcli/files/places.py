"""Places: what lies at a path or a URL."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from augcli.files.reading import modified_at
from augcli.files.remote import objects
from augcli.files.remote.url import is_bucket, is_url, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.files.reading import Path

Kind = Literal["folder", "file", ""]


def kind_of(place: Path) -> Kind:
    """Return what lies at a place; nothing where nothing is there.

    In a bucket, a folder is there where an object is below it.

    Raises:
        OSError: The service of a URL doesn't say.
    """
    if not is_url(place):
        if os.path.isdir(place):
            return "folder"
        return "file" if os.path.lexists(place) else ""
    url = os.fspath(place)
    if objects.entry(url):
        return "file"
    return "folder" if is_bucket(url) and objects.holds_objects(url) else ""


def is_file(place: Path) -> bool:
    """Return whether a file or an object lies at a place.

    Raises:
        OSError: The service of a URL doesn't say.
    """
    if is_url(place):
        return objects.entry(os.fspath(place)) is not None
    return os.path.isfile(place)


def size_and_change(place: Path) -> tuple[int, int]:
    """Return the bytes of a file, and the time of its last change or the version of an object.

    Raises:
        OSError: It is not there.
    """
    if is_url(place):
        return objects.ObjectPieces(os.fspath(place)).status()
    status = os.stat(place)
    return status.st_size, modified_at(status)


def folders_above(place: str) -> Iterator[str]:
    """Yield the folders that a place lies in, the nearest first; of a URL, those of its bucket.

    Args:
        place: As :func:`real_place` gives it.

    Example:
        >>> list(folders_above("s3://photos/cats/a.jpg")), list(folders_above("/photos"))
        (['s3://photos/cats', 's3://photos'], ['/'])
    """
    if is_url(place):
        while is_bucket(place) and "/" in place.partition("://")[2]:
            place = place.rpartition("/")[0]
            yield place
        return
    above = os.path.dirname(place)
    while above != place:
        yield above
        place, above = above, os.path.dirname(above)


def real_place(place: Path) -> str:
    """Return a place by the one name that records have for it: a real path, or a plain URL."""
    return shown(place) if is_url(place) else os.path.realpath(place)


def whole_place(place: Path) -> str:
    """Return a place by a name that is right from everywhere: an absolute path, or the URL."""
    return os.fspath(place) if is_url(place) else os.path.abspath(place)
