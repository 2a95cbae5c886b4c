"""Parquet files and arrays as INPUT: the same promises as for folders."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import augcli
from augcli.data.codecs.decoding import decode
from augcli.data.stores.opening import open_store
from tests.arrays import (
    CIFAR_NAMES,
    SETS,
    cifar,
    cifar_batch,
    classes,
    encoded,
    greys,
    hugging_face,
    idx,
    mnist,
    npy,
    npz,
    parquet,
    stack,
)
from tests.photos import picture, read, rows, save, times, tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Cli

each_set = pytest.mark.parametrize("make", SETS.values(), ids=SETS)


def labels_by_source(out: Path) -> dict[str, str]:
    return {row["source_a"]: row["label_a"] for row in rows(out)}


@each_set
def test_workers_change_no_byte_and_every_output_can_be_made_again(
    cli: Cli, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    source = make(tmp_path)
    for workers in (0, 1, 2):
        out = tmp_path / f"out-{workers}"
        end = cli("cutout", source, "--out", out, "--copies", 2, "--workers", workers)
        assert end.code == 0, end.err
        assert tree(out) == tree(tmp_path / "out-0")
    end = cli("verify", tmp_path / "out-0", "--against", source)
    assert end.code == 0, end.err
    count = len(rows(tmp_path / "out-0"))
    assert f"{count} made again, {count} of them identical" in end.out
    before = times(out)
    end = cli("cutout", source, "--out", out, "--copies", 2)
    assert "nothing to do" in end.err
    assert times(out) == before


@pytest.mark.parametrize("name", ["hugging face", "npz", "cifar", "packed mnist"])
@pytest.mark.parametrize("pair", ["any", "different", "same", "balanced"])
def test_mixing_keeps_to_the_split_and_the_labels(
    cli: Cli, tmp_path: Path, name: str, pair: str, scorer: Path
) -> None:
    source, out = SETS[name](tmp_path), tmp_path / "out"
    command = ["cutmix", source, "--out", out, "--model", scorer, "--top-n", 9, "--pair", pair]
    end = cli(*command)
    assert end.code == 0, end.err
    label_of = labels_by_source(out)
    for row in rows(out):
        if row["source_b"]:
            # One class of both has one weight.
            assert label_of[row["source_b"]] == (row["label_b"] or row["label_a"])
            assert ("train" in row["source_b"] or "data" in row["source_b"]) == (
                row["split"] == "train"
            )
        assert row["file_name"].startswith(f"{row['split']}/{row['label_a']}/")
    assert cli("verify", out, "--against", source).code == 0


@pytest.mark.parametrize("name", ["hugging face", "packed npz", "old cifar"])
def test_a_killed_run_is_resumed(tmp_path: Path, name: str) -> None:
    source, out, whole = SETS[name](tmp_path), tmp_path / "out", tmp_path / "whole"
    method = augcli.Cutout(fill="black")

    class Stop(Exception):
        pass

    def stop_soon(message: Any) -> None:
        if type(message).__name__ == "Progress" and message.made >= 3:
            raise Stop

    augcli.augment(source, method, out=whole, workers=0)
    with pytest.raises(Stop):
        augcli.augment(source, method, out=out, workers=0, listener=stop_soon)
    augcli.augment(source, method, out=out, workers=0)
    assert tree(out) == tree(whole)


def extended(folder: Path, kind: str, stage: int) -> Path:
    """Return a set, and the same with a second file."""
    if kind == "parquet":
        for number in range(stage):
            images = [encoded(picture(90 * number + each, 20, 20)) for each in range(6)]
            parquet(folder / f"part-{number:05d}.parquet", images, [0, 1] * 3)
    elif kind == "npz":
        for number in range(stage):
            pictures = stack(6, first=90 * number)
            npz(folder / f"{number}.npz", images=pictures, labels=classes(6))
    else:
        for number in range(stage):
            batch = folder / f"data_batch_{number + 1}"
            cifar_batch(batch, stack(6, 32, first=90 * number), classes(6).tolist(), 4)
    return folder


@pytest.mark.parametrize("kind", ["parquet", "npz", "cifar"])
def test_a_second_file_only_adds(cli: Cli, tmp_path: Path, kind: str) -> None:
    source, out = extended(tmp_path / "set", kind, 1), tmp_path / "out"
    assert cli("cutout", source, "--out", out, "--fill", "black").code == 0
    before = times(out)
    extended(tmp_path / "set", kind, 2)
    end = cli("cutout", source, "--out", out, "--fill", "black")
    assert end.code == 0, end.err
    after = times(out)
    outputs = [name for name in before if name.endswith(".png")]
    assert len(outputs) == 6
    assert all(before[name] == after[name] for name in outputs)
    fresh = tmp_path / "fresh"
    assert cli("cutout", source, "--out", fresh, "--fill", "black").code == 0
    # The parts remember in how many shards the set began.
    assert tree(out, hidden=False) == tree(fresh, hidden=False)
    first = min(path for path in source.iterdir() if path.is_file())
    first.unlink()
    assert cli("cutout", source, "--out", out, "--fill", "black").code == 0
    assert len(rows(out)) == 6
    assert cli("verify", out, "--against", source).code == 0


def test_a_file_with_other_row_groups_is_made_again(cli: Cli, tmp_path: Path) -> None:
    source, out, fresh = tmp_path / "set", tmp_path / "out", tmp_path / "fresh"
    images = [encoded(picture(number, 20, 20)) for number in range(60)]
    for group in (4, 7, 60):
        parquet(source / "a.parquet", images, [0, 1] * 30, group=group)
        assert cli("cutout", source, "--out", out, "--fill", "black").code == 0
        shutil.rmtree(fresh, ignore_errors=True)
        assert cli("cutout", source, "--out", fresh, "--fill", "black").code == 0
        # Parts also name what was removed.
        assert tree(out, hidden=False) == tree(fresh, hidden=False)
        assert cli("verify", out, "--against", source).code == 0


@each_set
def test_heat_maps_are_stored_and_used(
    cli: Cli, tmp_path: Path, make: Callable[[Path], Path], scorer: Path
) -> None:
    source, maps, out = make(tmp_path / "in"), tmp_path / "maps.npz", tmp_path / "out"
    end = cli("heatmaps", source, "--out", maps, "--model", scorer)
    assert end.code == 0, end.err
    common = ["--model", scorer, "--top-n", 9, "--layout", "flat", "--pair", "any"]
    if "labels in" not in end.err and not rows_have_labels(source):
        return
    command = ["cutmix", source, *common, "--out"]
    assert cli(*command, out, "--heatmaps", maps).code == 0
    assert cli(*command, tmp_path / "scored").code == 0
    assert tree(out) == tree(tmp_path / "scored")


def rows_have_labels(source: Path) -> bool:
    return bool(open_store(os.fspath(source)).list().classes)


@each_set
def test_what_is_read_is_what_was_stored(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    store = open_store(os.fspath(make(tmp_path)))
    sources = store.list()
    assert sources.paths == sorted(sources.paths)
    for index in range(len(sources)):
        source = sources.source(index)
        number = int(source.where)
        image = decode(store.read(source)).image
        assert source.place.endswith((".png", ".jpg"))
        if "hugging" in str(source.path) or source.place.endswith(".jpg"):
            continue
        height = image.shape[0]
        firsts = {"train-00001": 100, "test-": 0, "data_batch_2": 20, "test_batch": 40}
        first = next((at for word, at in firsts.items() if word in source.path), 0)
        first = 200 if "test-00000-of" in source.path else first
        first = 50 if "t10k" in source.path or "x_test" in source.path else first
        stored = picture(first + number, height, image.shape[1])
        if np.array_equal(image[..., 0], image[..., 1]):
            stored = np.repeat(stored[..., :1], 3, axis=2)
        np.testing.assert_array_equal(image, stored)


def test_cifar_has_its_class_names(cli: Cli, tmp_path: Path) -> None:
    source, out = cifar(tmp_path / "cifar"), tmp_path / "out"
    assert cli("cutout", source, "--out", out, "--fill", "black").code == 0
    assert labels_by_source(out)["data_batch_2#00000001"] == CIFAR_NAMES[1]
    assert (out / "classes.txt").read_text().split() == CIFAR_NAMES


def test_the_fine_labels_of_cifar_100_are_the_classes(cli: Cli, tmp_path: Path) -> None:
    import pickle

    from tests.arrays import put

    names = {b"fine_label_names": [b"oak", b"rose"], b"coarse_label_names": [b"plant"]}
    put(tmp_path / "in/meta", pickle.dumps(names, 2))
    planes = np.ascontiguousarray(stack(4, 32).transpose(0, 3, 1, 2)).reshape(4, -1)
    table = {"data": planes, "fine_labels": [0, 1, 0, 1], "coarse_labels": [0] * 4}
    put(tmp_path / "in/train", pickle.dumps(table, 3))
    out = tmp_path / "out"
    assert cli("cutout", tmp_path / "in", "--out", out, "--fill", "black").code == 0
    assert sorted(labels_by_source(out).values()) == ["oak", "oak", "rose", "rose"]


@pytest.mark.parametrize(
    ("arrays", "split_of"),
    [
        ({"images": stack(3), "labels": classes(3)}, {"": 3}),
        ({"x": stack(3), "y": classes(3)}, {"": 3}),
        ({"arr_0": stack(3), "arr_1": classes(3)}, {"": 3}),
        ({"pixels": stack(3), "kind": classes(3)}, {"": 3}),
        ({"data": greys(3), "target": classes(3)[:, None]}, {"": 3}),
        (
            {
                "train_images": stack(3),
                "train_labels": classes(3)[:, None],
                "val_images": stack(2),
                "val_labels": classes(2)[:, None],
            },
            {"train": 3, "val": 2},
        ),
    ],
)
def test_arrays_are_found_by_their_names(
    tmp_path: Path, arrays: dict[str, Any], split_of: dict[str, int]
) -> None:
    sources = open_store(os.fspath(npz(tmp_path / "a.npz", **arrays))).list()
    counts = dict.fromkeys(split_of, 0)
    for index in range(len(sources)):
        counts[sources.split(index)] += 1
        assert sources.label(index).weights
    assert counts == split_of


def test_files_of_numpy_in_a_folder_are_one_set(cli: Cli, tmp_path: Path) -> None:
    folder, out = tmp_path / "set", tmp_path / "out"
    npy(folder / "x_train.npy", stack(4))
    npy(folder / "y_train.npy", np.array(["cat", "dog", "cat", "dog"]))
    npy(folder / "x_test.npy", stack(2))
    npy(folder / "y_test.npy", np.array(["cat", "dog"]))
    assert cli("cutout", folder, "--out", out, "--fill", "black").code == 0
    assert labels_by_source(out)["x_train.npy#00000003"] == "dog"
    assert {row["split"] for row in rows(out)} == {"train", "test"}


def test_channels_first_are_told_by_the_shape(cli: Cli, tmp_path: Path) -> None:
    first = np.ascontiguousarray(stack(3).transpose(0, 3, 1, 2))
    path = npz(tmp_path / "a.npz", images=first, labels=classes(3))
    store = open_store(os.fspath(path))
    sources = store.list()
    np.testing.assert_array_equal(decode(store.read(sources.source(2))).image, stack(3)[2])
    end = cli("cutout", path, "--out", tmp_path / "out", "--fill", "black")
    assert "the second axis has the channels" in end.err


def test_soft_labels_of_arrays_stay_as_they_are(tmp_path: Path) -> None:
    shares = np.array([[1, 0], [0.25, 0.75]])
    sources = open_store(os.fspath(npz(tmp_path / "a.npz", images=stack(2), y=shares))).list()
    assert [dict(sources.label(at).weights) for at in (0, 1)] == [{"0": 1}, {"0": 0.25, "1": 0.75}]


def test_originals_of_arrays_are_png_of_the_same_pixels(cli: Cli, tmp_path: Path) -> None:
    source, out = npz(tmp_path / "a.npz", images=stack(3), y=classes(3)), tmp_path / "out"
    end = cli("cutout", source, "--out", out, "--fill", "black", "--originals", "copy")
    assert end.code == 0, end.err
    originals = [row for row in rows(out) if row["method"] == "original"]
    assert len(originals) == 3
    for row in originals:
        number = int(row["source_a"][-8:])
        np.testing.assert_array_equal(read(out / row["file_name"]), stack(3)[number])
    assert cli("verify", out, "--against", source).code == 0


def test_the_rest_of_parquet_comes_along_byte_for_byte(cli: Cli, tmp_path: Path) -> None:
    source, out = hugging_face(tmp_path / "hf"), tmp_path / "out"
    assert cli("cutout", source, "--out", out, "--fill", "black").code == 0
    store = open_store(os.fspath(source))
    sources = store.list()
    rest = [row for row in rows(out) if row["method"] == "original"]
    assert len(rest) == 5
    for row in rest:
        index = sources.find(row["source_a"])
        assert index is not None
        assert (out / row["file_name"]).read_bytes() == store.read(sources.source(index))


@pytest.mark.parametrize(
    "options",
    [
        {"plain": True},
        {"plain": True, "image": "photo", "label": "class_name"},
        {"image": "img", "label": "Category"},
        {"paths": ["a.PNG"] * 6},
    ],
)
def test_columns_are_found(cli: Cli, tmp_path: Path, options: dict[str, Any]) -> None:
    images = [encoded(picture(number, 20, 20)) for number in range(6)]
    path = parquet(tmp_path / "a.parquet", images, ["cat", "dog", None] * 2, **options)
    out = tmp_path / "out"
    end = cli("cutout", path, "--out", out, "--fill", "black")
    assert end.code == 0, end.err
    assert f"images in '{options.get('image', 'image')}'" in end.err
    assert sorted(labels_by_source(out).values()) == ["", "", "cat", "cat", "dog", "dog"]
    assert all(row["file_name"].endswith(".png") for row in rows(out))


def test_a_column_can_be_named(cli: Cli, tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet as pq

    images = [encoded(picture(number, 20, 20)) for number in range(4)]
    others = [encoded(picture(number, 30, 30)) for number in range(4)]
    table = pa.table({"image": others, "mask": images, "label": [0] * 4, "kind": ["a", "b"] * 2})
    path = tmp_path / "a.parquet"
    pq.write_table(table, path)
    out, maps = tmp_path / "out", tmp_path / "maps.npz"
    command = ["cutout", path, "--out", out, "--image-column", "mask", "--label-column", "kind"]
    assert cli(*command, "--fill", "black").code == 0
    assert {row["width"] for row in rows(out)} == {"20"}
    assert set(labels_by_source(out).values()) == {"a", "b"}
    assert cli("verify", out, "--against", path).code == 0
    assert cli("heatmaps", path, "--out", maps, "--image-column", "mask").code == 0


def test_hugging_face_marks_unlabelled_rows_by_minus_one(tmp_path: Path) -> None:
    images = [encoded(picture(number, 9, 9)) for number in range(2)]
    path = parquet(tmp_path / "a.parquet", images, [-1, 1], names=["cat", "dog"])
    sources = open_store(os.fspath(path)).list()
    assert [str(sources.label(at).heaviest) for at in (0, 1)] == ["", "dog"]


def test_neighbours_lie_in_one_row_group_unless_it_is_not_wanted(cli: Cli, tmp_path: Path) -> None:
    images = [encoded(picture(number, 20, 20)) for number in range(80)]
    path = parquet(tmp_path / "a.parquet", images, [0, 1] * 40, group=10)

    def shared(out: Path) -> float:
        pairs = [(row["source_a"], row["source_b"]) for row in rows(out)]
        return sum(a[:-9] == b[:-9] for a, b in pairs) / len(pairs)

    command = ["resizemix", path, "--out"]
    assert cli(*command, tmp_path / "auto").code == 0
    assert cli(*command, tmp_path / "container", "--locality", "container").code == 0
    assert cli(*command, tmp_path / "none", "--locality", "none").code == 0
    assert shared(tmp_path / "auto") >= 0.8
    assert shared(tmp_path / "none") < 0.4
    assert tree(tmp_path / "auto") == tree(tmp_path / "container")
    recorded = json.loads((tmp_path / "auto/run.json").read_text())["identity"]["locality"]
    assert recorded == "container"
    end = cli(*command, tmp_path / "auto", "--locality", "none")
    assert "locality was container and is none" in end.err


def test_each_row_group_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from augcli.data.stores import parquet as store

    images = [encoded(picture(number, 20, 20)) for number in range(300)]
    path = parquet(tmp_path / "a.parquet", images, [0, 1] * 150, group=20)
    numbers: list[int] = []
    real = store._OpenFile.images

    def counted(self: Any, number: int) -> Any:
        numbers.append(number)
        return real(self, number)

    monkeypatch.setattr(store._OpenFile, "images", counted)
    augcli.augment(path, augcli.ResizeMix(), out=tmp_path / "out", workers=0)
    # The first is read again as the donor of the last.
    assert sorted(set(numbers)) == list(range(15))
    assert len(numbers) <= 16


def test_arrays_can_keep_to_their_file_and_folders_can_not(cli: Cli, tmp_path: Path) -> None:
    source = extended(tmp_path / "set", "npz", 2)
    out = tmp_path / "out"
    assert cli("resizemix", source, "--out", out, "--locality", "container").code == 0
    pairs = [(row["source_a"][:5], row["source_b"][:5]) for row in rows(out)]
    assert sum(a == b for a, b in pairs) == 10
    save(tmp_path / "photos/cat/a.png", picture(1, 20, 20))
    end = cli("cutout", tmp_path / "photos", "--locality", "container")
    assert end.code == 2
    assert "--locality is container, but each image of INPUT is a file of its own" in end.err


def test_files_packed_and_unpacked_are_read_once(tmp_path: Path) -> None:
    folder = mnist(mnist(tmp_path / "raw"), packed=True)
    assert len(open_store(os.fspath(folder)).list()) == 13


def test_an_idx_file_alone_is_a_set_with_its_labels(cli: Cli, tmp_path: Path) -> None:
    folder, out = mnist(tmp_path / "raw"), tmp_path / "out"
    assert cli("cutout", folder / "t10k-images-idx3-ubyte", "--out", out, "--fill", "0").code == 2
    end = cli("cutout", folder / "t10k-images-idx3-ubyte", "--out", out, "--fill", "black")
    assert end.code == 0
    assert sorted(labels_by_source(out).values()) == ["0", "0", "1", "2"]
    idx(tmp_path / "colour/train-images-idx4-ubyte", stack(3))
    assert len(open_store(os.fspath(tmp_path / "colour")).list()) == 3


def test_pictures_decide_what_a_folder_is(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / f"cat/{number}.png", picture(number, 20, 20))
    npz(tmp_path / "heatmaps.npz", maps=np.zeros((3, 7, 7)))
    parquet(tmp_path / "labels.parquet", [b""], ["cat"])
    assert open_store(os.fspath(tmp_path)).list().classes == ["cat"]


def test_nothing_unpacked_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "spool"))
    (tmp_path / "spool").mkdir()
    source = SETS["packed npz"](tmp_path)
    augcli.augment(source, augcli.Cutout(fill="black"), out=tmp_path / "out", workers=1)
    assert list((tmp_path / "spool").iterdir()) == []
