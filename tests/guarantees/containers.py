"""Fuzzing with containers: archives that are cut off at any byte, or changed in any.

python -m tests.guarantees.containers FOLDER COUNT [SEED]
"""

from __future__ import annotations

import bz2
import functools
import gzip
import lzma
import random
import sys
import tarfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from augcli.data.stores.opening import open_store
from augcli.errors import InputError, UnreadableImage
from tests.shards import png, tar

if TYPE_CHECKING:
    from collections.abc import Iterable

PATIENCE = 10
"""Seconds for one container; one takes about a thousandth of one."""


@functools.cache
def seeds() -> tuple[tuple[str, bytes], ...]:
    """Return sound containers: file name and bytes."""
    soft = b'{"label": {"cat": 0.75, "dog": 0.25}}'
    entries = [
        *(("a/1.png", png(1, 8)), ("a/1.cls", b"1"), ("a/2.png", png(2, 8)), ("a/2.json", soft)),
        *(("b.png", png(3, 8)), ("b.txt", b"emu")),
    ]
    long_names = [("x" * 120 + name.replace("/", "y" * 200 + "/"), data) for name, data in entries]
    plain = tar(entries)
    return (
        ("a.tar", plain),
        ("a.tar", tar(long_names, tarfile.GNU_FORMAT)),
        ("a.tar", tar(long_names, tarfile.PAX_FORMAT)),
        ("a.tar.gz", gzip.compress(plain, mtime=0)),
        ("a.tar.bz2", bz2.compress(plain)),
        ("a.tar.xz", lzma.compress(plain)),
    )


def judge(folder: Path, name: str, data: bytes) -> Counter[str]:
    """List a container and read all that is in it: any error but those of the store comes out.

    Returns:
        How many images could be read, how many could not, and whether it was refused.
    """
    path = folder / name
    path.write_bytes(data)
    figures: Counter[str] = Counter()
    begun = time.monotonic()
    try:
        store = open_store(str(path))
        sources = store.list()
    except InputError:
        return Counter(refused=1)
    assert sources.paths == sorted(set(sources.paths))
    figures["rows"] = len(sources.refused)
    for index in range(len(sources)):
        source = sources.source(index)
        assert ".." not in source.path.split("/")
        assert not source.place.startswith(("/", "../"))
        try:
            figures["bytes"] += len(store.read(source, max_bytes=1 << 20))
            figures["read"] += 1
        except (OSError, UnreadableImage):
            figures["unreadable"] += 1
    assert time.monotonic() - begun < PATIENCE
    assert figures["bytes"] <= 3 * len(data) + (1 << 20)
    return figures


def cut(folder: Path, each: int = 1) -> Counter[str]:
    """Cut every container at every byte, or each so many: what is read is what was in it."""
    figures: Counter[str] = Counter()
    for name, data in seeds():
        # The zeros at the end are all alike.
        until = len(data.rstrip(b"\0")) + 1100
        for length in range(0, min(until, len(data)), each):
            figures += judge(folder, name, data[:length])
    return figures


def changed(folder: Path, count: int, seed: int) -> Counter[str]:
    """Change so many containers by chance."""
    random_ = random.Random(seed)
    figures: Counter[str] = Counter()
    for _ in range(count):
        name, data = random_.choice(seeds())
        for _ in range(random_.choice((1, 1, 2, 4))):
            data = random_.choice(CHANGES)(data, random_)
        if name == "a.tar" and random_.random() < 0.7:
            data = summed(data)
        figures += judge(folder, name, data)
    return figures


def summed(data: bytes) -> bytes:
    """Correct the sums of headers, so that what was changed in them is read."""
    found = bytearray(data)
    for at in range(0, len(found) - 511, 512):
        if found[at + 257 : at + 262] == b"ustar":
            found[at + 148 : at + 156] = b" " * 8
            found[at + 148 : at + 156] = b"%06o\0 " % sum(found[at : at + 512])
    return bytes(found)


def _flip(data: bytes, random_: random.Random) -> bytes:
    found = bytearray(data)
    if found:
        found[random_.randrange(len(found))] ^= 1 << random_.randrange(8)
    return bytes(found)


def _lie(data: bytes, random_: random.Random) -> bytes:
    """Change a header, most often its name, size or kind."""
    found = bytearray(data)
    headers = [at for at in range(0, len(found), 512) if found[at + 257 : at + 262] == b"ustar"]
    if headers:
        at = random_.choice(headers)
        field, length = random_.choice(((0, 100), (124, 12), (124, 1), (156, 1), (345, 155)))
        at += field + random_.randrange(length)
        value = random_.choice((*b"0123456789xgLKS./\0", 0x80, 0xFF))
        found[at : at + 1] = bytes([value])
    return bytes(found)


def _cut(data: bytes, random_: random.Random) -> bytes:
    return data[: random_.randrange(len(data) + 1)]


def _zero(data: bytes, random_: random.Random) -> bytes:
    at = random_.randrange(len(data) + 1)
    length = random_.choice((16, 512, 4096))
    return data[:at] + bytes(min(length, len(data) - at)) + data[at + length :]


def _twice(data: bytes, random_: random.Random) -> bytes:
    at, until = sorted(512 * random_.randrange(len(data) // 512 + 1) for _ in range(2))
    return data[:until] + data[at:until] + data[until:]


def _splice(data: bytes, random_: random.Random) -> bytes:
    other = random_.choice(seeds())[1]
    return data[: random_.randrange(len(data) + 1)] + other[random_.randrange(len(other)) :]


CHANGES = (_flip, _flip, _lie, _lie, _lie, _cut, _zero, _twice, _splice)


def loop(folder: Path, count: int, seed: int = 1, each: int = 1) -> str:
    """Cut and change containers; return what became of them."""
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.parent.rglob("*"))
    found = {"cut": dict(cut(folder, each)), "changed": dict(changed(folder, count, seed))}
    after = set(folder.parent.rglob("*")) - before
    assert {path.name for path in after} <= {name for name, _ in seeds()}
    return str(found)


def main(words: Iterable[str]) -> None:
    """Run the loop."""
    folder, count, *seed = words
    print(loop(Path(folder), int(count), *map(int, seed)))


if __name__ == "__main__":
    main(sys.argv[1:])
