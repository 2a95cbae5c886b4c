"""Parts: files of their own while a run is at work, one file afterwards."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from augcli.data.labels import Label
from augcli.data.manifest import Failure, Row
from augcli.data.output import FOLDED_PARTS, PARTS, OutputFolder
from augcli.plan.part import Made, Part, Tried
from augcli.plan.parts import Parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

END = "-0ff50eee-cutmix-0.png"
"""Of the name of an output."""
NAMES = ["0-00000-of-00004", "0-00003-of-00004", "2-00001-of-00004", "10-00000-of-00004"]
"""In the order of the plan, which is not that of the alphabet."""


def part_of(shard: str, *names: str) -> Part:
    rows = [
        Row(
            f"cat/{name}{END}",
            Label((("cat", 0.25), ("dog", 0.75))),
            "a",
            "b",
            "cutmix",
            "{}",
            3,
            4,
            0,
            "00",
        )
        for name in names
    ]
    made = [Made("job", 5, ["a remark"], row) for row in rows]
    return Part(shard, "command", "fingerprint", made, [("job", Failure("a", "read", "é\n"))])


@pytest.fixture
def output(tmp_path: Path) -> Iterator[OutputFolder]:
    folder = OutputFolder(tmp_path / "out")
    folder.open()
    yield folder
    folder.close()


@pytest.fixture
def parts(output: OutputFolder) -> Parts:
    return Parts(output.files)


def fill(parts: Parts, *shards: str) -> None:
    for shard in shards:
        parts.commit(part_of(shard, shard))


def fold(parts: Parts) -> None:
    parts.fold(parts.read())
    parts.remove_loose()


def test_a_part_reads_back() -> None:
    part = part_of("0-00000-of-00004", "a", "b\u2028")
    part.tried, part.obsolete, part.sources = (
        {"a": Tried("1-2", "decode")},
        [f"c{END}"],
        {"b": "3-4"},
    )
    assert Part.from_bytes(part.to_bytes()) == part


def test_parts_come_in_the_order_of_the_plan_folded_or_not(parts: Parts) -> None:
    fill(parts, *reversed(NAMES))
    loose = [stored.part for stored in parts.read()]
    assert [part.shard for part in loose if part] == NAMES
    fold(parts)
    assert parts.loose() == []
    assert [stored.part for stored in parts.read()] == loose


def test_a_part_of_its_own_supersedes_the_folded_one(parts: Parts) -> None:
    fill(parts, *NAMES)
    fold(parts)
    parts.commit(part_of("2-00001-of-00004", "new"))
    fill(parts, "1-00000-of-00004")
    read = {stored.shard: stored.part for stored in parts.read()}
    assert list(read) == [
        "0-00000-of-00004",
        "0-00003-of-00004",
        "1-00000-of-00004",
        "2-00001-of-00004",
        "10-00000-of-00004",
    ]
    superseding = read["2-00001-of-00004"]
    assert superseding
    assert superseding.made[0].row.file_name == f"cat/new{END}"


def test_folding_the_same_parts_again_gives_the_same_bytes(
    parts: Parts, output: OutputFolder
) -> None:
    fill(parts, *NAMES)
    fold(parts)
    path = Path(output.path, FOLDED_PARTS)
    before = path.read_bytes()
    fold(parts)
    assert path.read_bytes() == before
    assert len(gzip.decompress(before).splitlines()) == 2 * len(NAMES)


def test_what_comes_before_a_cut_is_still_read(parts: Parts, output: OutputFolder) -> None:
    fill(parts, *NAMES)
    fold(parts)
    path = Path(output.path, FOLDED_PARTS)
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(lines[:5])))
    assert [stored.shard for stored in parts.read()] == NAMES[:2]
    assert parts.is_cut


def test_a_part_forgets_its_outputs_before_they_are_removed(
    parts: Parts, output: OutputFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    output.files.publish(f"cat/a{END}", b"12345")
    parts.commit(part_of("0-00000-of-00004", "a"))
    seen = []

    def remove(name: str) -> None:
        (stored,) = parts.read()
        seen.append((name, stored.part and (stored.part.made, stored.part.obsolete)))

    monkeypatch.setattr(output.files, "remove", remove)
    assert parts.drop(part_of("0-00000-of-00004", "a")) == {"cat"}
    assert seen == [(f"cat/a{END}", ([], [f"cat/a{END}"]))]


def test_names_that_are_no_shards_are_left_alone(parts: Parts, output: OutputFolder) -> None:
    Path(output.path, PARTS, "notes.json").write_bytes(b"mine")
    fill(parts, "0-00000-of-00004")
    assert parts.loose() == ["0-00000-of-00004"]


def key_of(copy: int) -> Callable[[str], bytes]:
    """Keys as they might be: the first letter of a base decides."""
    return lambda path: bytes([ord(path[0])]) + bytes(7)


def bases(*paths: str) -> Part:
    part = part_of("0-00000-of-00001", *paths)
    part.made = [
        made._replace(row=made.row._replace(source_a=path))
        for path, made in zip(paths, part.made, strict=True)
    ]
    part.failed = [("job", Failure("Z", "decode", "é"))]
    part.sources = dict.fromkeys((*paths, "Z"), "1-2")
    return part


def test_a_part_is_split_by_the_keys_of_its_bases(parts: Parts) -> None:
    """``A`` and ``Z`` lie in the third of eight ranges, ``a`` in the fourth, ``é`` in the last."""
    parts.commit(bases("A", "é", "a"))
    parts.split(8, key_of)
    assert parts.loose() == []
    assert parts.shard_count == 8
    split = {stored.shard: stored.part for stored in parts.read()}
    assert list(split) == [f"0-0000{number}-of-00008" for number in (2, 3, 7)]
    made = [[made.row.source_a for made in part.made] for part in split.values() if part]
    assert made == [["A"], ["a"], ["é"]]
    assert [list(part.sources) for part in split.values() if part] == [["A", "Z"], ["a"], ["é"]]
    assert [len(part.failed) for part in split.values() if part] == [1, 0, 0]


def test_what_no_part_records_as_made_is_removed_when_it_is_split(
    parts: Parts, output: OutputFolder
) -> None:
    part = bases("A")
    part.obsolete = [f"dog/old{END}"]
    parts.commit(part)
    for name in (f"cat/A{END}", f"dog/old{END}"):
        output.files.publish(name, b"12345")
    assert parts.split(2, key_of) == {"dog"}
    assert output.files.size(f"cat/A{END}") == 5
    assert output.files.size(f"dog/old{END}") is None


def test_a_split_that_was_interrupted_is_whole(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new parts are folded, and the old one is still a file of its own."""
    parts.commit(bases("A", "a"))
    with monkeypatch.context() as patch:
        patch.setattr(Parts, "remove_loose", lambda self: None)
        parts.split(4, key_of)
    assert [stored.shard for stored in parts.read()] == ["0-00001-of-00004"]
    parts.commit(part_of("0-00001-of-00004", "new"))
    (only,) = parts.read()
    assert only.part
    assert [made.row.file_name for made in only.part.made] == [f"cat/new{END}"]
    parts.remove_loose()
    assert parts.loose() == []
