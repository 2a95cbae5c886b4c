"""Installed distributions that put their files into one folder, and whose files lie there now.

opencv-python and opencv-python-headless share the folder ``cv2``, onnxruntime and
onnxruntime-gpu the folder ``onnxruntime``. pip installs both without a word: the last one
wins, and removing either breaks the other.
"""

from __future__ import annotations

import os
import re
from importlib.metadata import PackageNotFoundError, distributions, requires, version
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import Distribution, PackagePath


class Sharer(NamedTuple):
    """A distribution that fills a folder which others may fill too.

    Attributes:
        name: As it is installed with pip.
        version: Its version.
        changed: How many of its recorded files are missing or of another size.
    """

    name: str
    version: str
    changed: int


def sharers(folder: str, begins: str, found: Iterable[Distribution] | None = None) -> list[Sharer]:
    """Return the distributions that fill a folder, by name.

    Args:
        folder: Name of the folder beside all other packages, such as ``cv2``.
        begins: Pattern for the beginning of their names: all others are not looked into.
        found: The distributions to look through; those that Python finds when None.
    """
    sharing: dict[str, Sharer] = {}
    for one in distributions() if found is None else found:
        name = _name(one)
        if name in sharing or not re.match(begins, name):
            continue
        files = _files_in(folder, one)
        if files:
            sharing[name] = Sharer(name, one.version, _changed(one, files))
    return [sharing[name] for name in sorted(sharing)]


def _name(one: Distribution) -> str:
    try:
        return re.sub(r"[-_.]+", "-", str(one.metadata["Name"])).lower()
    except Exception:  # what a removed package left behind; releases of Python differ
        return ""


def _files_in(folder: str, one: Distribution) -> list[PackagePath]:
    try:
        return [file for file in one.files or [] if file.parts[0] == folder]
    except Exception:  # a record that is damaged leads the library to any error
        return []


def _changed(one: Distribution, files: list[PackagePath]) -> int:
    if (one.read_text("INSTALLER") or "").strip() == "conda":
        return 0  # conda changes files after the record was written
    recorded = (file for file in files if file.size is not None)
    return sum(_size(str(one.locate_file(file))) != file.size for file in recorded)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return -1


def installed_version(name: str) -> str:
    """Return the version of a distribution, empty where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def lower_bounds(owner: str = "augcli") -> dict[str, str]:
    """Return the lowest versions that a distribution asks for, by name.

    Example:
        >>> sorted(lower_bounds())[:2]
        ['numpy', 'onnxruntime']
    """
    try:
        wanted = requires(owner) or []
    except PackageNotFoundError:
        return {}
    found = (re.match(r"([\w.-]+) *>=([\w.]+)$", one) for one in wanted)
    return {one[1].lower(): one[2] for one in found if one}


def is_older(found: str, wanted: str) -> bool:
    """Return whether a version is older than another.

    Example:
        >>> is_older("4.9.0.80", "4.11"), is_older("2.4.0rc1", "2.4"), is_older("5", "4.11")
        (True, False, False)
    """
    return _numbers(found) < _numbers(wanted)


def _numbers(text: str) -> list[int]:
    begin = re.match(r"\d+(\.\d+)*", text)
    return [int(one) for one in begin[0].split(".")] if begin else []
