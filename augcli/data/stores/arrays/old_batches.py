"""Files of MNIST (idx) and CIFAR (pickles and binary), and of the many sets made like them."""

from __future__ import annotations

import math
import os
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from augcli.data.splits import split_kind
from augcli.data.stores.arrays.batches import (
    Batch,
    Block,
    Frames,
    check_labels,
    check_length,
    frames_of,
    labels_of_numbers,
    numbers,
    planar_words,
    readable,
)
from augcli.data.stores.arrays.pickles import MOST_BYTES as MOST_PICKLE_BYTES
from augcli.data.stores.arrays.pickles import Array, NotPlain, load_plain
from augcli.data.stores.contents import split_of_name
from augcli.data.stores.kinds import CIFAR_BINARY, IDX
from augcli.errors import InputError
from augcli.files import (
    TABLE_LIMIT,
    NotUnpacked,
    compression,
    is_file,
    open_file,
    open_pieces,
    read_file,
)
from augcli.files import (
    unpacked as unpack,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from augcli.data.labels import Label
    from augcli.data.stores.arrays.unpacked import Unpacked
    from augcli.data.stores.contents import ContainerFile

_UBYTE = 8
_META = {"batches.meta": "label_names", "meta": "fine_label_names"}
"""Pickles of the names of the classes, and under which key."""
_META_TEXTS = ("batches.meta.txt", "fine_label_names.txt")
_GZ = ".gz"
_PIECE = 1 << 20
_SIDE, _CHANNELS = 32, 3
MOST_NAMES = 1 << 20
"""Bytes of a file of class names."""


def batches_of_idx(files: Sequence[ContainerFile], unpacked: Unpacked) -> list[Batch]:
    """Return the pictures of MNIST files, with the labels that lie beside them.

    Where a file is there packed and unpacked, the unpacked one is read.

    Raises:
        InputError: A file is damaged, or its labels are of other pictures.
    """
    batches = []
    for file in files:
        leaf = file.name.rpartition("/")[2]
        match = IDX.fullmatch(leaf)
        assert match
        is_label = match[1].lower().startswith("label")
        if not is_label and not (match[3] and is_file(file.path[: -len(match[3])])):
            with readable(file.name, "an idx file"):
                batches.append(_idx_batch(file, leaf, unpacked))
    return batches


def _idx_batch(file: ContainerFile, leaf: str, unpacked: Unpacked) -> Batch:
    where = f"INPUT: {file.name}"
    shape, is_packed = _idx_shape(file.path, where)
    frames = frames_of(shape, where)
    start = 4 + 4 * len(shape)
    path, size, modified = file.path, file.size, file.modified
    if is_packed:
        most = start + frames.pictures * frames.bytes_each
        path, size, modified = unpacked.add(file.name, _contents(file.path), most, where)
    check_length(frames, size - start, where)
    block = Block(path, size, modified, start, frames.bytes_each, frames.pictures, *frames[1:])
    labels = check_labels(_idx_labels(file.path), frames.pictures, where)
    words = [word for word in re.split(r"[-_.]", leaf) if split_kind(word)]
    split = "test" if leaf.startswith("t10k") else next(iter(words), "") or split_of_name(file.name)
    notice = planar_words(frames, file.name)
    return Batch(f"{file.name}#", file.modified, split, block, labels, notice)


def _idx_labels(images: str) -> list[Label] | None:
    """Return the labels that lie beside a file of pictures; None where there are none."""
    folder, leaf = os.path.split(images)
    leaf = re.sub(r"idx\d", "idx1", re.sub("image", "label", leaf, flags=re.IGNORECASE))
    plain = leaf[: -len(_GZ)] if leaf.lower().endswith(_GZ) else leaf
    for name in (plain, f"{plain}{_GZ}"):
        path = os.path.join(folder, name)
        if not is_file(path):
            continue
        where = f"INPUT: {name}"
        with readable(name, "an idx file"):
            shape, _ = _idx_shape(path, where)
            start, count = 4 + 4 * len(shape), shape[0] if shape else 0
            if count > TABLE_LIMIT:
                raise InputError(f"{where} declares {count:,} labels; download it again")
            data = bytearray()
            for piece in _contents(path):
                data += piece
                if len(data) > start + count:
                    break
            values = numbers(bytes(data[start:]), "|u1", shape, where)
            return labels_of_numbers(values, None, where)
    return None


def _idx_shape(path: str, where: str) -> tuple[tuple[int, ...], bool]:
    """Return the shape of an idx file of bytes, and whether it is packed."""
    with open_file(path) as file:
        is_packed = bool(compression(file.read(6)))
    head = next(_contents(path), b"")
    count = head[3] if len(head) >= 4 else 0
    shape = tuple(int.from_bytes(head[at : at + 4], "big") for at in range(4, 4 + 4 * count, 4))
    if head[:3] != bytes([0, 0, _UBYTE]) or not 1 <= count <= 4 or len(head) < 4 + 4 * count:
        raise InputError(
            f"{where} is no idx file of bytes, as those of MNIST are; download it again"
        )
    return shape, is_packed


def _contents(path: str) -> Iterator[bytes]:
    """Yield the content of a file that may be packed."""
    pieces = open_pieces(path)
    size, _ = pieces.status()
    kind = compression(pieces.read(0, min(6, size)))
    if kind:
        try:
            yield from unpack(pieces, size, kind)
        except NotUnpacked as error:
            raise ValueError(str(error)) from None
        return
    for at in range(0, size, _PIECE):
        yield pieces.read(at, min(_PIECE, size - at))


def batch_of_binary(file: ContainerFile) -> Batch:
    """Return the pictures of a binary batch of CIFAR.

    Raises:
        InputError: It is cut short, or has a label without a name.
    """
    leaf = file.name.rpartition("/")[2]
    where = f"INPUT: {file.name}"
    match = CIFAR_BINARY.fullmatch(leaf)
    assert match
    # CIFAR-100 has a coarse label before the fine one.
    labels = 1 if match[2] else 2
    step = labels + _SIDE * _SIDE * _CHANNELS
    count = file.size // step
    if count == 0 or file.size != count * step:
        raise InputError(
            f"{where} has {file.size:,} bytes, which are no whole number of images ({step:,} "
            "bytes each); download it again"
        )
    with readable(file.name, "a batch of CIFAR"):
        pieces = open_pieces(file.path)
        data = b"".join([pieces.read(at * step + labels - 1, 1) for at in range(count)])
        values = np.frombuffer(data, np.uint8)
        found = labels_of_numbers(values, _names_in_text(file.path), where)
    block = Block(
        *(file.path, file.size, file.modified, labels, step, count),
        *(_SIDE, _SIDE, _CHANNELS, True),
    )
    return Batch(f"{file.name}#", file.modified, _cifar_split(leaf), block, found)


def batch_of_pickle(file: ContainerFile, unpacked: Unpacked) -> Batch:
    """Return the pictures of a batch of CIFAR in Python.

    Raises:
        InputError: It is damaged, is no such batch, or holds what no plain content has.
    """
    leaf = file.name.rpartition("/")[2]
    where = f"INPUT: {file.name}"
    with readable(file.name, "a pickle"):
        content = read_file(file.path, MOST_PICKLE_BYTES).data
        table = _table(load_plain(content))
        array = table.get("data")
        if not isinstance(array, Array):
            raise NotPlain("it has no array 'data'")
        frames = _cifar_frames(array, where)
        check_length(frames, len(array.data), where)
        values = next((table[key] for key in ("fine_labels", "labels") if key in table), None)
        if isinstance(values, Array):
            values = numbers(values.data, values.kind, values.shape, where).tolist()
        labels = None
        if values is not None:
            if not isinstance(values, list) or not all(type(each) is int for each in values):
                raise NotPlain("its labels are no whole numbers")
            if not all(abs(each) < 2**53 for each in values):
                raise NotPlain("its labels are no class numbers")
            labels = labels_of_numbers(np.array(values, np.int64), _names(file.path), where)
        labels_or_none = check_labels(labels, frames.pictures, where)
        start = _position(content, array.data)
        path, size, modified = file.path, file.size, file.modified
        if start < 0:
            # Escaped, as Python 3 writes bytes for Python 2.
            path, size, modified = unpacked.add(file.name, [array.data], len(array.data), where)
            start = 0
    block = Block(path, size, modified, start, frames.bytes_each, frames.pictures, *frames[1:])
    return Batch(f"{file.name}#", file.modified, _cifar_split(leaf), block, labels_or_none)


def _cifar_frames(array: Array, where: str) -> Frames:
    """Return what the axes of a batch are: pictures, or a row of red, green and blue for each."""
    if array.kind not in ("u1", "|u1") or (array.is_fortran and len(array.shape) > 1):
        raise NotPlain("its array is not of bytes, row by row")
    shape = array.shape
    if len(shape) == 2:
        side = math.isqrt(shape[1] // _CHANNELS)
        if side * side * _CHANNELS != shape[1]:
            raise NotPlain(f"its array has the shape {shape}, which holds no square pictures")
        shape = (shape[0], _CHANNELS, side, side)
    return frames_of(shape, where)


def _position(content: bytes, data: bytes) -> int:
    """Return where the bytes of an array begin in a pickle; -1 where they are escaped."""
    view = memoryview(content)
    at = content.find(data[:64])
    while at >= 0:
        if view[at : at + len(data)] == data:
            return at
        at = content.find(data[:64], at + 1)
    return -1


def _table(value: object) -> dict[str, Any]:
    """Return a table whose keys are text; those of Python 2 are bytes."""
    if not isinstance(value, dict):
        raise NotPlain("it is no table")
    return {
        key.decode("latin-1") if isinstance(key, bytes) else str(key): item
        for key, item in value.items()
    }


def _names(batch: str) -> list[str] | None:
    """Return the names of the classes that lie beside a batch; None where they don't."""
    for leaf, key in _META.items():
        path = os.path.join(os.path.dirname(batch), leaf)
        if not is_file(path):
            continue
        with readable(leaf, "a pickle"):
            names = _table(load_plain(read_file(path, MOST_NAMES).data)).get(key)
            if not isinstance(names, list):
                raise NotPlain(f"it has no list {key!r}")
            decoded = [
                name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
                for name in names
            ]
            if not all(isinstance(name, str) and name for name in decoded):
                raise NotPlain("its names of classes are no texts")
            return decoded
    return None


def _names_in_text(batch: str) -> list[str] | None:
    for leaf in _META_TEXTS:
        path = os.path.join(os.path.dirname(batch), leaf)
        if is_file(path):
            text = read_file(path, MOST_NAMES).data.decode("utf-8", "backslashreplace")
            return [line.strip() for line in text.splitlines() if line.strip()]
    return None


def _cifar_split(leaf: str) -> str:
    return "train" if re.match(r"(train|data)", leaf) else "test" if leaf[0] == "t" else "val"
