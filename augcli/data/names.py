"""Output names: unique, stable when sources come and go, safe on every file system."""

from __future__ import annotations

import functools
import os
import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np

from augcli.rng import digest, digests

if TYPE_CHECKING:
    from collections.abc import Callable

_UNSAFE = re.compile(r"[^\w-]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³])", re.IGNORECASE)
"""Names of devices on Windows, with or without an extension."""
OURS = frozenset(
    {"metadata.csv", "classes.txt", "errors.csv", "run.json", "readme.md", "parts.jsonl.gz"}
)
_IN_NAME = r"[^/\0\\:]" if os.name == "nt" else r"[^/\0]"
_OUTPUT = re.compile(
    rf"(?:(?!\.){_IN_NAME}+/)*(?!\.){_IN_NAME}+-(?:[0-9a-f]{{8}}){{1,4}}-{_IN_NAME}+-[0-9]+\.[A-Za-z0-9]+"
)
"""No folder of an output is hidden."""
LONGEST = 100
"""Bytes of a stem or folder, the rest is cut off; file systems allow 255 for a whole name."""


SHORT_HASH = 4
"""Bytes of the hash in most names."""
LONG_HASH = 16
"""The same, where two sources would get the same name."""


# A shard asks twice: for what it will make, and when that is made.
@functools.lru_cache(maxsize=4096)
def output_name(
    path: str,
    method: str,
    copy: int,
    extension: str,
    hash_bytes: int = SHORT_HASH,
    place: str = "",
) -> str:
    """Return where in OUT the output of a source goes, with ``/``.

    The name is ``<stem>-<8 hex of the path's hash>-<method>-<copy>.<extension>`` in the
    source's folder. The hash keeps ``a.jpg`` and ``a.png`` apart, and names that differ only
    in case. The stem carries no dot, because some loaders split at the first one.

    Args:
        path: Path of the source relative to INPUT, with ``/``.
        method: Name of the augmentation.
        copy: Copy number, 0 and up.
        extension: Without the dot.
        hash_bytes: Bytes of the path's hash: 4, or 16 for the sources of :func:`same_names`.
        place: Path that gives folder and stem; the path itself where empty.

    Example:
        >>> output_name("cat/my.cat 1.jpg", "cutmix", 0, "jpg")
        'cat/my_cat_1-0ff50eee-cutmix-0.jpg'
    """
    folder, _, name = (place or path).rpartition("/")
    stem = _shortened(_UNSAFE.sub("_", unicodedata.normalize("NFC", name.rpartition(".")[0])))
    file_name = f"{stem or '_'}-{digest(path, size=hash_bytes).hex()}-{method}-{copy}.{extension}"
    return f"{_safe_folders(folder)}/{file_name}" if folder else file_name


def same_names(
    paths: list[str], place_of: Callable[[int], str] = lambda index: ""
) -> frozenset[str]:
    """Return the paths whose outputs would get the same name as those of another path.

    Among a million paths about a hundred have the hash of another one. Only for these the whole
    names are made and compared, without regard to case, as some file systems do.

    Args:
        paths: All sources.
        place_of: Gives the place of a source, see :func:`output_name`, by its index.
    """
    hashes = np.frombuffer(digests(paths, SHORT_HASH), np.uint32)
    order = np.argsort(hashes, kind="stable")
    same = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
    names: dict[str, set[str]] = {}
    for index in {*order[same].tolist(), *order[same + 1].tolist()}:
        name = output_name(paths[index], "", 0, "", place=place_of(index)).casefold()
        names.setdefault(name, set()).add(paths[index])
    return frozenset(path for group in names.values() if len(group) > 1 for path in group)


def is_output_name(name: str) -> bool:
    """Return whether :func:`output_name` can have given a name.

    A record of an output folder names files that augcli removes. It may come from somebody else.

    Example:
        >>> is_output_name("cat/a-0ff50eee-cutmix-0.jpg"), is_output_name("cat/a.jpg")
        (True, False)
        >>> is_output_name("../a-0ff50eee-cutmix-0.jpg")
        False
    """
    return _OUTPUT.fullmatch(name) is not None


@functools.lru_cache(maxsize=4096)
def _safe_folders(path: str) -> str:
    return "/".join([safe_folder(name) for name in path.split("/")])


@functools.lru_cache(maxsize=4096)
def safe_folder(name: str) -> str:
    """Return a folder name as it is where it is safe everywhere, else a safe one with a hash.

    Example:
        >>> safe_folder("cat"), safe_folder("con")
        ('cat', 'con-eaeac719')
    """
    # One class, whose name comes in two forms, has one folder.
    name = unicodedata.normalize("NFC", name)
    device = _RESERVED.fullmatch(name.partition(".")[0].rstrip(" "))
    plain = not re.search(r'^\.|[\x00-\x1f<>:"\\|?*]', name) and name == name.rstrip(". ")
    short = len(name.encode()) <= LONGEST
    if plain and short and not device and name.lower() not in OURS:
        return name
    return f"{_shortened(_UNSAFE.sub('_', name))}-{digest(name, size=4).hex()}"


def _shortened(text: str) -> str:
    """Return the text cut to :data:`LONGEST` bytes of UTF-8, at a whole character."""
    return text.encode()[:LONGEST].decode("utf-8", "ignore")
