"""Tar archives as INPUT: what is found in them, and how each fault is said."""

from __future__ import annotations

import bz2
import gc
import gzip
import io
import json
import lzma
import os
import pickle
import tarfile
from pathlib import Path

import pytest

from augcli.data.labels import Label
from augcli.data.stores.folder import FolderStore
from augcli.data.stores.opening import open_store
from augcli.data.stores.sources import SourceChanged
from augcli.data.stores.tars import MOST_OPEN, TarStore
from augcli.errors import InputError, Stopped, UnreadableImage
from augcli.files import spool
from tests.shards import png, samples, shards, tar, write


@pytest.fixture(autouse=True)
def spools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that spools are made in."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def one(folder: Path, *entries: tuple[str, bytes]) -> Path:
    """Write an archive of these entries."""
    return write(folder / "a.tar", tar(entries))


def listed(place: object) -> dict[str, str]:
    """Return path and label of each source."""
    sources = open_store(str(place)).list()
    return {path: str(sources.label(at)) for at, path in enumerate(sources.paths)}


def refused(place: object) -> dict[str, str]:
    """Return what can't be used."""
    return dict(open_store(str(place)).list().refused)


GOOD = ("good.png", png(1))


def test_entries_are_read_in_place(tmp_path: Path) -> None:
    store = open_store(str(shards(tmp_path / "in", "b.tar", "a.tar.gz", "sub/c.tgz")))
    sources = store.list()
    assert sources.paths == sorted(sources.paths)
    assert len(sources) == 18
    copy = pickle.loads(pickle.dumps(store))
    for index, path in enumerate(sources.paths):
        source = sources.source(index)
        number = int(path.rpartition("/")[2][:5])
        assert store.read(source) == copy.read(source) == png(number)
        assert sources.label(index) == Label.of(str(number % 3))
        assert source.place == f"{number % 3}/{number:05d}.png"
    assert sources.folders() == {"b.tar", "a.tar.gz", "sub/c.tgz"}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_format_gives_what_tarfile_gives(tmp_path: Path, form: int) -> None:
    names = ["a.png", "./b/c.png", "ü" * 30 + ".png", "d" * 90 + "/" + "e" * 90 + ".png"]
    if form != tarfile.USTAR_FORMAT:
        names += ["f" * 90 + "/" + "g" * 300 + ".png"]
    place = write(tmp_path / "a.tar", tar([(name, png(at)) for at, name in enumerate(names)], form))
    store = open_store(str(place))
    sources = store.list()
    assert set(sources.paths) == {f"a.tar/{name.removeprefix('./')}" for name in names}
    with tarfile.open(place) as archive:
        for index, path in enumerate(sources.paths):
            name = next(name for name in names if path.endswith(name.removeprefix("./")))
            member = archive.extractfile(name)
            assert member is not None
            assert store.read(sources.source(index)) == member.read()


@pytest.mark.parametrize(
    "place",
    [
        "in",
        "in/x-0.tar::in/x-1.tar::in/x-2.tar",
        "in/x-{0..2}.tar",
        "in/x-{0,1,2}.tar",
        "in/{x-{0..1},x-2}.tar",
        "in/x-{2..0}.tar",
        "in/x-0.tar::in/x-{1..2}.tar::",
    ],
)
def test_patterns_name_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    shards(tmp_path / "in", "x-0.tar", "x-1.tar", "x-2.tar")
    monkeypatch.chdir(tmp_path)
    assert list(listed(place)) == list(listed(tmp_path / "in"))
    assert open_store(place).list().root == os.path.realpath(tmp_path / "in")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("x-{0..3}.tar", "x-3.tar does not exist"),
        ("x-{0..999999999999}.tar", "more than 100,000 archives"),
        ("{0..999}{0..999}.tar", "more than 100,000 archives"),
        ("x-0.tar::photos", "names photos, which is no tar archive"),
        ("x-{0..1}.tar.zst", "zstd"),
        ("folder.tar::x-0.tar", "folder.tar is not a file"),
        ("x.tar/y.tar", "named like a tar archive"),
    ],
)
def test_patterns_that_name_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, words: str
) -> None:
    shards(tmp_path, "x-0.tar", "x-1.tar", "x-2.tar", "x.tar/y.tar")
    (tmp_path / "folder.tar").mkdir()
    monkeypatch.chdir(tmp_path)
    if place == "x.tar/y.tar":
        place = str(tmp_path)
    with pytest.raises(InputError, match=words):
        open_store(place).list()


