"""An output, and what every loader must give of it: each picture once, with its label."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import augcli
from tests.photos import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def mixed(photos: Path, out: Path, to: str) -> Path:
    """Mix pictures, written as PNG and into containers of a few pictures each; return OUT."""
    options: dict[str, Any] = {"shard_size": "8KB"} if to != "folder" else {}
    method = augcli.MixUp(alpha=1)
    augcli.augment(photos, method, out=out, to=to, format="png", workers=0, **options)
    return out


class Loaded(NamedTuple):
    """An item that a loader gave.

    Attributes:
        image: uint8 (H, W, 3), or what becomes that.
        number: Of its class; None where the loader gives none.
        vector: The weight of each class; None where the loader gives none.
    """

    image: Any
    number: Any = None
    vector: Any = None


def check(items: Iterable[Loaded], files: Path, split: str | None = None) -> None:
    """Compare all items with the pictures of an output folder, in any order.

    Args:
        items: What a loader gave.
        files: An output folder with these pictures as PNG, each another one.
        split: Its split.
    """
    data = augcli.read(files, split)
    place_of = {read(Path(path)).tobytes(): place for place, path in enumerate(data.paths)}
    assert len(place_of) == len(data) > 0
    seen = []
    for image, number, vector in items:
        place = place_of[np.asarray(image, np.uint8).tobytes()]
        seen.append(place)
        if number is not None:
            assert int(number) == data.hard[place]
        if vector is not None:
            assert np.abs(np.asarray(vector) - data.targets[place]).max() < 1e-6
            assert abs(sum(vector) - 1) < 1e-6
    assert sorted(seen) == list(range(len(data)))


def vector_of(names: Sequence[str], weights: Sequence[float], files: Path) -> list[float]:
    """Return the vector of classes that are given by name."""
    shares = dict(zip(names, weights, strict=True))
    assert len(shares) == len(names)
    vector = [shares.pop(name, 0.0) for name in augcli.read(files).classes]
    assert not shares
    return vector
