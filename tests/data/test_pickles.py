"""Pickles of plain content: read as Python reads them, or refused, and never run."""

from __future__ import annotations

import contextlib
import pickle
import random
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from augcli.data.stores.pickles import Array, NotPlain, load_plain

PLAIN: list[Any] = [
    {"a": [1, 2, -3, 2**40, 2**70], b"b": (1, "two", b"3", None, True, False, 1.5)},
    [],
    {},
    (),
    [{}, [[]], ((),), {"x": {"y": ("z",)}}],
    "é\n",
    b"\x00\xff" * 200,
    ["same", "same"] * 3,
    (1,) * 1000,
]


@pytest.mark.parametrize("protocol", range(3, 6))
@pytest.mark.parametrize("value", PLAIN, ids=lambda value: repr(value)[:20])
def test_plain_content_is_what_python_reads(value: Any, protocol: int) -> None:
    assert load_plain(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("kind", ["u1", "i8", "f4"])
def test_arrays_come_as_bytes_with_a_shape(protocol: int, kind: str) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(kind)
    found = load_plain(pickle.dumps({"data": array}, protocol))["data"]
    assert isinstance(found, Array)
    assert (found.shape, found.kind, found.is_fortran) == ((2, 3, 4), kind, False)
    assert found.data == array.tobytes()


def test_the_memory_of_a_pickle_is_kept() -> None:
    shared = [1]
    assert load_plain(pickle.dumps([shared, shared])) == [[1], [1]]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "value",
    [
        print,
        Path("a"),
        {1, 2},
        OrderedDict(a=1),
        range(3),
        complex(1),
        np.array([None]),
        ValueError,
    ],
)
def test_all_else_is_refused(value: Any, protocol: int) -> None:
    with pytest.raises(NotPlain):
        load_plain(pickle.dumps({"data": value}, protocol))


def test_a_pickle_that_is_damaged_is_read_or_refused() -> None:
    array = np.arange(60, dtype=np.uint8).reshape(5, 12)
    for protocol in range(2, 6):
        data = pickle.dumps({"data": array, "labels": list(range(5)), "names": ["a"] * 5}, protocol)
        for cut in range(len(data)):
            with pytest.raises(NotPlain):
                load_plain(data[:cut])
        for seed in range(2000):
            chance = random.Random(seed)
            damaged = bytearray(data)
            for _ in range(chance.choice((1, 1, 3))):
                damaged[chance.randrange(len(data))] = chance.randrange(256)
            # Anything but this error would come through.
            with contextlib.suppress(NotPlain):
                load_plain(bytes(damaged))
