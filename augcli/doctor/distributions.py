"""Installed packages that put their files into one folder, and whose files are there now.

opencv-python and opencv-python-headless share the folder ``cv2``, onnxruntime and
onnxruntime-gpu the folder ``onnxruntime``. pip installs both without a warning: the files of
the last one replace the others, and removing either breaks the other.
"""

from __future__ import annotations

import os
import re
from importlib.metadata import PackageNotFoundError, distributions, requires, version
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import Distribution, PackagePath


class Package(NamedTuple):
    """A package as pip installed it.

    Attributes:
        name: Its name for pip.
        version: Its version.
        changed: How many of its files are missing or have another size than pip recorded.
    """

    name: str
    version: str
    changed: int


def packages_in(
    folder: str, name_pattern: str, installed: Iterable[Distribution] | None = None
) -> list[Package]:
    """Return the packages that have files in a folder, sorted by name.

    Args:
        folder: Name of a folder in site-packages, such as ``cv2``.
        name_pattern: Pattern for the beginning of their names; other packages are not searched.
        installed: The packages to search; all that Python finds when None.
    """
    packages: dict[str, Package] = {}
    for distribution in distributions() if installed is None else installed:
        name = _name(distribution)
        if name in packages or not re.match(name_pattern, name):
            continue
        files = _files_in(folder, distribution)
        if files:
            changed = _changed(distribution, files)
            packages[name] = Package(name, distribution.version, changed)
    return [packages[name] for name in sorted(packages)]


def _name(distribution: Distribution) -> str:
    try:
        return re.sub(r"[-_.]+", "-", str(distribution.metadata["Name"])).lower()
    except Exception:  # remains of a removed package; the error depends on the Python release
        return ""


def _files_in(folder: str, distribution: Distribution) -> list[PackagePath]:
    try:
        return [file for file in distribution.files or [] if file.parts[0] == folder]
    except Exception:  # importlib.metadata may raise any error for a damaged record
        return []


def _changed(distribution: Distribution, files: list[PackagePath]) -> int:
    if (distribution.read_text("INSTALLER") or "").strip() == "conda":
        return 0  # conda changes files after the record was written
    recorded = (file for file in files if file.size is not None)
    return sum(_size(str(distribution.locate_file(file))) != file.size for file in recorded)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return -1


def installed_version(name: str) -> str:
    """Return the version of a package, empty where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def lower_bounds(package: str = "augcli") -> dict[str, str]:
    """Return the lowest versions of other packages that a package requires, by name.

    Example:
        >>> sorted(lower_bounds())[:2]
        ['numpy', 'onnxruntime']
    """
    try:
        requirements = requires(package) or []
    except PackageNotFoundError:
        return {}
    matches = (re.match(r"([\w.-]+) *>=([\w.]+)$", text) for text in requirements)
    return {match[1].lower(): match[2] for match in matches if match}


def is_older(version: str, other: str) -> bool:
    """Return whether a version is older than another one.

    Example:
        >>> is_older("4.9.0.80", "4.11"), is_older("2.4.0rc1", "2.4"), is_older("5", "4.11")
        (True, False, False)
    """
    return _numbers(version) < _numbers(other)


def _numbers(text: str) -> list[int]:
    release = re.match(r"\d+(\.\d+)*", text)
    return [int(number) for number in release[0].split(".")] if release else []