def test_a_folder_with_images_is_none_of_archives(tmp_path: Path) -> None:
    shards(tmp_path / "in", "a.tar", "cat/b.tar")
    assert isinstance(open_store(str(tmp_path / "in")), TarStore)
    (tmp_path / "in" / "cat" / "1.png").write_bytes(png(1))
    assert isinstance(open_store(str(tmp_path / "in")), FolderStore)


LABELS = {
    "a number": ({"cls": b"7\n"}, "7"),
    "a name": ({"cls": "café".encode()}, "café"),
    "no field": ({}, "(unlabelled)"),
    "a text": ({"txt": b" a dog \n"}, "a dog"),
    "a caption": ({"txt": b"one\ntwo"}, "(unlabelled)"),
    "cls before txt": ({"txt": b"a dog", "cls": b"1"}, "1"),
    "json": ({"json": b'{"width": 3, "label": "emu"}'}, "emu"),
    "json with a number": ({"json": b'{"label": 4}'}, "4"),
    "json without a label": ({"json": b'{"width": 3}', "cls": b"2"}, "2"),
    "cls before json": ({"json": b'{"label": "emu"}', "cls": b"2"}, "2"),
    "soft before cls": ({"json": b'{"label": {"a": 0.25, "b": 0.75, "c": 0}}', "cls": b"1"}, ""),
    "soft by number": ({"json": b'{"label": [0, 0.5, 0.5]}'}, "1 0.5, 2 0.5"),
}


@pytest.mark.parametrize("case", LABELS)
def test_labels(tmp_path: Path, case: str) -> None:
    fields, label = LABELS[case]
    place = one(tmp_path, ("x.png", png(1)), *((f"x.{name}", fields[name]) for name in fields))
    assert listed(place) == {"a.tar/x.png": label or "a 0.25, b 0.75"}


WRONG_LABELS = {
    "its cls is no text in UTF-8": {"cls": b"\xff"},
    "its json is not JSON": {"json": b"{"},
    "is not JSON in UTF-8": {"json": b'{"label": NaN}'},
    "sum to 0, not to 1": {"json": b'{"label": {"a": 0}}'},
    "sum to 0.5, not to 1": {"json": b'{"label": {"a": 0.5}}'},
    "the weight of 'a' in its json is -1": {"json": b'{"label": {"a": -1, "b": 2}}'},
    "the weight of 'b' in its json is 1e+400": {"json": b'{"label": {"b": "1e+400"}}'},
    "not of a weight for each class": {"json": b'{"label": ["a", "b"]}'},
    "no name and no whole number": {"json": b'{"label": true}'},
    "no text in UTF-8": {"json": b'{"label": "\\ud800"}'},
    "no name of up to": {"cls": b"a\0b"},
    "too many for a label": {"cls": b"1" * (2 << 20)},
}


@pytest.mark.parametrize("words", WRONG_LABELS)
def test_wrong_labels_are_rows(tmp_path: Path, words: str) -> None:
    fields = WRONG_LABELS[words]
    entries = [(f"x.{name}", data) for name, data in fields.items()]
    found = refused(one(tmp_path, GOOD, ("x.png", png(2)), *entries))
    assert list(found) == ["a.tar/x.png"]
    assert words in found["a.tar/x.png"]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("classes.txt", "cat\ndog\n"),
        ("classnames.txt", "cat\ndog"),
        (
            "dataset_info.json",
            json.dumps({"features": {"image": {}, "label": {"names": ["cat", "dog"]}}}),
        ),
    ],
)
def test_a_file_beside_the_archives_names_classes(tmp_path: Path, file: str, content: str) -> None:
    shards(tmp_path, "a.tar")
    (tmp_path / file).write_text(content, "utf-8")
    assert set(listed(tmp_path).values()) == {"cat", "dog"}
    found = refused(tmp_path)
    assert found["a.tar/00002.png"] == (
        "its label is class 2, but there are the names of 2 classes, from 0"
    )


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("classes.txt", b"cat\ncrane\ncrane\n", "the classes 1 and 2 both 'crane'"),
        ("classes.txt", b"cat\n\ndog\n", "a line between others is empty"),
        ("classes.txt", b"\xff\n", "can't be read"),
        ("dataset_info.json", b"{", "can't be read"),
        ("_info.json", b"{", "fix or remove it"),
    ],
)
def test_damaged_files_beside_the_archives(
    tmp_path: Path, file: str, content: bytes, words: str
) -> None:
    shards(tmp_path, "a.tar")
    (tmp_path / file).write_bytes(content)
    with pytest.raises(InputError, match=words):
        open_store(str(tmp_path)).list()


