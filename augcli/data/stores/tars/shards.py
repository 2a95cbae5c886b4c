"""Shards: which tar archives INPUT names: a file, a folder, a pattern in braces, or a list."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from augcli.data.codecs.formats import EXTENSIONS
from augcli.data.run_record import TRACES, has_record
from augcli.data.stores.contents import OF_THE_SYSTEM, objects_in
from augcli.errors import InputError
from augcli.files import is_bucket, is_file, is_url, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ENDING = r"\.(?:tar(?:\.(?:gz|bz2|xz))?|tgz|tbz2?|txz)"
_IS_SHARD = re.compile(rf".+{_ENDING}", re.IGNORECASE | re.DOTALL)
_SHARD_OF = re.compile(rf".+?{_ENDING}(?=/)", re.IGNORECASE | re.DOTALL)
_ZSTD = re.compile(r".+\.(?:tar\.zst|tzst)", re.IGNORECASE | re.DOTALL)
SEPARATOR = "::"
"""Between several patterns, as WebDataset has it."""
MOST_SHARDS = 100_000
"""Shards that patterns may name."""
MOST_OTHERS = 10_000
"""Files of other kinds after which a folder is none of shards."""
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(-?[0-9]{1,18})\.\.(-?[0-9]{1,18})(?:\.\.([0-9]{1,18}))?")


class Shards(NamedTuple):
    """The tar archives that INPUT names.

    Attributes:
        root: The folder that all lie in, absolute, without links.
        names: Their paths relative to it, with ``/``, in the order of their sources.
        query: What a URL has after each name; no record has it.
    """

    root: str
    names: tuple[str, ...]
    query: str = ""

    def path(self, name: str) -> str:
        """Return what opens an archive."""
        return f"{self.root}/{name}{self.query}"


def find_shards(place: str, out: str | None = None, *, follow_links: bool = False) -> Shards | None:
    """Return the tar archives that INPUT names, None where it is no place of tar archives.

    Args:
        place: INPUT, as it was given: an archive, a folder that holds archives and no image, or
            patterns such as ``train-{0000..0009}.tar`` with ``::`` between them.
        out: A folder that is never read.
        follow_links: Whether symbolic links that lead out of a folder are followed.

    Raises:
        InputError: A named archive is not there, or a pattern can't be used.
    """
    if is_url(place):
        return _at_url(place, out or "")
    if os.path.isdir(place):
        root = os.path.realpath(place)
        names = _archives(_names_in(root, os.path.realpath(out) if out else "", follow_links))
        return Shards(root, _in_order(names)) if names else None
    words = [place] if os.path.lexists(place) else _expanded(place)
    if not all(_IS_SHARD.fullmatch(word) for word in words):
        if any(_ZSTD.fullmatch(word) for word in words):
            raise InputError(
                f"INPUT {place}: augcli does not read tar archives that zstd compressed; unpack "
                "them with `zstd -d` and give the .tar files"
            )
        if any(_IS_SHARD.fullmatch(word) for word in words):
            other = next(word for word in words if not _IS_SHARD.fullmatch(word))
            raise InputError(f"INPUT {place} names {other}, which is no tar archive by its ending")
        return None
    files = sorted({os.path.abspath(word) for word in words})
    for file in files:
        if not os.path.isfile(file):
            what = "is not a file" if os.path.lexists(file) else "does not exist"
            raise InputError(f"INPUT {place}: {file} {what}; give tar archives that are there")
    try:
        root = os.path.commonpath([os.path.dirname(file) for file in files])
    except ValueError:
        raise InputError(
            f"INPUT {place} names archives of several drives; put them into one folder"
        ) from None
    names = [os.path.relpath(file, root).replace(os.sep, "/") for file in files]
    return Shards(os.path.realpath(root), _in_order(names))


def shard_of(path: str) -> str:
    """Return the archive that a source lies in, by the source's path.

    Example:
        >>> shard_of("a/train-0.tar/cat/1.tar.jpg")
        'a/train-0.tar'
    """
    found = _SHARD_OF.match(path)
    return found[0] if found else path


def stem_of(name: str) -> str:
    """Return the name of an archive without its ending.

    Example:
        >>> stem_of("train-0001.tar.gz")
        'train-0001'
    """
    return re.sub(rf"{_ENDING}$", "", name, flags=re.IGNORECASE)


def without_pattern(place: str) -> str:
    """Return the path that outputs of INPUT are named after.

    Args:
        place: INPUT, as it was given.

    Example:
        >>> without_pattern("photos/train-{0000..0009}.tar::more.tar"), without_pattern("photos")
        ('photos/train', 'photos')
    """
    if os.path.isdir(place):
        return place
    place = shown(place)
    first = place if os.path.lexists(place) else place.split(SEPARATOR, maxsplit=1)[0]
    if not _IS_SHARD.fullmatch(first):
        return place
    folder, name = os.path.split(stem_of(first))
    plain = name if os.path.lexists(place) else re.sub(r"[-_.]*\{.*", "", name)
    return os.path.join(folder, plain or "shards")


def _in_order(names: list[str]) -> tuple[str, ...]:
    """Sort archives as their sources are sorted, whose paths go on with a slash.

    Raises:
        InputError: A folder has the ending of an archive, so that paths could mean two.
    """
    for name in names:
        if shard_of(f"{name}/") != name:
            raise InputError(
                f"the folder {shard_of(f'{name}/')} of INPUT is named like a tar archive; rename it"
            )
    return tuple(sorted(names, key=lambda name: f"{name}/"))


def _at_url(place: str, out: str) -> Shards | None:
    """Return the tar archives that a URL names.

    Raises:
        InputError: A named archive is not there.
    """
    plain, begin, query = place.partition("?")
    urls = sorted(_expanded(plain))
    if not all(_IS_SHARD.fullmatch(url) for url in urls):
        if not is_bucket(place):
            return None
        names = _archives(entry.key for entry in objects_in(place, out))
        return Shards(place, _in_order(names)) if names else None
    scheme = plain.partition("://")[0]
    folders = [url.partition("://")[2].rpartition("/")[0] for url in urls]
    root = f"{scheme}://{os.path.commonpath(folders)}"
    shards = Shards(root, _in_order([url[len(root) + 1 :] for url in urls]), begin + query)
    for name in shards.names:
        if not is_file(shards.path(name)):
            raise InputError(
                f"INPUT {shown(place)}: {shown(root)}/{name} does not exist; give tar archives "
                "that are there"
            )
    return shards


def _archives(names: Iterable[str]) -> list[str]:
    """Return the archives among files, none where one is an image.

    File by file: the first image ends the search, however large the folder is.
    """
    archives: list[str] = []
    others = 0
    for name in names:
        if os.path.splitext(name)[1].lower() in EXTENSIONS:
            return []
        if _IS_SHARD.fullmatch(name):
            archives.append(name)
            continue
        others += 1
        if others > MOST_OTHERS:
            return []
    return archives


def _names_in(root: str, out: str, follow_links: bool) -> Iterator[str]:
    """Yield the files of a folder, relative to it."""
    waiting = [""]
    seen: set[tuple[int, int]] = set()
    while waiting:
        relative = waiting.pop()
        prefix = f"{relative}/" if relative else ""
        if relative and _is_output(os.path.join(root, relative)):
            continue
        try:
            scan = os.scandir(os.path.join(root, relative))
        except OSError:
            continue
        with scan:
            for entry in scan:
                if entry.name.startswith("."):
                    continue
                if entry.is_symlink() and not (follow_links or _leads_inside(entry, root)):
                    continue
                if entry.is_dir():
                    if entry.name not in OF_THE_SYSTEM and _is_new(entry, out, seen):
                        waiting.append(prefix + entry.name)
                else:
                    yield prefix + entry.name


def _is_new(entry: os.DirEntry[str], out: str, seen: set[tuple[int, int]]) -> bool:
    """Return whether a folder was not met before, and is not OUT."""
    try:
        status = os.stat(entry.path)
    except OSError:
        return False
    identity = (status.st_dev, status.st_ino)
    if identity in seen or (out and os.path.realpath(entry.path) == out):
        return False
    seen.add(identity)
    return True


def _is_output(folder: str) -> bool:
    return any(os.path.lexists(f"{folder}/{trace}") for trace in TRACES) or has_record(folder)


def _leads_inside(entry: os.DirEntry[str], root: str) -> bool:
    return entry.is_file() and os.path.realpath(entry.path).startswith(root + os.sep)


def _expanded(place: str) -> list[str]:
    """Return the names that patterns stand for.

    Raises:
        InputError: They are too many.

    Example:
        >>> _expanded("train-{08..10}.tar::{a,b}.tar")
        ['train-08.tar', 'train-09.tar', 'train-10.tar', 'a.tar', 'b.tar']
    """
    words = [word for word in place.split(SEPARATOR) if word]
    while True:
        expanded: list[str] = []
        for word in words:
            expanded += _without_first_braces(word)
            if len(expanded) > MOST_SHARDS:
                raise InputError(
                    f"INPUT {place} names more than {MOST_SHARDS:,} archives; give fewer"
                )
        if expanded == words:
            return words
        words = expanded


def _without_first_braces(word: str) -> list[str]:
    """Return what a word stands for by its first braces that are a pattern."""
    for found in _BRACES.finditer(word):
        choices = _choices(found[1])
        if choices is not None:
            begin, end = word[: found.start()], word[found.end() :]
            return [f"{begin}{choice}{end}" for choice in choices]
    return [word]


def _choices(inside: str) -> list[str] | None:
    """Return what stands between braces, None where that is no pattern.

    A range of too many numbers is cut short after more than :data:`MOST_SHARDS`.
    """
    found = _RANGE.fullmatch(inside)
    if not found:
        return inside.split(",") if "," in inside else None
    first, last, step = int(found[1]), int(found[2]), max(1, int(found[3] or 1))
    padded = any(re.match(r"-?0[0-9]", end) for end in (found[1], found[2]))
    width = max(len(found[1]), len(found[2])) if padded else 0
    numbers = range(first, last + 1, step) if first <= last else range(first, last - 1, -step)
    return [f"{number:0{width}d}" for number in numbers[: MOST_SHARDS + 1]]
