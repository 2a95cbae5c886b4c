"""Parquet files and arrays that are damaged: cut at any byte, flipped, with wrong numbers.

    python -m tests.guarantees.arrays FOLDER MUTANTS SEED

Each is listed, and every picture read that is listed. An error of one sentence is right, and so is
a picture that can't be read; anything else fails, and so does a process that needs much memory.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import struct
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from augcli.data.codecs.decoding import decode
from augcli.data.stores.opening import open_store
from augcli.errors import InputError, UnreadableImage
from tests.arrays import SETS

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY = 6 << 30
"""Bytes of addresses that the loop may use: an array of 100 GB must not be asked for."""
NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 40, (1 << 63) - 1, (1 << 64) - 1)


def _cut(data: bytearray, random: Random) -> None:
    del data[random.randrange(len(data)) :]


def _flip(data: bytearray, random: Random) -> None:
    for _ in range(random.choice((1, 1, 3, 20))):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _number(data: bytearray, random: Random) -> None:
    """Put a large or odd number anywhere, in either order of bytes."""
    value, width = random.choice(NUMBERS), random.choice((1, 2, 4, 8))
    packed = struct.pack(random.choice("<>") + "Q", value & ((1 << 8 * width) - 1))
    at = random.randrange(len(data))
    data[at : at + width] = packed[:width] if packed[0] else packed[-width:]


def _digits(data: bytearray, random: Random) -> None:
    """Change a number that is written in digits: those of NumPy's headers are."""
    places = [at for at, byte in enumerate(data[:4096]) if 0x30 <= byte <= 0x39]
    if places:
        at = random.choice(places)
        data[at : at + 1] = random.choice((b"0", b"9", b"99999999", b"-1", b"1e9"))


def _move(data: bytearray, random: Random) -> None:
    """Copy a piece to another place."""
    at, length = random.randrange(len(data)), random.randrange(1, 200)
    piece = data[at : at + length]
    to = random.randrange(len(data))
    data[to : to + random.choice((0, length))] = piece


def _zeros(data: bytearray, random: Random) -> None:
    at = random.randrange(len(data))
    length = min(random.randrange(1, 2000), len(data) - at)
    data[at : at + length] = bytes(length)


def _end(data: bytearray, random: Random) -> None:
    """Damage the end: Parquet and ZIP have their tables of contents there."""
    last = min(len(data), 700)
    data[-random.randrange(1, last + 1)] = random.randrange(256)


DAMAGES: tuple[Callable[[bytearray, Random], None], ...] = (
    *(_cut, _flip, _number, _digits, _move, _zeros, _end, _end),
)


def damage_one(folder: Path, random: Random) -> None:
    """Damage one file of a set, also what is packed in it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    path = random.choice(files)
    data = bytearray(path.read_bytes())
    is_inside = path.suffix == ".gz" and random.random() < 0.7
    if is_inside:
        data = bytearray(gzip.decompress(data))
    for _ in range(random.choice((1, 1, 2, 4))):
        if data:
            random.choice(DAMAGES)(data, random)
    path.write_bytes(gzip.compress(data) if is_inside else data)


def use(place: Path, found: Counter[str]) -> None:
    """List a set and read all of it; count what came of it."""
    try:
        store = open_store(os.fspath(place))
        sources = store.list()
    except InputError as error:
        text = str(error)
        assert "\n" not in text.strip(), text
        assert len(text) < 1000, text
        found["refused"] += 1
        return
    found["listed"] += 1
    assert sources.paths == sorted(set(sources.paths))
    assert all(label.is_sound for label in sources.labels)
    for index in range(len(sources)):
        source = sources.source(index)
        try:
            decode(store.read(source, max_bytes=1 << 24), max_pixels=1 << 22)
            found["pictures"] += 1
        except (UnreadableImage, OSError):
            found["no pictures"] += 1


def loop(folder: Path, mutants: int, seed: int) -> Counter[str]:
    """Damage each kind of set so many times and use it; return what came of them.

    Raises:
        AssertionError: A set was neither listed nor refused in one sentence.
    """
    found: Counter[str] = Counter()
    for number, (name, make) in enumerate(SETS.items()):
        whole = folder / f"whole-{number}"
        place = make(whole)
        for mutant in range(mutants):
            random = Random(f"{seed} {name} {mutant}")
            copy = folder / "copy"
            shutil.copytree(whole, copy)
            damage_one(copy, random)
            try:
                use(copy / place.relative_to(whole), found)
            except BaseException as error:
                raise AssertionError(f"{name}, mutant {mutant} of seed {seed}") from error
            shutil.rmtree(copy)
            found["mutants"] += 1
    return found


def main() -> None:
    """Run the loop with bounded memory and print what came of it."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    folder, mutants, seed = sys.argv[1:]
    print(json.dumps(loop(Path(folder), int(mutants), int(seed))))


if __name__ == "__main__":
    main()