def test_one_image_of_each_sample(tmp_path: Path) -> None:
    place = one(
        tmp_path,
        *(("a.seg.png", png(1)), ("a.jpg", png(2)), ("a.png", png(3))),
        *(("b.rgb.png", png(4)), ("c.webp", png(5)), ("c.gif", png(6))),
        *(("d.0.5.jpg", png(7)), ("d.0.7.jpg", png(8)), ("e.npy", b"1")),
    )
    sources = open_store(str(place)).list()
    assert sources.paths == ["a.tar/a.jpg", "a.tar/b.rgb.png", "a.tar/c.webp"]
    assert "several images (0.5.jpg, 0.7.jpg)" in dict(sources.refused)["a.tar/d.0.5.jpg"]
    assert any(text.startswith("3 samples have several images") for text in sources.notices)
    assert sources.skipped["sample", "without an image that augcli reads"] == 1


def test_keys_and_fields_that_appear_twice(tmp_path: Path) -> None:
    place = one(
        tmp_path,
        GOOD,
        *(("a.png", png(1)), ("a.PNG", png(2))),
        *(("b.png", png(3)), ("c.png", png(4)), ("b.cls", b"1"), ("c.png", png(5))),
    )
    found = refused(place)
    assert "two entries called 'png'" in found["a.tar/a.png"]
    assert "side by side" in found["a.tar/b"]
    assert "appears twice" in found["a.tar/c.png"]


HOSTILE = {
    "../up.png": "leads out",
    "a/../../up.png": "leads out",
    "/etc/up.png": "leads out",
    "a//b.png": "no path",
    "a/./b.png": "no path",
    "x" * 5000 + ".png": "5,004 characters",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_rows(tmp_path: Path, name: str) -> None:
    data = tar([GOOD, (name, png(2))], tarfile.PAX_FORMAT)
    found = refused(write(tmp_path / "a.tar", data))
    assert [HOSTILE[name] in reason for reason in found.values()] == [True]
    assert list(listed(tmp_path / "a.tar")) == ["a.tar/good.png"]


def test_names_that_are_no_text(tmp_path: Path) -> None:
    data = tar([GOOD, ("qqqq.png", png(2))]).replace(b"qqqq", b"q\xff\xfeq")
    at = data.index(b"q\xff\xfeq")
    header = bytearray(data[at : at + 512])
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    place = write(tmp_path / "a.tar", data[:at] + bytes(header) + data[at + 512 :])
    assert "not UTF-8" in refused(place)["a.tar/q\\udcff\\udcfeq.png"]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_entries_that_are_no_files(tmp_path: Path, kind: bytes) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        about = tarfile.TarInfo("x.png")
        about.type, about.linkname = kind, "/etc/passwd"
        archive.addfile(about)
        about = tarfile.TarInfo("folder.png")
        about.type = tarfile.DIRTYPE
        archive.addfile(about)
        about = tarfile.TarInfo("good.png")
        about.size = len(png(1))
        archive.addfile(about, io.BytesIO(png(1)))
    place = write(tmp_path / "a.tar", file.getvalue())
    assert list(listed(place)) == ["a.tar/good.png"]
    found = refused(place)
    assert list(found) == ["a.tar/x.png"]
    assert "in the archive, not a file" in found["a.tar/x.png"]


@pytest.mark.parametrize(
    "headers",
    [
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "x.png"},
        {"GNU.sparse.map": "0,1", "GNU.sparse.size": "100000000000"},
    ],
)
def test_sparse_entries(tmp_path: Path, headers: dict[str, str]) -> None:
    file = io.BytesIO(tar([GOOD]))
    with tarfile.open(fileobj=file, mode="a", format=tarfile.PAX_FORMAT) as archive:
        about = tarfile.TarInfo("x.png")
        about.size, about.pax_headers = 4, headers
        archive.addfile(about, io.BytesIO(b"abcd"))
    found = refused(write(tmp_path / "a.tar", file.getvalue()))
    assert found == {"a.tar/x.png": "is a sparse file in the archive, not a file"}


