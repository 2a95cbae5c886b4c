"""Which file a name in a table means."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import normalize

from augcli.data.codecs.formats import EXTENSIONS
from augcli.errors import near_miss

if TYPE_CHECKING:
    from collections.abc import Sequence

ABSOLUTE = re.compile(r"/|\\\\|[A-Za-z]:[\\/]")
"""How an absolute path begins, on Windows too."""
MOST_COMPARED = 100_000
"""Files up to which the nearest name is searched for, which takes a second for that many."""
_SAME_ENDINGS = {".jpeg": ".jpg", ".jpe": ".jpg", ".jfif": ".jpg", ".tiff": ".tif"}
_ENDING = re.compile(r"(?<=[^/])\.[^./]*$")
_SEVERAL = -1
_Step = Callable[[str], str]
"""How a path is written in one of the steps."""


class Match(NamedTuple):
    """What a name turned out to mean.

    Attributes:
        file: Index of the file; None where there is none, or several.
        several: Two files that it could mean as well as each other; empty where it means one.
    """

    file: int | None
    several: str = ""


_NOTHING = Match(None)


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
    _steps: dict[_Step, dict[str, int]] = field(default_factory=dict)
    _roots: list[str] = field(init=False)
    _own_names: set[str] = field(init=False)

    def __post_init__(self) -> None:
        plain = [_plain(folder).replace("\\", "/").rstrip("/") for folder in self.folders]
        self._roots = [f"{folder}/".casefold() for folder in plain]
        tops = {path.partition("/")[0].casefold() for path in self.paths if "/" in path}
        self._own_names = {folder.rpartition("/")[2].casefold() for folder in plain} - tops

    def find(self, name: str) -> Match:
        """Return the file that a name means."""
        plain = self._below_root(name)
        if not plain or plain.startswith("../"):
            return _NOTHING
        index = self._files(_plain).get(plain)
        if index is not None:
            return self._match(index, _plain, plain)
        cased = plain.casefold()
        ending = _ENDING.search(cased)
        if ending and ending[0] in EXTENSIONS:
            steps = (_cased, _ending, _name)
            wanted = (cased, _ending(cased), cased)
        else:
            steps = (_cased, _stem, _name_stem)
            wanted = (cased, cased, cased)
        # A name without a folder may be the end of a path.
        for step, text in zip(steps[: 2 if "/" in plain else 3], wanted, strict=False):
            index = self._files(step).get(text)
            if index is not None:
                return self._match(index, step, text)
        return _NOTHING

    def _match(self, index: int, step: _Step, text: str) -> Match:
        if index != _SEVERAL:
            return Match(index)
        one, other, *_ = (path for path in self.paths if step(path) == text)
        return Match(None, f"{one!r} or {other!r}")

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

    def _files(self, step: _Step) -> dict[str, int]:
        """Return the files by how their paths are written in a step."""
        if step not in self._steps:
            files: dict[str, int] = {}
            for index, path in enumerate(self.paths):
                if files.setdefault(text := step(path), index) != index:
                    files[text] = _SEVERAL
            self._steps[step] = files
        return self._steps[step]


def _plain(path: str) -> str:
    return path if path.isascii() else normalize("NFC", path)


def _cased(path: str) -> str:
    return _plain(path).casefold()


def _ending(path: str) -> str:
    """Return a path with the usual form of its ending.

    Example:
        >>> _ending("b/A.JPEG"), _ending("c.png")
        ('b/a.jpg', 'c.png')
    """
    return _ENDING.sub(lambda found: _SAME_ENDINGS.get(found[0], found[0]), _cased(path))


def _stem(path: str) -> str:
    return _ENDING.sub("", _cased(path))


def _name(path: str) -> str:
    return _cased(path).rpartition("/")[2]


def _name_stem(path: str) -> str:
    return _stem(path).rpartition("/")[2]


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
