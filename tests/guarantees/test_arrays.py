"""Damaged Parquet files and arrays, and those that are made to do harm."""

from __future__ import annotations

import os
import pickle
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.arrays import (
    CIFAR_NAMES,
    cifar,
    cifar_batch,
    classes,
    encoded,
    idx,
    mnist,
    npy,
    npz,
    parquet,
    put,
    stack,
)
from tests.command import figures_of
from tests.photos import picture, rows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli


def refusal(cli: Cli, place: Path) -> str:
    """Return the one sentence with which INPUT is refused; nothing was written."""
    out = place.parent / "never"
    end = cli("cutout", place, "--out", out, "--fill", "black")
    assert end.code == 2, end.err
    assert not out.exists()
    assert "Traceback" not in end.err
    (line,) = end.err.strip().splitlines()
    return line


def test_a_damaged_set_is_listed_or_refused_in_one_sentence(tmp_path: Path) -> None:
    figures = figures_of("arrays", tmp_path, 25, 3)
    assert min(figures["listed"], figures["refused"]) > figures["mutants"] // 10


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_parquet_file_that_is_cut_is_refused(cli: Cli, tmp_path: Path, share: float) -> None:
    path = parquet(tmp_path / "a.parquet", [encoded(picture(n, 9, 9)) for n in range(4)])
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert "a.parquet is damaged" in refusal(cli, path)


def test_a_damaged_row_group_fails_alone(cli: Cli, tmp_path: Path) -> None:
    images = [encoded(picture(number, 30, 30)) for number in range(8)]
    path = parquet(tmp_path / "a.parquet", images, group=4)
    from pyarrow import parquet as pq

    data = bytearray(path.read_bytes())
    column = pq.read_metadata(path).row_group(1).column(0)
    at = column.dictionary_page_offset or column.data_page_offset
    data[at : at + 40] = b"\xff" * 40
    path.write_bytes(data)
    out = tmp_path / "out"
    end = cli("cutout", path, "--out", out, "--fill", "black")
    assert end.code == 1
    failures = rows(out, "errors.csv")
    assert {failure["reason"] for failure in failures} == {
        "row group 1 of a.parquet is damaged; write the file again"
    }
    assert {failure["stage"] for failure in failures} == {"decode"}
    assert len(rows(out)) == 4


def test_a_row_without_an_image_is_a_failed_image(cli: Cli, tmp_path: Path) -> None:
    images = [encoded(picture(number, 9, 9)) for number in range(4)]
    path = parquet(tmp_path / "a.parquet", [None, *images, b"no image"], paths=[None] * 6)
    out = tmp_path / "out"
    assert cli("cutout", path, "--out", out, "--fill", "black").code == 1
    failures = rows(out, "errors.csv")
    assert [failure["source"] for failure in failures] == [
        "a.parquet#000000-00000000",
        "a.parquet#000001-00000005",
    ]
    assert failures[0]["reason"] == "a row without the bytes of an image"
    assert len(rows(out)) == 4


class _Harm:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._path),)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_would_call_something_is_refused(
    cli: Cli, tmp_path: Path, protocol: int
) -> None:
    made = tmp_path / "made"
    folder = cifar(tmp_path / "cifar")
    put(folder / "data_batch_1", pickle.dumps({b"data": _Harm(made)}, max(2, protocol)))
    message = refusal(cli, folder)
    assert "data_batch_1" in message
    assert "mkdir, which no plain content has" in message
    assert not made.exists()


@pytest.mark.parametrize("kind", ["npz", "packed npz", "npy"])
def test_an_array_of_objects_is_refused_and_not_unpickled(
    cli: Cli, tmp_path: Path, kind: str
) -> None:
    made = tmp_path / "made"
    array = np.array([_Harm(made)], dtype=object)
    if kind == "npy":
        path = npy(tmp_path / "images.npy", array)
    else:
        path = npz(tmp_path / "a.npz", images=array, packed=kind != "npz")
    assert "holds objects" in refusal(cli, path)
    assert not made.exists()
    labels = npz(tmp_path / "b.npz", images=stack(1), labels=array)
    assert "objects are not read" in refusal(cli, labels)


