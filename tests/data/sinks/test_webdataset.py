"""The WebDataset sink: every tar reader takes its files, and no history changes their bytes."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from augcli.data.labels import Label
from augcli.data.manifest import Row
from augcli.data.names import container_key
from augcli.data.sinks.container import HashedStream
from augcli.data.sinks.webdataset import LARGEST, RECORD, WAITING, TarArchive, headers, sample_json


class Memory:
    """Takes what a draft would."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


def row(name: str, label: Label) -> Row:
    return Row(name, label, "cat/größe 1.jpg", "", "cutout", '{"x": 1}', 8, 8, 0, "00", "train")


@pytest.mark.parametrize("size", [0, 1, 512, 123_456_789, LARGEST])
@pytest.mark.parametrize("name", ["a.jpg", "cat/a.jpg", "c" * 150 + "/" + "k" * 95 + ".json"])
def test_headers_are_those_of_the_standard_library(name: str, size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size = size
    assert headers([name.encode()], [size]) == info.tobuf(tarfile.USTAR_FORMAT)


def test_headers_of_many_files_are_those_of_each() -> None:
    names = [b"a.jpg", b"cat/a.cls", b"c" * 150 + b"/" + b"k" * 95 + b".json"]
    each = [headers([name], [size]) for size, name in enumerate(names)]
    assert headers(names, range(3)) == b"".join(each)


def test_a_file_that_no_header_describes_is_an_error() -> None:
    class Huge(bytes):
        def __len__(self) -> int:
            return LARGEST + 1

    archive = TarArchive(HashedStream(Memory()), {}, are_many=False)  # type: ignore[arg-type]
    with pytest.raises(OSError, match="too large"):
        archive.add("a.jpg", row("x.tar/a.jpg", Label()), Huge())


def test_samples_are_written_when_many_wait() -> None:
    memory = Memory()
    archive = TarArchive(HashedStream(memory), {}, are_many=False)  # type: ignore[arg-type]
    archive.add("a.jpg", row("x.tar/a.jpg", Label()), bytes(WAITING - 100))
    assert not memory.data
    archive.add("b.jpg", row("x.tar/b.jpg", Label()), bytes(100))
    assert len(memory.data) > WAITING


def test_samples_lie_side_by_side_with_constant_times_and_owners() -> None:
    memory = Memory()
    stream = HashedStream(memory)  # type: ignore[arg-type]  # only written
    archive = TarArchive(stream, {"cat": 0, "dog": 1}, are_many=False)
    mixed = Label((("cat", 0.25), ("dog", 0.75)))
    archive.add("cat/b-1.jpg", row("x.tar/cat/b-1.jpg", mixed), b"picture")
    archive.add("a-0.png", row("x.tar/a-0.png", Label()), bytes(2000))
    archive.close()
    assert len(memory.data) % RECORD == 0
    with tarfile.open(fileobj=io.BytesIO(memory.data)) as tar:
        members = tar.getmembers()
        contents = {member.name: tar.extractfile(member).read() for member in members}  # type: ignore[union-attr]
    names = ["cat/b-1.cls", "cat/b-1.jpg", "cat/b-1.json", "a-0.json", "a-0.png"]
    assert [member.name for member in members] == names
    assert {(member.mtime, member.uid, member.gid) for member in members} == {(0, 0, 0)}
    assert {(member.uname, member.gname, member.mode) for member in members} == {("", "", 0o644)}
    # The index of the heaviest class, counted in classes.txt.
    assert contents["cat/b-1.cls"] == b"1"
    assert contents["cat/b-1.jpg"] == b"picture"


def test_the_json_of_a_sample_has_the_same_types_in_all_samples() -> None:
    labels = [Label(), Label.of("cat"), Label((("cat", 0.25), ("dog", 0.75)))]
    texts = sample_json([row("x.tar/a.jpg", label) for label in labels])
    contents = [json.loads(text) for text in texts]
    types = [{name: type(value) for name, value in content.items()} for content in contents]
    assert types[0] == types[1] == types[2]
    assert contents[2]["classes"] == ["cat", "dog"]
    assert contents[2]["weights"] == [0.25, 0.75]
    assert contents[2]["source_a"] == "cat/größe 1.jpg"
    assert contents[2]["draw"] == '{"x": 1}'


def test_the_json_of_a_sample_is_that_of_its_row_whatever_text_is_in_it() -> None:
    odd = Label((('a",\n"b\u2028%s', 1.0),))
    rows = [
        row("x.tar/a.jpg", odd)._replace(draw='{"x": "%s,\\n"}', group=',\n"\n\x00'),
        row("b", odd),
    ]
    for text, each in zip(sample_json(rows), rows, strict=True):
        _, _, *facts = each
        values = [list(odd.classes), [1.0], *facts]
        names = ["classes", "weights", *Row._fields[2:]]
        assert json.loads(text) == dict(zip(names, values, strict=True))


def test_pictures_of_several_classes_have_no_number() -> None:
    memory = Memory()
    stream = HashedStream(memory)  # type: ignore[arg-type]  # only written
    label = Label((("cat", 1.0), ("dog", 1.0)))
    archive = TarArchive(stream, {"cat": 0, "dog": 1}, are_many=True)
    archive.add("a.jpg", row("a", label), b"")
    archive.close()
    assert b"a.json" in memory.data
    assert b"a.cls" not in memory.data


@pytest.mark.parametrize(
    "name",
    [
        "cat/a-0ff50eee-cutmix-0.jpg",
        "größe/ö.b c-0ff50eee-cutmix-0.webp",
        "猫/" + "猫" * 33 + "-0ff50eee-cutmix-0.jpeg",
        "/".join(["d" * 100] * 5) + "/" + "s" * 100 + "-0ff50eee-attentive-cutmix-0.jpg",
        "a-" + "0" * 32 + "-" + "m" * 100 + "-999999.jpg",
    ],
)
def test_keys_are_plain_and_fit_in_a_header(name: str) -> None:
    key = container_key(name)
    assert set(key) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_/-")
    folder, _, base = key.rpartition("/")
    assert len(folder) <= 155
    assert len(f"{base}.parquet") <= 100
    assert container_key(f"x{name}") != key
    info = tarfile.TarInfo(f"{key}.jpg")
    assert headers([f"{key}.jpg".encode()], [0]) == info.tobuf(tarfile.USTAR_FORMAT)


def test_folders_whose_plain_names_are_equal_stay_apart() -> None:
    keys = {
        container_key(f"{folder}/a-0ff50eee-cutmix-0.jpg") for folder in ("猫", "犬", "_", "a.b")
    }
    assert len(keys) == 4