def test_an_entry_of_100_gigabytes(tmp_path: Path) -> None:
    about = tarfile.TarInfo("huge.png")
    about.size = 100 << 30
    data = tar([GOOD, ("last.cls", b"1")]).rstrip(b"\0")
    data += bytes(-len(data) % 512) + about.tobuf(tarfile.GNU_FORMAT)
    place = write(tmp_path / "a.tar", data)
    assert "it is cut off: 'huge.png'" in refused(place)["a.tar"]
    # A sparse file really has them.
    with place.open("r+b") as file:
        file.truncate((100 << 30) + (1 << 20))
    store = open_store(str(place))
    sources = store.list()
    assert sources.paths == ["a.tar/good.png", "a.tar/huge.png"]
    with pytest.raises(UnreadableImage, match="zero bytes only"):
        store.read(sources.source(1))


@pytest.mark.parametrize("name", ["a.tar.gz", "a.tar.bz2", "a.tar.xz", "a.tar", "b.tgz"])
def test_compressed_archives_are_known_by_their_bytes(tmp_path: Path, name: str) -> None:
    data = tar(samples(0, 4))
    half = len(data) // 2
    place = tmp_path / name
    # Two streams, one after the other.
    if name.endswith("bz2"):
        place.write_bytes(bz2.compress(data[:half]) + bz2.compress(data[half:]))
    elif name.endswith("xz"):
        place.write_bytes(lzma.compress(data[:half]) + lzma.compress(data[half:]))
    else:
        place.write_bytes(gzip.compress(data[:half]) + gzip.compress(data[half:]))
    assert len(listed(place)) == 4


def test_a_bomb_is_unpacked_within_bounds(
    tmp_path: Path, spools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("augcli.data.stores.tars.MOST_MORE", 1 << 20)
    folder = tmp_path / "in"
    write(folder / "bomb.tar.gz", tar([GOOD, ("zeros.png", bytes(50 << 20))]))
    write(folder / "good.tar.gz", tar([GOOD]))
    store = open_store(str(folder))
    sources = store.list()
    assert sources.paths == ["good.tar.gz/good.png"]
    assert "unpacks to more than" in dict(sources.refused)["bomb.tar.gz"]
    assert sum(path.stat().st_size for path in spools.rglob("*") if path.is_file()) < 1 << 20


@pytest.mark.parametrize("cut", [0, 1, 10, 100, -9, -1])
def test_compressed_archives_that_are_cut_off(tmp_path: Path, cut: int) -> None:
    folder = shards(tmp_path / "in", "good.tar", "cut.tar.gz")
    (folder / "cut.tar.gz").write_bytes((folder / "cut.tar.gz").read_bytes()[:cut])
    if cut == 0:
        assert any("cut.tar.gz" in text for text in open_store(str(folder)).list().notices)
    else:
        assert "archive can't be read" in refused(folder)["cut.tar.gz"] or cut == 1


def test_no_room_for_the_spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "RESERVE", 1 << 60)
    with pytest.raises(Stopped, match=r"has no room to unpack a\.tar\.gz of INPUT"):
        open_store(str(shards(tmp_path / "in", "a.tar.gz"))).list()


def test_the_spool_lives_as_long_as_its_store(tmp_path: Path, spools: Path) -> None:
    store = open_store(str(shards(tmp_path / "in", "a.tar.gz")))
    assert list(spools.iterdir()) == []
    store.list()
    (folder,) = spools.iterdir()
    other = open_store(str(tmp_path / "in"))
    other.list()
    assert len(list(spools.iterdir())) == 2
    del store, other
    gc.collect()
    assert not folder.exists()
    assert list(spools.iterdir()) == []


