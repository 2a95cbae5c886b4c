"""``augcli inspect``: what INPUT holds, counted right and shown in 80 columns."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import augcli
from augcli.data.codecs.encoding import encode
from augcli.data.labels import Label
from augcli.data.stores.sources import Sources
from augcli.errors import ParameterError
from augcli.run.class_counts import class_counts
from augcli.run.inspecting.duplicates import duplicates_of
from augcli.run.inspecting.inspect import inspect
from tests.photos import class_folders, picture, save, times
from tests.run.stores import MemoryStore

if TYPE_CHECKING:
    from augcli.run.messages import Message
    from tests.conftest import Cli


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """INPUT with all that can be wrong in it."""
    folder = class_folders(tmp_path / "data", {"cat": 6, "dog": 2})
    shutil.copy(folder / "cat/000.jpg", folder / "cat/again.jpg")
    shutil.copy(folder / "cat/001.png", folder / "dog/other.png")
    save(folder / "dog/black.png", np.zeros((9, 12, 3), np.uint8))
    save(folder / "dog/white.png", np.full((90, 120, 3), 250, np.uint8))
    (folder / "cat/broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
    (folder / "cat/notes.psd").write_bytes(b"8BPS" + bytes(600))
    save(folder / "loose.png", picture(9, 20, 20))
    return folder


def test_everything_is_counted(data: Path) -> None:
    before = times(data)
    found = inspect(data, workers=0)
    assert times(data) == before
    assert (found.kind, found.images, found.failed) == ("folder", 14, 1)
    assert found.classes == {"cat": 8, "dog": 5}
    assert (found.labels, found.unlabelled, found.imbalance) == ("single", 1, 1.6)
    assert found.formats == {"PNG": 8, "JPEG": 5}
    assert (found.black, found.one_colour) == (1, 1)
    assert found.blank == ["dog/black.png", "dog/white.png"]
    assert (found.smallest.path, found.largest.path) == ("dog/black.png", "dog/white.png")  # type: ignore[union-attr]
    assert (found.width.smallest, found.width.largest) == (12, 120)  # type: ignore[union-attr]
    assert (found.duplicates.images, found.duplicates.sets) == (2, 2)
    assert (found.duplicates.conflicting, found.duplicates.across_splits) == (1, 0)
    worst, other = found.duplicates.examples
    assert (worst.paths, worst.conflicting) == (["cat/001.png", "dog/other.png"], True)
    assert (other.paths, other.conflicting) == (["cat/000.jpg", "cat/again.jpg"], False)
    assert [failure.source for failure in found.failures] == ["cat/broken.jpg"]
    assert found.skipped == {"Photoshop document (not supported)": 1}
    assert found.exit_code == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_the_number_of_workers_changes_nothing(data: Path, workers: int) -> None:
    one, other = (inspect(data, workers=count).to_json() for count in (0, workers))
    assert {**one, "seconds": 0} == {**other, "seconds": 0}


def test_splits_are_told_apart(tmp_path: Path, cli: Cli) -> None:
    folder = tmp_path / "data"
    class_folders(folder / "train", {"cat": 3, "dog": 2})
    class_folders(folder / "val", {"cat": 1})
    found = inspect(folder, workers=0)
    assert {name: (one.images, one.classes) for name, one in found.splits.items()} == {
        "train": (5, {"cat": 3, "dog": 2}),
        "val": (1, {"cat": 1}),
    }
    # The first pictures of both splits are the same.
    assert (found.duplicates.sets, found.duplicates.across_splits) == (1, 1)
    end = cli("inspect", folder)
    assert end.code == 0
    assert "duplicates  1 image is the same file as another; 1 set across splits\n" in end.out
    assert "class  images  train  val\ncat         4      3    1\ndog         2      2    0\n" in (
        end.out
    )


def test_any_store_is_inspected(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = {f"cat/{n}.png": encode(picture(n, 8, 9), "png", quality=90) for n in range(4)}
    store = MemoryStore(
        str(tmp_path),
        files,
        splits={path: "train" if path < "cat/2" else "val" for path in files},
        groups={"cat/0.png": "anna", "cat/1.png": "ben", "cat/3.png": "anna"},
    )
    monkeypatch.setattr("augcli.run.checking.inputs.open_store", lambda *_: store)
    found = inspect("anything", workers=0)
    assert (found.kind, found.images, found.groups) == ("memory", 4, 2)
    assert (found.leaks.groups, found.leaks.examples) == (1, {"anna": ["train", "val"]})
    assert "groups      2, 1 of them in two splits: 'anna' in train, val\n" in (
        cli("inspect", "anything").out
    )


def test_json_is_one_object(cli: Cli, data: Path) -> None:
    end = cli("inspect", data, "--json")
    assert (end.code, end.err) == (1, "")
    (line,) = end.out.splitlines()
    content = json.loads(line)
    assert content["message_type"] == "inspection"
    found = json.loads(json.dumps(inspect(data, workers=0).to_json()))
    assert {**content, "seconds": 0} == {"message_type": "inspection", **found, "seconds": 0}


def test_the_page_fits_in_80_columns(cli: Cli, tmp_path: Path) -> None:
    for number in range(30):
        name = f"a long name of a class, {number:03} {'x' * 80}"
        save(tmp_path / "data" / name / "a.png", picture(number, 4, 4))
    lines = cli("inspect", tmp_path / "data").out.splitlines()
    table = lines[lines.index("") + 1 :]
    assert len(table) == 22
    assert "… 10 more" in table
    assert max(map(len, table)) <= 80


def test_what_is_wrong_with_input_is_said(cli: Cli, tmp_path: Path, photos: Path) -> None:
    end = cli("inspect", tmp_path / "nowhere")
    assert (end.code, end.out) == (2, "")
    assert "does not exist" in end.err
    with pytest.raises(ParameterError, match="copies is not an option of inspect"):
        augcli.inspect(photos, copies=2)
    with pytest.raises(ParameterError, match="must be the path"):
        augcli.inspect(7)  # type: ignore[arg-type]


def test_progress_and_failures_are_reported(data: Path) -> None:
    heard: list[Any] = []

    def listen(message: Message) -> None:
        heard.append(message)

    inspect(data, workers=0, listener=listen)
    last = [one for one in heard if one.message_type == "progress"][-1]
    assert (last.made, last.failed, last.total) == (13, 1, 14)
    assert [one.source for one in heard if one.message_type == "error"] == ["cat/broken.jpg"]


def test_labels_from_a_table(cli: Cli, tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / "flat" / f"{number}.png", picture(number, 9, 9))
    table = tmp_path / "labels.csv"
    table.write_text("file_name,label\n0.png,a\n1.png,b\n2.png,b\n")
    assert inspect(tmp_path / "flat", labels=table, workers=0).classes == {"a": 1, "b": 2}
    end = cli("inspect", tmp_path / "flat", "--labels", table)
    assert "classes     2; the largest has 2 times the images of the smallest\n" in end.out


def test_an_output_folder_is_inspected_with_its_soft_labels(photos: Path, tmp_path: Path) -> None:
    augcli.augment(photos, augcli.MixUp(), out=tmp_path / "out", workers=0)
    found = inspect(tmp_path / "out", workers=0)
    assert found.labels == "soft"
    assert sum(found.classes.values()) == found.images == 9
    assert sum(found.mass.values()) == pytest.approx(9)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, 4))))
def test_duplicates_are_those_of_the_definition(rows: list[tuple[str, str, int]]) -> None:
    sources = Sources("", [f"{number:03}" for number in range(len(rows))])
    sources.set_classes(label for label, _, _ in rows)
    sources.set_splits([split for _, split, _ in rows], [])
    digests = np.array([[content % 2, content // 2] for _, _, content in rows], np.uint64)
    digests = digests.reshape(-1, 2)
    known = np.ones(len(rows), np.bool_)
    found = duplicates_of(sources, digests, known)
    sets: dict[int, list[int]] = {}
    for number, (_, _, content) in enumerate(rows):
        sets.setdefault(content, []).append(number)
    several = [members for members in sets.values() if len(members) > 1]
    assert found.sets == len(several)
    assert found.images == sum(len(members) - 1 for members in several)
    assert found.conflicting == sum(len({rows[n][0] for n in own}) > 1 for own in several)
    assert found.across_splits == sum(len({rows[n][1] for n in own}) > 1 for own in several)
    assert sorted(one.paths for one in found.examples) == sorted(
        [sources.paths[number] for number in members] for members in several
    )


def test_several_classes_count_for_each_of_them() -> None:
    sources = Sources("", ["a", "b", "c"], are_many=True)
    many = Label((("cat", 1.0), ("dog", 1.0), ("emu", 0.0)))
    sources.set_labels([many, Label.of("dog"), Label()])
    counts = {name: (one.images, one.mass) for (_, name), one in class_counts(sources).items()}
    assert counts == {"cat": (1, 1.0), "dog": (2, 2.0), "": (1, 0.0)}
    times_each = np.array([3, 1, 2])
    counted = class_counts(sources, times_each)
    assert {name: one.images for (_, name), one in counted.items()} == {"cat": 3, "dog": 4, "": 2}


def test_soft_labels_count_for_the_heaviest() -> None:
    sources = Sources("", ["a"])
    sources.set_labels([Label((("cat", 0.25), ("dog", 0.75)))])
    counts = {name: (one.images, one.mass) for (_, name), one in class_counts(sources).items()}
    assert counts == {"cat": (0, 0.25), "dog": (1, 0.75)}