def declared(shape: str, values: bytes = b"") -> bytes:
    """Return a file of NumPy that declares a shape."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode() + values


HUGE = "(1000000, 320, 320, 3)"


def test_an_array_that_declares_300_gb_is_refused(cli: Cli, tmp_path: Path) -> None:
    path = put(tmp_path / "images.npy", declared(HUGE, bytes(1000)))
    assert "declares 307,200,000,000 bytes of images, but has 1,000" in refusal(cli, path)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = tmp_path / f"{method}.npz"
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("images.npy", declared(HUGE, bytes(1000)))
        assert "declares 307,200,000,000 bytes of images, but has 1,000" in refusal(cli, path)
    head = b"\0\0\x08\3" + struct.pack(">III", 4_000_000_000, 28, 28)
    path = put(tmp_path / "train-images-idx3-ubyte", head)
    assert "holds no usable picture" in refusal(cli, path)
    head = b"\0\0\x08\3" + struct.pack(">III", 40_000_000, 28, 28)
    path = put(tmp_path / "train-images-idx3-ubyte", head)
    assert "declares 31,360,000,000 bytes of images, but has 0" in refusal(cli, path)


def test_an_archive_that_unpacks_to_more_than_it_says_is_no_bomb(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", declared("(100, 10, 10)", bytes(50 << 20)))
    before = path.stat().st_size
    assert before < 100_000
    # More bytes than pictures are no harm where they are not unpacked.
    message = refusal(cli, path)
    assert "unpacks to more than the 10,128 bytes that it declares" in message


def test_a_long_table_of_contents_is_not_read(cli: Cli, tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", images=stack(2))
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\5\6")
    data[at + 12 : at + 16] = struct.pack("<I", 1 << 30)
    path.write_bytes(data)
    assert "table of contents of 1,073,741,824 bytes" in refusal(cli, path)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.arange(3), "3 labels for 4 images"),
        (np.array([0, 1, np.nan, 1]), "a label that is no whole number"),
        (np.array([[0.5, 0.5], [1, 0], [0.5, 0.25], [1, 0]]), "row 2 holds no shares"),
        (np.array([[0.5, 0.5], [2, -1], [1, 0], [1, 0]]), "row 1 holds no shares"),
        (np.array([[0.0, 0.0]] * 4), "row 0 holds no shares"),
        (np.array([[np.nan, 1.0]] * 4), "row 0 holds no shares"),
        (np.zeros((4, 2, 2)), "has the shape (4, 2, 2)"),
        (np.zeros(4, complex), "is of the type <c16"),
    ],
)
def test_labels_that_are_none_are_refused(
    cli: Cli, tmp_path: Path, labels: Any, words: str
) -> None:
    path = npz(tmp_path / "a.npz", images=stack(4), labels=labels)
    assert words in refusal(cli, path)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros((4, 8, 8, 3), np.float32), "is of the type <f4, but pictures must be uint8"),
        (np.zeros((4, 8, 8, 4), np.uint8), "has the shape (4, 8, 8, 4), but must be"),
        (np.zeros((4, 64), np.uint8), "has the shape (4, 64), but must be"),
        (np.zeros((0, 8, 8), np.uint8), "holds no usable picture"),
        (np.zeros((4, 0, 8), np.uint8), "holds no usable picture"),
        (np.asfortranarray(stack(4)), "column by column"),
    ],
)
def test_arrays_that_are_no_pictures_are_refused(
    cli: Cli, tmp_path: Path, images: Any, words: str
) -> None:
    path = npz(tmp_path / "a.npz", images=images)
    assert words in refusal(cli, path)


def test_an_archive_without_pictures_says_what_it_has(cli: Cli, tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", mean=np.zeros(3), std=np.zeros(3))
    assert "its arrays are 'mean', 'std'" in refusal(cli, path)


def test_files_of_mnist_and_cifar_that_do_not_fit_are_refused(cli: Cli, tmp_path: Path) -> None:
    folder = mnist(tmp_path / "mnist")
    idx(folder / "train-labels-idx1-ubyte", np.zeros(7, np.uint8))
    assert "7 labels for 9 images" in refusal(cli, folder)
    folder = cifar(tmp_path / "cifar")
    cifar_batch(folder / "test_batch", stack(2, 32), [0, 7], 4)
    assert f"the label 7, but there are {len(CIFAR_NAMES)} class names" in refusal(cli, folder)
    path = put(tmp_path / "data_batch_1.bin", bytes(3073 + 10))
    assert "no whole number of images" in refusal(cli, path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"image": "a", "plain": True, "label": "b"}, ""),
        ({"labels": ["cat", 3.5][:1] * 2, "names": None}, ""),
        ({"labels": [0.5, 0.25]}, "has the type double, but must hold class names"),
        ({"labels": [[1], [2]]}, "has the type list"),
        ({"labels": [0, 9], "names": ["cat", "dog"]}, "the label 9, but the file names 2 classes"),
    ],
)
def test_columns_of_labels_that_are_none_are_refused(
    cli: Cli, tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    images = [encoded(picture(number, 9, 9)) for number in range(2)]
    path = parquet(tmp_path / "a.parquet", images, **options)
    if words:
        assert words in refusal(cli, path)
    else:
        assert cli("cutout", path, "--out", tmp_path / "out", "--fill", "black").code == 0


def test_a_file_of_other_columns_says_which_it_has(cli: Cli, tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", [encoded(picture(1, 9, 9))], [3], label="age")
    end = cli("cutout", path, "--out", tmp_path / "o", "--label-column", "aeg")
    assert (end.code, "'aeg' is no column of a.parquet; did you mean 'age'?" in end.err) == (
        2,
        True,
    )
    end = cli("cutout", path, "--out", tmp_path / "o", "--image-column", "age")
    assert "has the type int64, but must hold the bytes of image files" in end.err
    import pyarrow as pa
    from pyarrow import parquet as pq

    # A single file without images is a table that names them; a folder of such files is nothing.
    folder = tmp_path / "set"
    folder.mkdir()
    pq.write_table(pa.table({"text": ["a"]}), folder / "a.parquet")
    assert "no column of images" in refusal(cli, folder)


def test_without_pyarrow_a_sentence_says_what_to_install(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = parquet(tmp_path / "a.parquet", [encoded(picture(1, 9, 9))])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install 'augcli[parquet]'" in refusal(cli, path)


def test_a_set_that_changes_during_the_run_is_no_mixture(tmp_path: Path) -> None:
    from augcli.data.stores.opening import open_store
    from augcli.data.stores.sources import SourceChanged

    path = npz(tmp_path / "a.npz", images=stack(4), labels=classes(4))
    store = open_store(str(path))
    sources = store.list()
    npz(path, images=stack(4, first=70), labels=classes(4))
    os.utime(path, ns=(5, 5))
    with pytest.raises(SourceChanged):
        store.read(sources.source(0))
    images = [encoded(picture(number, 9, 9)) for number in range(4)]
    path = parquet(tmp_path / "a.parquet", images)
    store = open_store(str(path))
    sources = store.list()
    parquet(path, images[::-1])
    os.utime(path, ns=(5, 5))
    with pytest.raises(SourceChanged):
        store.read(sources.source(0))