def test_the_next_run_removes_the_spool_of_a_killed_one(tmp_path: Path, spools: Path) -> None:
    left = spools / f"{spool.PREFIX}left"
    left.mkdir()
    (left / "lock").touch()
    (left / "x.tar").write_bytes(b"1")
    of_others = spools / f"{spool.PREFIX}link"
    of_others.symlink_to(tmp_path)
    (tmp_path / "lock").touch()
    store = open_store(str(shards(tmp_path / "in", "a.tar.gz")))
    store.list()
    assert not left.exists()
    assert (tmp_path / "lock").exists()


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_an_archive_that_changes_is_not_read(tmp_path: Path, name: str) -> None:
    place = write(tmp_path / name, tar(samples(0, 3)))
    store = open_store(str(place))
    source = store.list().source(0)
    store.read(source)
    os.utime(place, ns=(1, 1))
    with pytest.raises(SourceChanged):
        store.read(source)
    if name == "a.tar":
        place.write_bytes(b"")
        with pytest.raises(SourceChanged):
            store.read(source)


def test_few_archives_are_open(tmp_path: Path) -> None:
    names = [f"{number:03d}.tar" for number in range(MOST_OPEN + 20)]
    store = open_store(str(shards(tmp_path, *names, each=1)))
    assert isinstance(store, TarStore)
    sources = store.list()
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for index in range(len(sources)):
        assert store.read(sources.source(index)) == png(index)
    if before:
        assert len(os.listdir("/proc/self/fd")) - before <= MOST_OPEN


SPLITS = {
    ("train-0.tar", "val-0.tar"): ["train", "val"],
    ("x-train-0.tar", "x-validation-0.tar"): ["train", "validation"],
    ("train/0.tar", "test/0.tar"): ["test", "train"],
    ("train-0.tar", "train-1.tar"): [],
    ("train-0.tar", "val-0.tar", "more.tar"): [],
    ("cat.tar", "dog.tar"): [],
}


@pytest.mark.parametrize("names", SPLITS)
def test_splits_by_the_names_of_archives(tmp_path: Path, names: tuple[str, ...]) -> None:
    place = str(shards(tmp_path, *names))
    sources = open_store(place).list()
    assert sources.splits == SPLITS[names]
    for index, path in enumerate(sources.paths):
        assert sources.split(index) in path
    assert open_store(place, layout="classes").list().splits == []


def test_splits_by_the_info_of_timm(tmp_path: Path) -> None:
    shards(tmp_path, "a.tar", "b.tar", "c.tar")
    about = {"one": {"filenames": ["a.tar", "b.tar"]}, "two": {"filenames": ["c.tar"]}}
    (tmp_path / "_info.json").write_text(json.dumps({"splits": about}))
    sources = open_store(str(tmp_path)).list()
    assert sources.splits == ["one", "two"]
    assert sources.split(sources.paths.index("b.tar/00006.png")) == "one"


def test_archives_of_class_folders(tmp_path: Path) -> None:
    names = ["set/cat/1.png", "set/cat/2.png", "set/dog/1.png"]
    place = one(tmp_path, *((name, png(at)) for at, name in enumerate(names)))
    assert list(listed(place).values()) == ["cat", "cat", "dog"]
    names = ["train/cat/1.png", "train/dog/2.png", "val/dog/1.png"]
    sources = open_store(
        str(one(tmp_path, *((name, png(at)) for at, name in enumerate(names))))
    ).list()
    assert (sources.splits, sources.classes) == (["train", "val"], ["cat", "dog"])


def test_nothing_to_use(tmp_path: Path) -> None:
    for content, words in [
        (b"<html>", "cut off at byte 6"),
        (b"<html>" + bytes(600), "is no tar archive"),
        (b"", "its archives are empty"),
        (bytes(1024), "its archives are empty"),
        (tar([("a.npy", b"1")]), "without an image that augcli reads"),
    ]:
        place = write(tmp_path / "a.tar", content)
        with pytest.raises(InputError, match=words):
            open_store(str(place)).list()


def test_what_follows_an_end(tmp_path: Path) -> None:
    data = tar([GOOD])
    assert "more follows" in refused(write(tmp_path / "a.tar", data + data))["a.tar"]
    whole = data[: 512 + len(png(1)) + -len(png(1)) % 512]
    sources = open_store(str(write(tmp_path / "a.tar", whole))).list()
    assert sources.refused == []
    assert any("they may be cut off" in text for text in sources.notices)
