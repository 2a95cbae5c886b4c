"""Parts that are cut short or have a flipped bit."""

from __future__ import annotations

import gzip
import random
import shutil
from typing import TYPE_CHECKING

import augcli
from augcli.data.output import FOLDED_PARTS, PARTS, output_files
from augcli.plan.part import Part
from augcli.plan.parts import Parts
from augcli.run.messages import Notice
from tests.guarantees.state import photos
from tests.photos import tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from augcli.run.messages import Message

SAID = "parts that were damaged and are made again: 1"


def run(source: Path, out: Path) -> list[str]:
    """Make or go on with a data set of two shards; return what is said."""
    said: list[str] = []

    def listen(message: Message) -> None:
        if isinstance(message, Notice):
            said.append(message.text)

    method = augcli.Cutout(patch=5, fill="black")
    augcli.augment(source, method, out=out, workers=0, listener=listen)
    return said


def damaged(content: bytes, seed: int = 0) -> Iterator[bytes]:
    """Yield a part cut at every byte, and with a bit flipped in every byte."""
    bits = random.Random(seed)
    for at in range(len(content)):
        yield content[:at]
    for at in range(len(content)):
        yield content[:at] + bytes([content[at] ^ 1 << bits.randrange(8)]) + content[at + 1 :]


def interrupted(source: Path, out: Path) -> Path:
    """Make a data set whose parts are not folded yet, as when it was killed; return a part."""
    run(source, out)
    (out / PARTS).mkdir(parents=True)
    for stored in Parts(output_files(str(out))).read():
        (out / PARTS / f"{stored.shard}.json").write_bytes(stored.content)
    (out / FOLDED_PARTS).unlink()
    return sorted((out / PARTS).iterdir())[0]


def read_all(folder: Path) -> int:
    """Read a part in every state of damage: it is never one; return how many states."""
    path = interrupted(photos(folder / "photos", count=4), folder / "out")
    content = path.read_bytes()
    assert Part.from_bytes(content)
    count = 0
    for state in damaged(content):
        assert Part.from_bytes(state) is None, state[-200:]
        count += 1
    assert Part.from_bytes(content + b"\n") is None
    return count + 1


def resume_all(folder: Path, most: int) -> int:
    """Continue after a part was damaged, evenly sampled: said, made again, equal to before."""
    source, out, whole = photos(folder / "photos", count=32), folder / "out", folder / "whole"
    run(source, folder / "clean")
    clean = tree(folder / "clean")
    name = interrupted(source, whole).name
    states = list(damaged((whole / PARTS / name).read_bytes()))
    chosen = states[:: max(1, len(states) // most)]
    for state in chosen:
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(whole, out)
        (out / PARTS / name).write_bytes(state)
        assert SAID in run(source, out)
        assert tree(out) == clean
    return len(chosen)


def fold_all(folder: Path, most: int) -> int:
    """Continue after the file of folded parts was damaged, evenly sampled: equal to before."""
    source, out = photos(folder / "photos", count=32), folder / "out"
    run(source, out)
    clean = tree(out)
    states = list(damaged(clean[FOLDED_PARTS]))
    chosen = states[:: max(1, len(states) // most)]
    for state in chosen:
        (out / FOLDED_PARTS).write_bytes(state)
        run(source, out)
        made = tree(out)
        # Some bytes of the format say nothing about its content.
        assert lines(made.pop(FOLDED_PARTS)) == lines(clean[FOLDED_PARTS])
        assert made == {name: data for name, data in clean.items() if name != FOLDED_PARTS}
    return len(chosen)


def lines(folded: bytes) -> list[bytes]:
    return gzip.decompress(folded).splitlines()
