"""Which file a name in a table means."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import normalize

from augcli.data.codecs.formats import EXTENSIONS
from augcli.errors import near_miss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ABSOLUTE = re.compile(r"/|\\\\|[A-Za-z]:[\\/]")
"""How an absolute path begins, on Windows too."""
MOST_COMPARED = 100_000
"""Files up to which the nearest name is searched for, which takes a second for that many."""
_SAME_ENDINGS = {".jpeg": ".jpg", ".jpe": ".jpg", ".jfif": ".jpg", ".tiff": ".tif"}
_SEVERAL = -1


class Match(NamedTuple):
    """What a name turned out to mean.

    Attributes:
        file: Index of the file; None where there is none.
        several: Two files that it could mean as well as each other; empty where it means one.
    """

    file: int | None
    several: str = ""


@dataclass(slots=True)
class Matcher:
    """Finds the file that a name means, where it is not written as the file's path is.

    A name fits in steps: as it is written; without ``./``, backslashes, the folder of INPUT and
    the form of accents; in another case; with another form of the ending; without an ending; and
    the end of a path. The first step in which a file fits counts, and there it must be one only.

    Attributes:
        folders: Folder of the files, absolute; several paths that name it.
        paths: Of the files, relative to the folder, with ``/``.
    """

    folders: Sequence[str]
    paths: Sequence[str]
    _steps: dict[str, dict[str, int]] = field(default_factory=dict)
    _roots: list[str] = field(init=False)
    _own_names: set[str] = field(init=False)

    def __post_init__(self) -> None:
        plain = [_plain(folder).replace("\\", "/").rstrip("/") for folder in self.folders]
        self._roots = [f"{folder}/".casefold() for folder in plain]
        tops = {path.partition("/")[0].casefold() for path in self.paths if "/" in path}
        self._own_names = {folder.rpartition("/")[2].casefold() for folder in plain} - tops

    def find(self, name: str) -> Match:
        """Return the file that a name means."""
        for step, wanted in self._forms(name):
            index = self._files(step).get(wanted)
            if index is None:
                continue
            if index != _SEVERAL:
                return Match(index)
            key = _KEYS[step]
            one, other, *_ = (path for path in self.paths if key(path) == wanted)
            return Match(None, f"{one!r} or {other!r}")
        return Match(None)

    def _forms(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield the steps in which a name may fit, and how it is written there."""
        plain = self._below_root(name)
        if not plain or plain.startswith("../"):
            return
        yield "plain", plain
        cased = plain.casefold()
        yield "cased", cased
        stem, ending = posixpath.splitext(cased)
        has_ending = ending in EXTENSIONS
        if has_ending:
            yield "ending", stem + _SAME_ENDINGS.get(ending, ending)
        else:
            yield "stem", cased
        if "/" not in plain:
            yield "name" if has_ending else "name_stem", cased

    def _below_root(self, name: str) -> str:
        r"""Return a name relative to the folder, with ``/`` and in Unicode's form NFC.

        Example:
            >>> Matcher(("/data/photos",), [])._below_root(r".\photos\a.jpg")
            'a.jpg'
        """
        text = _plain(name.strip()).replace("\\", "/")
        plain = posixpath.normpath(text) if text else ""
        if ABSOLUTE.match(text):
            cased = plain.casefold()
            return next((plain[len(root) :] for root in self._roots if cased.startswith(root)), "")
        # A folder of the same name inside of it counts first.
        folder, _, rest = plain.partition("/")
        return rest if rest and folder.casefold() in self._own_names else plain

    def _files(self, step: str) -> dict[str, int]:
        """Return the files by how their paths are written in a step."""
        if step not in self._steps:
            key = _KEYS[step]
            files: dict[str, int] = {}
            for index, path in enumerate(self.paths):
                if files.setdefault(key(path), index) != index:
                    files[key(path)] = _SEVERAL
            self._steps[step] = files
        return self._steps[step]


def _plain(path: str) -> str:
    return path if path.isascii() else normalize("NFC", path)


def _cased(path: str) -> str:
    return _plain(path).casefold()


def _ending(path: str) -> str:
    stem, ending = posixpath.splitext(_cased(path))
    return stem + _SAME_ENDINGS.get(ending, ending)


def _stem(path: str) -> str:
    return posixpath.splitext(_cased(path))[0]


def _name(path: str) -> str:
    return _cased(path).rpartition("/")[2]


def _name_stem(path: str) -> str:
    return _stem(path).rpartition("/")[2]


_KEYS: dict[str, Callable[[str], str]] = {
    "plain": _plain,
    "cased": _cased,
    "ending": _ending,
    "stem": _stem,
    "name": _name,
    "name_stem": _name_stem,
}
"""How the path of a file is written in each step."""


def why_unknown(name: str, root: str, paths: Sequence[str]) -> str:
    """Return why a name means no file, as the rest of a message.

    Example:
        >>> why_unknown("d.xyz", "", ["a.jpg"])
        ': augcli does not read files that end in .xyz; convert them, or remove their rows'
    """
    if ABSOLUTE.match(name):
        return f", which is an absolute path outside of {root}"
    plain = posixpath.normpath(name.strip().replace("\\", "/"))
    if plain.startswith("../") or plain == "..":
        return f", which leads out of {root}"
    if any(part.startswith(".") and part != "." for part in plain.split("/")):
        return ": hidden files are skipped"
    ending = posixpath.splitext(plain)[1]
    if ending and ending.lower() not in EXTENSIONS:
        return (
            f": augcli does not read files that end in {ending}; convert them, or remove their rows"
        )
    known = set(paths)
    parts = plain.split("/")
    meant = next((end for at in range(1, len(parts)) if (end := "/".join(parts[at:])) in known), "")
    if meant:
        before = plain.removesuffix(meant)
        return f", which begins with {before!r}, but must be relative to INPUT; write {meant!r}"
    return near_miss(name, paths) if len(paths) < MOST_COMPARED else ""
