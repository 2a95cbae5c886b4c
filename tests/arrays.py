"""Small sets as Parquet and as arrays: NumPy files, batches of CIFAR, idx files of MNIST."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as Pillow

from tests.photos import LONG_AGO, picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from augcli.pixels.frame import Image

CIFAR_NAMES = ["airplane", "bird", "cat"]


def stack(count: int, side: int = 12, *, first: int = 0) -> NDArray[np.uint8]:
    """Return pictures uint8 (count, side, side, 3), each another one."""
    return np.stack([picture(first + number, side, side) for number in range(count)])


def greys(count: int, side: int = 12, *, first: int = 0) -> NDArray[np.uint8]:
    """Return pictures uint8 (count, side, side)."""
    return np.ascontiguousarray(stack(count, side, first=first)[..., 0])


def classes(count: int, kinds: int = 3) -> NDArray[np.int64]:
    """Return a class number for each of so many pictures."""
    return np.arange(count) % kinds


def put(path: Path, data: bytes) -> Path:
    """Write a file that is old."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, ns=(LONG_AGO, LONG_AGO))
    return path


def npz(path: Path, *, packed: bool = False, **arrays: NDArray[Any]) -> Path:
    """Write an archive of arrays."""
    target = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(target, **arrays)  # type: ignore[arg-type]
    return put(path, target.getvalue())


def npy(path: Path, array: NDArray[Any]) -> Path:
    """Write a file of one array."""
    target = io.BytesIO()
    np.save(target, array)
    return put(path, target.getvalue())


def idx(path: Path, array: NDArray[np.uint8]) -> Path:
    """Write an idx file, packed where its name says so."""
    sides = b"".join([side.to_bytes(4, "big") for side in array.shape])
    data = bytes([0, 0, 8, array.ndim]) + sides + array.tobytes()
    return put(path, gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def cifar_batch(
    path: Path, images: NDArray[np.uint8], labels: Sequence[int], protocol: int
) -> Path:
    """Write a batch of CIFAR in Python."""
    rows = np.ascontiguousarray(images.transpose(0, 3, 1, 2)).reshape(len(images), -1)
    table = {b"batch_label": b"one", b"labels": list(labels), b"data": rows, b"filenames": [b"a"]}
    return put(path, pickle.dumps(table, protocol))


def mnist(folder: Path, *, packed: bool = False) -> Path:
    """Write a set in the layout of MNIST: 9 pictures to train, 4 to test."""
    ending = ".gz" if packed else ""
    for name, count, first in (("train", 9, 0), ("t10k", 4, 50)):
        idx(folder / f"{name}-images-idx3-ubyte{ending}", greys(count, first=first))
        idx(folder / f"{name}-labels-idx1-ubyte{ending}", classes(count).astype(np.uint8))
    return folder


def cifar(folder: Path, *, protocol: int = 4) -> Path:
    """Write a set in the layout of CIFAR-10 in Python: two batches to train, one to test."""
    put(folder / "batches.meta", pickle.dumps({b"label_names": [n.encode() for n in CIFAR_NAMES]}))
    for name, count, first in (
        ("data_batch_1", 5, 0),
        ("data_batch_2", 4, 20),
        ("test_batch", 3, 40),
    ):
        cifar_batch(folder / name, stack(count, 32, first=first), classes(count).tolist(), protocol)
    return folder


def cifar_binary(folder: Path) -> Path:
    """Write the same as bytes."""
    put(folder / "batches.meta.txt", "\n".join([*CIFAR_NAMES, ""]).encode())
    for name, count, first in (
        ("data_batch_1", 5, 0),
        ("data_batch_2", 4, 20),
        ("test_batch", 3, 40),
    ):
        planes = stack(count, 32, first=first).transpose(0, 3, 1, 2)
        records = [
            bytes([label]) + image.tobytes()
            for label, image in zip(classes(count).tolist(), planes, strict=True)
        ]
        put(folder / f"{name}.bin", b"".join(records))
    return folder


def encoded(image: Image, kind: str = "PNG") -> bytes:
    """Return the bytes of a picture's file."""
    target = io.BytesIO()
    Pillow.fromarray(image).save(target, kind, quality=90)
    return target.getvalue()


def parquet(
    path: Path,
    images: Sequence[bytes | None],
    labels: Sequence[Any] | None = None,
    *,
    names: Sequence[str] | None = None,
    image: str = "image",
    label: str = "label",
    paths: Sequence[str | None] | None = None,
    plain: bool = False,
    group: int = 4,
) -> Path:
    """Write a Parquet file of images, in the layout of Hugging Face unless it is plain.

    Args:
        path: The file.
        images: Bytes of the pictures' files.
        labels: A label for each; no column without.
        names: Names of the classes, where labels are numbers.
        image: Name of the column of the images.
        label: Name of that of the labels.
        paths: File names that stand beside the bytes.
        plain: Whether the column holds the bytes alone.
        group: Rows of a row group.
    """
    import pyarrow as pa
    from pyarrow import parquet as pq

    features: dict[str, Any] = {}
    columns: dict[str, Any] = {}
    if plain:
        columns[image] = pa.array(images, pa.binary())
    else:
        rows = [
            None if data is None else {"bytes": data, "path": name}
            for data, name in zip(images, paths or [None] * len(images), strict=True)
        ]
        kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        columns[image] = pa.array(rows, kind)
        features[image] = {"_type": "Image"}
    if labels is not None:
        columns[label] = pa.array(labels)
        if names:
            features[label] = {"names": list(names), "_type": "ClassLabel"}
    table = pa.table(columns)
    if features:
        content = json.dumps({"info": {"features": features}}).encode()
        table = table.replace_schema_metadata({b"huggingface": content})
    target = io.BytesIO()
    pq.write_table(table, target, row_group_size=group)
    return put(path, target.getvalue())


def hugging_face(folder: Path) -> Path:
    """Write a set in the layout of Hugging Face: two files to train, one to test."""
    files = (("train-00000-of-00002", 10), ("train-00001-of-00002", 7), ("test-00000-of-00001", 5))
    first = 0
    for name, count in files:
        images = [
            encoded(picture(first + number, 20, 24 + number % 3), "PNG" if number % 2 else "JPEG")
            for number in range(count)
        ]
        paths = [f"{first + number}.{'png' if number % 2 else 'jpg'}" for number in range(count)]
        labels = [number % 2 for number in range(count)]
        parquet(folder / f"data/{name}.parquet", images, labels, names=["cat", "dog"], paths=paths)
        first += 100
    return folder


SETS: dict[str, Callable[[Path], Path]] = {
    "hugging face": lambda folder: hugging_face(folder / "hf"),
    "npz": lambda folder: npz(
        folder / "set.npz",
        x_train=stack(9),
        y_train=classes(9),
        x_test=stack(4, first=50),
        y_test=classes(4),
    ),
    "packed npz": lambda folder: npz(
        folder / "packed.npz", packed=True, images=greys(9), labels=classes(9)
    ),
    "npy": lambda folder: npy(folder / "npy/images.npy", stack(9)).parent,
    "cifar": lambda folder: cifar(folder / "cifar-10-batches-py"),
    "old cifar": lambda folder: cifar(folder / "old", protocol=2),
    "cifar as bytes": lambda folder: cifar_binary(folder / "cifar-10-batches-bin"),
    "mnist": lambda folder: mnist(folder / "mnist"),
    "packed mnist": lambda folder: mnist(folder / "mnist-gz", packed=True),
}
"""One small set of each kind."""
