"""Parts that are cut short or have a flipped bit."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

import augcli
from augcli.plan.parts import PARTS, read_part
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


def read_all(folder: Path) -> int:
    """Read a part in every state of damage: it is never one; return how many states."""
    out = folder / "out"
    run(photos(folder / "photos", count=4), out)
    path = sorted((out / PARTS).iterdir())[0]
    content = path.read_bytes()
    assert read_part(str(out), path.stem)
    count = 0
    for state in damaged(content):
        path.write_bytes(state)
        assert read_part(str(out), path.stem) is None, state[-200:]
        count += 1
    path.write_bytes(content + b"\n")
    assert read_part(str(out), path.stem) is None
    return count + 1


def resume_all(folder: Path, most: int) -> int:
    """Go on after a part was damaged, evenly sampled: said, made again, equal to before."""
    source, out, whole = photos(folder / "photos", count=32), folder / "out", folder / "whole"
    run(source, whole)
    clean = tree(whole)
    name = sorted(path.name for path in (whole / PARTS).iterdir())[0]
    content = (whole / PARTS / name).read_bytes()
    states = list(damaged(content))
    shutil.copytree(whole, out)
    chosen = states[:: max(1, len(states) // most)]
    for state in chosen:
        (out / PARTS / name).write_bytes(state)
        assert SAID in run(source, out)
        assert tree(out) == clean
    return len(chosen)
