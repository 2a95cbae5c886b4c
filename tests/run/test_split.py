"""``augcli split``: true, the same whatever is added, whole, and INPUT stays as it is."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import augcli
from augcli.data.codecs.encoding import encode
from augcli.data.stores.sources import Sources
from augcli.errors import InputError, OutputError, ParameterError, Stopped
from augcli.run.splitting.division import Division
from augcli.run.splitting.split import split
from tests.photos import class_folders, picture, read, rows, save, times, tree
from tests.run.stores import MemoryStore

if TYPE_CHECKING:
    from tests.conftest import Cli

COUNTS = {"cat": 12, "dog": 9}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return class_folders(tmp_path / "data", COUNTS, side=8)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def pictures(out: Path) -> dict[str, bytes]:
    """Return the bytes of every picture by its name, without split.csv and split.json."""
    return {name: data for name, data in tree(out).items() if "/" in name}


def placed(out: Path) -> dict[str, str]:
    """Return the split of each source."""
    return {row["source"]: row["split"] for row in rows(out, "split.csv")}


def division(paths: list[str], seed: int = 0, val: float = 0.3, test: float = 0.2) -> Division:
    sources = Sources("", sorted(paths))
    sources.set_classes(path.partition("/")[0] for path in sources.paths)
    return Division(sources, seed, val, test)


names = st.lists(st.from_regex(r"(cat|dog)/[a-z]{1,6}\.jpg", fullmatch=True), unique=True)


@given(names, names, st.integers(0, 9))
def test_a_picture_that_is_added_moves_no_other(
    paths: list[str], more: list[str], seed: int
) -> None:
    few, many = division(paths, seed), division([*{*paths, *more}], seed)
    for index, path in enumerate(few.sources.paths):
        at = many.sources.find(path)
        assert at is not None
        assert few.name(index) == many.name(at)


@given(names, st.integers(0, 9))
def test_a_larger_share_only_takes_from_train(paths: list[str], seed: int) -> None:
    few, many = division(paths, seed, 0.1, 0.2), division(paths, seed, 0.4, 0.2)
    for index in range(len(paths)):
        if few.split(index) != "train":
            assert many.split(index) == few.split(index)


@given(names, st.lists(st.sampled_from(["", "anna", "ben", "cleo"]), min_size=200, max_size=200))
def test_groups_stay_whole(paths: list[str], groups: list[str]) -> None:
    divided = division(paths)
    divided.sources.set_groups(groups[: len(paths)])
    splits: dict[str, set[str]] = {}
    for index in range(len(paths)):
        group = groups[index]
        if group:
            splits.setdefault(group, set()).add(divided.split(index))
    assert all(len(own) == 1 for own in splits.values())


def test_the_shares_of_each_class_are_near_those_asked_for() -> None:
    divided = division(
        [f"{name}/{number}.jpg" for name in ("cat", "dog") for number in range(4000)]
    )
    counts = Counter(divided.name(index).rpartition("/")[0] for index in range(8000))
    for name in ("cat", "dog"):
        assert counts[f"val/{name}"] == pytest.approx(1200, abs=100)
        assert counts[f"test/{name}"] == pytest.approx(800, abs=100)


def test_every_picture_is_there_once_byte_for_byte(data: Path, out: Path, cli: Cli) -> None:
    before, content = times(data), tree(data)
    end = cli("split", data, "--val", 0.3, "--test", 0.2, "--out", out)
    assert (end.code, end.out) == (0, f"{out / 'split.csv'}\n")
    assert (times(data), tree(data)) == (before, content)
    made = pictures(out)
    assert {name.partition("/")[2]: bytes_ for name, bytes_ in made.items()} == content
    assert {name.partition("/")[0] for name in made} == {"train", "val", "test"}
    assert sorted(made) == sorted(row["file_name"] for row in rows(out, "split.csv"))
    counts = Counter(name.rpartition("/")[0] for name in made)
    for line in end.err.splitlines():
        if line.startswith(("cat ", "dog ")):
            name, *numbers = line.split()
            wanted = [counts[f"{one}/{name}"] for one in ("train", "val", "test")]
            assert [int(number) for number in numbers] == wanted
    assert "21 images\n" in end.err
    assert not (out / ".augcli").exists()


def test_what_is_made_is_augmented_split_by_split(data: Path, out: Path, cli: Cli) -> None:
    assert cli("split", data, "--val", 0.4, "--out", out).code == 0
    end = cli("cutout", out, "--fill", "black", "--out", out.with_name("made"))
    assert end.code == 0
    assert "splits: train (" in end.err
    assert "skipped" not in end.err
    assert cli("verify", out.with_name("made"), "--against", out).code == 0


def test_the_same_command_again_does_nothing_and_more_pictures_are_added(
    data: Path, out: Path, cli: Cli
) -> None:
    command = ["split", data, "--out", out]
    assert cli(*command).code == 0
    before, first = times(out), placed(out)
    end = cli(*command)
    assert "nothing to do" in end.err
    assert times(out) == before
    for number in range(5):
        save(data / f"cat/new{number}.png", picture(70 + number, 9, 9))
    end = cli(*command)
    assert "26 images, 5 of them new" in end.err
    after = placed(out)
    assert {source: after[source] for source in first} == first
    kept = {name: at for name, at in times(out).items() if name in before and "/" in name}
    assert kept == {name: at for name, at in before.items() if "/" in name}


def test_pictures_that_are_gone_or_changed_are_followed(data: Path, out: Path) -> None:
    split(data, out=out, val=0.4)
    shutil.rmtree(data / "dog")
    save(data / "cat/000.jpg", picture(99, 30, 30))
    split(data, out=out, val=0.4)
    assert {name.partition("/")[2]: found for name, found in pictures(out).items()} == tree(data)
    assert not (out / "train/dog").exists()


def test_an_interrupted_run_is_finished(
    data: Path, out: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = out.with_name("whole")
    split(data, out=whole)
    calls = 0

    def interrupt() -> None:
        nonlocal calls
        calls += 1
        if calls > 7:
            raise KeyboardInterrupt

    from augcli.recipes.options import RunOptions
    from augcli.run.options import SplitOptions
    from augcli.run.splitting.split import split_sources

    with pytest.raises(KeyboardInterrupt):
        split_sources(data, SplitOptions(), RunOptions(out=out), checkpoint=interrupt)
    assert json.loads((out / "split.json").read_text())["state"] == "running"
    assert len(pictures(out)) == 7
    end = cli("cutout", out, "--out", out.with_name("made"))
    assert end.code == 2
    assert "was made by augcli split, which is not complete; run that command again" in end.err
    # A picture that is gone when the run continues leaves no stray file.
    first = rows(out, "split.csv")[0]
    (data / first["source"]).unlink()
    made = split(data, out=out)
    assert (made.images, made.new) == (20, 14)
    expected = {
        name: found for name, found in pictures(whole).items() if name != first["file_name"]
    }
    assert pictures(out) == expected


def test_a_broken_picture_is_a_row_and_no_other_fails(data: Path, out: Path, cli: Cli) -> None:
    (data / "cat/000.jpg").write_bytes(b"no picture")
    end = cli("split", data, "--out", out)
    assert end.code == 1
    assert "20 images\n1 image failed, see " in end.err
    (row,) = rows(out, "errors.csv")
    assert (row["source"], row["stage"]) == ("cat/000.jpg", "decode")
    assert "cat/000.jpg" not in placed(out)
    save(data / "cat/000.jpg", picture(3, 9, 9))
    assert cli("split", data, "--out", out).code == 0
    assert not (out / "errors.csv").exists()


@pytest.mark.parametrize("kind", ["hard", "symbolic"])
def test_files_can_be_links(data: Path, out: Path, cli: Cli, kind: str) -> None:
    before = tree(data)
    command = ["split", data, "--link", kind, "--out", out]
    end = cli(*command)
    assert end.code == 0
    assert "a trainer that repairs or rewrites images in place changes those of INPUT" in end.err
    for row in rows(out, "split.csv"):
        made = out / row["file_name"]
        assert made.samefile(data / row["source"])
        assert made.is_symlink() == (kind == "symbolic")
    assert "nothing to do" in cli(*command).err
    # Copies take the place of the links, and INPUT stays.
    assert cli("split", data, "--out", out, "--overwrite").code == 0
    for row in rows(out, "split.csv"):
        assert not (out / row["file_name"]).samefile(data / row["source"])
        assert not (out / row["file_name"]).is_symlink()
    assert tree(data) == before


def test_links_that_the_disk_can_not_hold_are_refused(
    data: Path, out: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(18, os.strerror(18))

    monkeypatch.setattr("augcli.files.folder.os.link", refuse)
    end = cli("split", data, "--link", "hard", "--out", out)
    assert end.code == 2
    assert "can't hold links of kind hard to the files of INPUT" in end.err
    assert "leave out --link to copy them" in end.err
    assert not any(path.is_file() for path in out.rglob("*"))


def test_a_foreign_folder_is_refused_and_stays(data: Path, out: Path) -> None:
    save(out / "train/cat/mine.jpg", picture(1, 9, 9))
    before = times(out)
    with pytest.raises(OutputError, match="holds files that augcli did not make"):
        split(data, out=out)
    assert times(out) == before


def test_files_that_somebody_else_put_there_stay(data: Path, out: Path) -> None:
    split(data, out=out)
    mine = save(out / "train/cat/mine.jpg", picture(1, 9, 9))
    (data / "cat/001.png").unlink()
    split(data, out=out)
    assert mine.exists()


def test_a_table_from_somebody_else_removes_nothing_outside(data: Path, out: Path) -> None:
    split(data, out=out)
    victim = save(out.with_name("victim.jpg"), picture(1, 9, 9))
    note = out / "note.txt"
    note.write_text("mine")
    table = out / "split.csv"
    with table.open("a") as file:
        csv.writer(file).writerows(
            [
                [name, "cat", "train", "gone.jpg"]
                for name in ("../victim.jpg", str(victim), note.name)
            ]
        )
    split(data, out=out)
    assert victim.exists()
    assert note.exists()


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b'{"identity": 3}'])
def test_a_damaged_record_is_named(data: Path, out: Path, content: bytes) -> None:
    split(data, out=out)
    (out / "split.json").write_bytes(content)
    with pytest.raises(OutputError, match=r"split\.json can't be read"):
        split(data, out=out)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"a,b\n1,2\n", b"file_name,label,split,source\nx\n"]
)
def test_a_damaged_table_is_named(data: Path, out: Path, content: bytes) -> None:
    split(data, out=out)
    (out / "split.csv").write_bytes(content)
    with pytest.raises(OutputError, match=r"split\.csv can't be read"):
        split(data, out=out)


def test_another_command_is_refused_unless_it_may_start_over(data: Path, out: Path) -> None:
    split(data, out=out)
    with pytest.raises(OutputError, match=r"made by another command: seed was 0 and is 4"):
        split(data, out=out, seed=4)
    split(data, out=out, seed=4, overwrite=True)
    again = split(data, out=out.with_name("again"), seed=4)
    assert pictures(out) == pictures(Path(again.out))


def test_what_can_not_be_divided_truly_is_refused(data: Path, out: Path, tmp_path: Path) -> None:
    split(data, out=out)
    with pytest.raises(InputError, match="has splits already: train, val"):
        split(out, out=tmp_path / "more")
    augcli.augment(data, augcli.Cutout(fill="black"), out=tmp_path / "made", workers=0)
    with pytest.raises(InputError, match="outputs of one image would come into two splits"):
        split(tmp_path / "made", out=tmp_path / "more")
    for place in (data / "out", data, tmp_path):
        with pytest.raises(OutputError):
            split(data, out=place)
    assert not (tmp_path / "more").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"val": 0.6, "test": 0.4}, "nothing is left to train with"),
        ({"val": 0.0}, "give a share such as 0.2"),
        ({"val": 1.5}, "must be 0 to 1"),
        ({"link": "soft"}, "must be one of none, hard, symbolic"),
        ({"copies": 2}, "is not an option of split"),
    ],
)
def test_wrong_options_are_refused(data: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        split(data, **options)


def test_classes_of_a_table_become_folders(tmp_path: Path, out: Path) -> None:
    save(tmp_path / "flat/0.png", picture(0, 9, 9))
    save(tmp_path / "flat/deep/0.png", picture(1, 9, 9))
    save(tmp_path / "flat/b/deep/0.png", picture(2, 9, 9))
    table = tmp_path / "labels.csv"
    table.write_text("file_name,label\n0.png,a/b\ndeep/0.png,b\nb/deep/0.png,b\n")
    split(tmp_path / "flat", labels=table, out=out)
    found = {row["source"]: row["file_name"].partition("/")[2] for row in rows(out, "split.csv")}
    assert found["b/deep/0.png"] == "b/deep/0.png"
    assert found["deep/0.png"].startswith("b/deep/0-")
    assert found["0.png"].startswith("a_b-")
    assert all((out / row["file_name"]).is_file() for row in rows(out, "split.csv"))
    # A label that changes moves the file into another folder, and to no other split.
    before = placed(out)
    table.write_text("file_name,label\n0.png,c\ndeep/0.png,b\nb/deep/0.png,b\n")
    split(tmp_path / "flat", labels=table, out=out)
    assert placed(out) == before
    assert len(pictures(out)) == 3


def test_pictures_of_a_container_are_written_as_files(
    out: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    container = tmp_path / "store"
    container.touch()
    image = picture(5, 8, 9)
    png = encode(image, "png", quality=90)
    files = {"a.tar/1.png": png, "a.tar/2.png": png, "b.npz#0": b"\x93NUMPY array"}
    groups = dict.fromkeys(files, "anna")
    store = MemoryStore(str(container), files, dict.fromkeys(files, "cat"), groups=groups)
    monkeypatch.setattr("augcli.run.checking.inputs.open_store", lambda *_: store)

    class Decoded:
        pass

    decoded = Decoded()
    decoded.image = image  # type: ignore[attr-defined]
    monkeypatch.setattr("augcli.work.reading.decode", lambda *_, **__: decoded)
    split("anything", out=out)
    table = rows(out, "split.csv")
    assert [row["file_name"].partition("/")[2] for row in table] == [
        "cat/a.tar/1.png",
        "cat/a.tar/2.png",
        "cat/b.npz#0.png",
    ]
    assert {row["group"] for row in table} == {"anna"}
    assert len({row["split"] for row in table}) == 1
    for row in table:
        assert np.array_equal(read(out / row["file_name"]), image)
    assert split("anything", out=out).new == 0
    with pytest.raises(ParameterError, match="INPUT is not a folder of image files"):
        split("anything", out=out, link="hard")


def test_a_full_disk_stops_the_run_and_the_next_one_finishes(
    data: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from augcli.files.folder import Folder

    publish = Folder.publish

    def fail(self: Folder, name: str, *arguments: object) -> None:
        if name.endswith("005.png"):
            raise OSError(28, os.strerror(28))
        publish(self, name, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "publish", fail)
        with pytest.raises(Stopped, match="disk of OUT is full"):
            split(data, out=out)
    made = split(data, out=out)
    assert (made.images, made.failed) == (21, 0)
    assert len(pictures(out)) == 21


def test_json_tells_all(data: Path, out: Path, cli: Cli) -> None:
    end = cli("split", data, "--out", out, "--json")
    (*_, last) = [json.loads(line) for line in end.out.splitlines()]
    assert last["message_type"] == "split"
    assert last["images"] == last["new"] == 21
    counted = {name: sum(classes.values()) for name, classes in last["splits"].items()}
    assert sum(counted.values()) == 21
