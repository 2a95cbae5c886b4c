"""Output names: unique, stable when sources come and go, safe on every file system."""

from __future__ import annotations

import functools
import os
import re
import unicodedata
from typing import TYPE_CHECKING

from augcli.rng import digest, digests

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_UNSAFE = re.compile(r"[^\w-]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³])", re.IGNORECASE)
"""Names of devices on Windows, with or without an extension."""
OURS = frozenset(
    {"metadata.csv", "metadata.jsonl", "metadata.parquet", "classes.txt", "errors.csv"}
    | {"run.json", "readme.md", "parts.jsonl.gz"}
)
_IN_NAME = r"[^/\0\\:]" if os.name == "nt" else r"[^/\0]"
_OUTPUT = re.compile(
    rf"(?:(?!\.){_IN_NAME}+/)*(?!\.){_IN_NAME}+-(?:[0-9a-f]{{8}}){{1,4}}-{_IN_NAME}+-[0-9]+\.[A-Za-z0-9]+"
)
"""No folder of an output is hidden."""
_CONTAINER = re.compile(r"[A-Za-z0-9_]{1,100}-[0-9]{5,8}-of-[0-9]{5,8}\.(?:tar|parquet|npz)")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_-]")
LONGEST = 100
"""Bytes of a stem or folder, the rest is cut off; file systems allow 255 for a whole name."""


SHORT_HASH = 4
"""Bytes of the hash in most names."""
LONG_HASH = 16
"""The same, where two sources would get the same name."""
LONGEST_KEY = 90
"""Bytes of a key's last part: with a dot and an ending it has at most 100."""
LONGEST_KEY_FOLDERS = 150
"""Bytes of the folders before it; a header of USTAR has room for 155."""


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
    paths: Sequence[str],
    place_of: Callable[[int], str] = lambda index: "",
    plain: Callable[[str], str] = str,
) -> frozenset[str]:
    """Return the paths whose outputs would get the same name as those of another path.

    Among a million paths about a hundred have the hash of another one. Only for these the whole
    names are made and compared, without regard to case, as some file systems do.

    Args:
        paths: All sources.
        place_of: Gives the place of a source, see :func:`output_name`, by its index.
        plain: Gives what is left of a name where not all characters can be in it.
    """
    import numpy as np  # noqa: PLC0415 - the command line knows names, and starts without it

    hashes = np.frombuffer(digests(paths, SHORT_HASH), np.uint32)
    order = np.argsort(hashes, kind="stable")
    same = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
    names: dict[str, set[str]] = {}
    for index in {*order[same].tolist(), *order[same + 1].tolist()}:
        name = plain(output_name(paths[index], "", 0, "", place=place_of(index))).casefold()
        names.setdefault(name, set()).add(paths[index])
    return frozenset(path for group in names.values() if len(group) > 1 for path in group)


def is_output_name(name: str) -> bool:
    """Return whether :func:`output_name` can have given a name, or it is that of a container.

    A record of an output folder names files that augcli removes. It may come from somebody else.

    Example:
        >>> is_output_name("cat/a-0ff50eee-cutmix-0.jpg"), is_output_name("cat/a.jpg")
        (True, False)
        >>> is_output_name("../a-0ff50eee-cutmix-0.jpg")
        False
    """
    return _OUTPUT.fullmatch(name) is not None or is_container_name(name)


def is_container_name(name: str) -> bool:
    """Return whether a name is one that files get which hold the outputs of a shard.

    Example:
        >>> is_container_name("train-00003-of-00016.tar"), is_container_name("images.tar")
        (True, False)
    """
    return _CONTAINER.fullmatch(name) is not None


def container_key(name: str) -> str:
    """Return the key of an output in a container: its name without the ending, in plain ASCII.

    Args:
        name: As :func:`output_name` gives it. It carries a hash, so keys differ as names do.

    Example:
        >>> container_key("cat/whiskers-3f9a1c20-cutmix-0.jpg")
        'cat/whiskers-3f9a1c20-cutmix-0'
        >>> container_key("v 1.0/größe-3f9a1c20-cutmix-0.jpg")
        'v_1_0-30fd61de/gr__e-3f9a1c20-cutmix-0'
    """
    folders, _, leaf = name.rpartition("/")
    key = _NOT_PLAIN.sub("_", leaf.rpartition(".")[0])
    if len(key) > LONGEST_KEY:
        key = f"{key[: LONGEST_KEY - 33]}-{digest(name, size=16).hex()}"
    return f"{_plain_folders(folders)}/{key}" if folders else key


@functools.lru_cache(maxsize=4096)
def _plain_folders(path: str) -> str:
    plain = "/".join([_plain_folder(name) for name in path.split("/")])
    if len(plain) <= LONGEST_KEY_FOLDERS:
        return plain
    return f"{plain[: LONGEST_KEY_FOLDERS - 33].rstrip('/')}-{digest(path, size=16).hex()}"


def _plain_folder(name: str) -> str:
    plain = _NOT_PLAIN.sub("_", name)
    return plain if plain == name else f"{plain}-{digest(name, size=4).hex()}"


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
