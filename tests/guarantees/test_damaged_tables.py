"""Tables that were cut, changed or mixed up are read or refused in one sentence."""

from __future__ import annotations

import random

import pytest

from augcli.errors import InputError
from tests.data.tables.labelled import labelled
from tests.data.tables.test_formats import CSV, JSONL, parquet
from tests.guarantees.words import mutated_bytes

COUNT = 2000
SOFT = [{"cat": 0.5, "dog": 0.5}, {"cat": None, "dog": 1.0}]
WEIGHTS = "".join(
    f'{{"file_name": "{name}", "label": {{"cat": 0.25, "dog": 0.75}}}}\n'
    for name in ("a.jpg", "b/c.png")
)


def content(kind: str) -> bytes:
    match kind:
        case "parquet":
            return parquet({"file_name": ["a.jpg", "b/c.png"], "label": ["cat", "dog"]})
        case "soft parquet":
            return parquet({"file_name": ["a.jpg", "b/c.png"], "label": SOFT})
    texts = {"csv": CSV, "jsonl": JSONL, "soft jsonl": WEIGHTS}
    return CSV.encode("utf-16") if kind == "utf-16" else texts[kind].encode()


@pytest.mark.parametrize(
    "kind", ["csv", "utf-16", "jsonl", "soft jsonl", "parquet", "soft parquet"]
)
def test_a_damaged_table_is_read_or_refused(kind: str) -> None:
    chance, whole = random.Random(0), content(kind)
    refusals = set()
    for number in range(COUNT):
        try:
            found = labelled(mutated_bytes(whole, chance), multi_label=number % 2 == 1)
        except InputError as error:
            refusals.add(str(error))
            continue
        assert all(label.are_parts if found.are_many else label.is_sound for label in found.labels)
    assert len(refusals) > 5
    assert max(map(len, refusals)) < 1500
    assert not any("\n" in text for text in refusals)
