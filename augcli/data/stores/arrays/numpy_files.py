"""Files of NumPy: the arrays of ``.npz`` and ``.npy`` files that hold pictures and labels.

Nothing is unpickled, and nothing is unpacked before its size is known. Pictures that are stored as
they are stay where they are; compressed ones are unpacked into a spool.
"""

from __future__ import annotations

import ast
import io
import re
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

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
from augcli.data.stores.contents import split_of_name
from augcli.data.stores.kinds import NPY
from augcli.errors import InputError
from augcli.files import TABLE_LIMIT, open_file, open_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from augcli.data.labels import Label
    from augcli.data.stores.arrays.unpacked import Unpacked
    from augcli.data.stores.contents import ContainerFile

IMAGES = frozenset({"images", "image", "imgs", "img", "x", "data", "pictures", "arr_0"})
"""Usual names of arrays of pictures, without the name of a split and in lower case."""
LABELS = frozenset(
    {"labels", "label", "y", "target", "targets", "classes", "class", "fine_labels", "arr_1"}
)
MOST_HEADER = 1 << 16
"""Bytes of the largest header of an array that is read."""
MOST_DIRECTORY = 16 << 20
"""Bytes of the largest table of contents of an archive that is read; zipfile needs ten times as
much memory."""
_MAGIC = b"\x93NUMPY"
_LOCAL_HEADER = 30
_PIECE = 1 << 20


class _Array(NamedTuple):
    """An array of a file.

    Attributes:
        key: Its name in the file.
        where: The array and its file, for messages.
        kind: Its type, as NumPy writes it.
        shape: Its shape.
        is_fortran: Whether the first axis varies fastest.
        start: Where its values begin, in its member.
        length: Bytes of its values that are there.
        file: The file that it lies in.
        member: Its member of a ZIP archive; None where the file is the array.
        at: Where the member begins in the file; -1 where it is compressed.
    """

    key: str
    where: str
    kind: str
    shape: tuple[int, ...]
    is_fortran: bool
    start: int
    length: int
    file: ContainerFile
    member: zipfile.ZipInfo | None
    at: int


def role_of(key: str) -> tuple[str, str]:
    """Return what an array is by its name, and of which split: ``images``, ``labels`` or nothing.

    Example:
        >>> role_of("x_train"), role_of("test_labels"), role_of("arr_0"), role_of("mean")
        (('images', 'train'), ('labels', 'test'), ('images', ''), ('', ''))
    """
    words = re.split(r"[-_. ]+", key)
    splits = [word for word in words if split_kind(word)]
    rest = "_".join(word for word in words if not split_kind(word)).lower()
    role = "images" if rest in IMAGES else "labels" if rest in LABELS else ""
    return role, splits[0] if role and splits else ""


def batches_of_npz(file: ContainerFile, unpacked: Unpacked) -> list[Batch]:
    """Return the pictures of an archive of arrays.

    Raises:
        InputError: It is damaged, or no array of it holds pictures.
    """
    with readable(file.name, "a NumPy file"), _archive(file) as archive:
        arrays = {}
        for member in archive.infolist():
            key = member.filename.removesuffix(NPY)
            array = _member(archive, member, file)
            if array:
                arrays[key] = array
        return _batches(arrays, archive, unpacked)


def batches_of_npy(files: Sequence[ContainerFile], unpacked: Unpacked) -> list[Batch]:
    """Return the pictures of files of one array each, whose names say what they are.

    Raises:
        InputError: One is damaged, or none holds pictures.
    """
    arrays = {}
    for file in files:
        with readable(file.name, "a NumPy file"):
            head = open_pieces(file.path).read(0, min(file.size, MOST_HEADER))
            key = file.name.removesuffix(file.name[-len(NPY) :])
            arrays[key] = _described(head, key, f"INPUT: {file.name}", file, None, 0, file.size)
    return _batches(arrays, None, unpacked)


@contextmanager
def _archive(file: ContainerFile) -> Iterator[zipfile.ZipFile]:
    """Open a ZIP archive whose table of contents is not too large."""
    with open_file(file.path) as opened:
        _check_directory(opened, file)
        with zipfile.ZipFile(opened) as archive:
            yield archive


def _check_directory(opened: io.BufferedReader, file: ContainerFile) -> None:
    """Check how large the table of contents is: it is read whole, whatever it holds."""
    tail = min(file.size, (1 << 16) + 22 + 20)
    opened.seek(file.size - tail)
    data = opened.read(tail)
    at = data.rfind(b"PK\5\6")
    size = int.from_bytes(data[at + 12 : at + 16], "little") if at >= 0 else 0
    locator = data.rfind(b"PK\6\7")
    if locator >= 0:
        opened.seek(min(int.from_bytes(data[locator + 8 : locator + 16], "little"), file.size))
        size = int.from_bytes(opened.read(56)[40:48], "little")
    if size > MOST_DIRECTORY:
        raise InputError(
            f"INPUT: {file.name} has a table of contents of {size:,} bytes, more than arrays need; "
            "write the file again"
        )


def _member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, file: ContainerFile
) -> _Array | None:
    """Return an array of an archive; None where the member is none."""
    key = member.filename.removesuffix(NPY)
    with archive.open(member) as opened:
        head = opened.read(min(member.file_size, MOST_HEADER))
    if not head.startswith(_MAGIC):
        return None
    at = -1
    if member.compress_type == zipfile.ZIP_STORED and member.file_size == member.compress_size:
        local = open_pieces(file.path).read(member.header_offset, _LOCAL_HEADER)
        names = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
        at = member.header_offset + _LOCAL_HEADER + names
    where = f"INPUT: array {key!r} of {file.name}"
    there = member.file_size if at < 0 else min(member.file_size, file.size - at)
    return _described(head, key, where, file, member, at, there)


def _described(
    head: bytes,
    key: str,
    where: str,
    file: ContainerFile,
    member: zipfile.ZipInfo | None,
    at: int,
    there: int,
) -> _Array:
    """Return an array by the header that it begins with."""
    width = 2 if head[6:7] == b"\1" else 4
    length = int.from_bytes(head[8 : 8 + width], "little")
    start = 8 + width + length
    if not head.startswith(_MAGIC) or head[6:7] not in (b"\1", b"\2", b"\3") or start > len(head):
        raise InputError(f"{where} has a damaged header; write the file again")
    try:
        fields = ast.literal_eval(head[8 + width : start].decode("latin-1").strip())
        kind, shape, is_fortran = fields["descr"], fields["shape"], fields["fortran_order"]
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError, KeyError):
        raise InputError(f"{where} has a damaged header; write the file again") from None
    if not isinstance(shape, tuple) or not all(type(side) is int and side >= 0 for side in shape):
        raise InputError(f"{where} has a damaged header; write the file again")
    kind = kind if isinstance(kind, str) else "of several fields"
    return _Array(key, where, kind, shape, bool(is_fortran), start, there - start, file, member, at)


def _batches(
    arrays: Mapping[str, _Array], archive: zipfile.ZipFile | None, unpacked: Unpacked
) -> list[Batch]:
    images, labels = _paired(arrays)
    several = {array.file.path for array in images} if archive else set()
    batches = []
    for array in images:
        split = role_of(array.key)[1]
        label = labels.get(array.key)
        has_key = len(images) > 1 and bool(several)
        slug = re.sub(r"[^\w.]", "_", array.key)
        name = f"{array.file.name}#{slug}-" if has_key else f"{array.file.name}#"
        frames = _frames(array)
        block = _block(array, frames, archive, unpacked)
        found = _labels(label, archive, _texts(arrays.get("classes"), archive)) if label else None
        names = _texts(arrays.get("names"), archive)
        batches.append(
            Batch(
                name,
                array.file.modified,
                split or split_of_name(array.file.name),
                block,
                check_labels(found, frames.pictures, label.where if label else ""),
                planar_words(frames, array.where.removeprefix("INPUT: ")),
                names if len(names) == frames.pictures else (),
            )
        )
    return batches


def _paired(arrays: Mapping[str, _Array]) -> tuple[list[_Array], dict[str, _Array]]:
    """Return the arrays of pictures, sorted, and the labels of each by its name."""
    roles = {key: role_of(key.rpartition("/")[2]) for key in sorted(arrays)}
    images = [arrays[key] for key, (role, _) in roles.items() if role == "images"]
    # A file of data and labels may have both `x` and `images`: then the shape decides.
    pictures = [array for array in images if _is_pictures(array)]
    images = pictures or images
    if not images:
        images = [arrays[key] for key in roles if _is_pictures(arrays[key])]
        if len(images) != 1:
            names = ", ".join(repr(key) for key in list(roles)[:20]) or "none"
            raise InputError(
                f"INPUT has no array named as pictures are (images, x, x_train, data, arr_0); its "
                f"arrays are {names}"
            )
    labels = {}
    for array in images:
        split = roles[array.key][1]
        beside = array.key.rpartition("/")[0]
        candidates = [
            arrays[key]
            for key, role in roles.items()
            if role == ("labels", split) and key.rpartition("/")[0] == beside
        ]
        if not candidates and len(images) == 1:
            count = array.shape[0]
            others = [each for each in arrays.values() if each.key != array.key]
            candidates = [each for each in others if each.shape in ((count,), (count, 1))]
            candidates = candidates if len(candidates) == 1 else []
        if candidates:
            # Names of classes are beside the labels in what augcli writes.
            candidates.sort(key=lambda each: (each.shape[:1] != array.shape[:1], _is_text(each)))
            labels[array.key] = candidates[0]
    return images, labels


def _is_pictures(array: _Array) -> bool:
    return array.kind in ("|u1", "u1") and len(array.shape) in (3, 4)


def _frames(array: _Array) -> Frames:
    """Return what the axes of an array of pictures are.

    Raises:
        InputError: It is of another type, order or shape, or not all there.
    """
    if array.kind == "|O":
        raise InputError(
            f"{array.where} holds objects, which would have to be unpickled, and that can run any "
            "code; save it as an array of uint8"
        )
    if array.kind not in ("|u1", "u1"):
        raise InputError(
            f"{array.where} is of the type {array.kind}, but pictures must be uint8, from 0 to 255"
        )
    if array.is_fortran and len(array.shape) > 1:
        raise InputError(
            f"{array.where} is stored column by column (Fortran order); save "
            "numpy.ascontiguousarray of it"
        )
    frames = frames_of(array.shape, array.where)
    check_length(frames, array.length, array.where)
    return frames


def _block(
    array: _Array, frames: Frames, archive: zipfile.ZipFile | None, unpacked: Unpacked
) -> Block:
    file, sides = array.file, frames[1:]
    if array.at >= 0:
        start = array.at + array.start
        return Block(
            file.path, file.size, file.modified, start, frames.bytes_each, frames.pictures, *sides
        )
    assert archive
    assert array.member
    most = array.start + frames.pictures * frames.bytes_each
    with archive.open(array.member) as opened:
        pieces = iter(lambda: opened.read(_PIECE), b"")
        path, size, modified = unpacked.add(f"{file.name}#{array.key}", pieces, most, array.where)
    check_length(frames, size - array.start, array.where)
    return Block(path, size, modified, array.start, frames.bytes_each, frames.pictures, *sides)


def _is_text(array: _Array) -> bool:
    return array.kind[1:2] == "U"


def _texts(array: _Array | None, archive: zipfile.ZipFile | None) -> list[str]:
    """Return the texts of an array of them; none where it is something else."""
    if array is None or not _is_text(array) or len(array.shape) != 1:
        return []
    return [str(text) for text in _values(array, archive).tolist()]


def _labels(array: _Array, archive: zipfile.ZipFile | None, names: Sequence[str]) -> list[Label]:
    """Return the labels of an array of them.

    Args:
        array: The array.
        archive: What it lies in.
        names: Those of the classes, where labels are shares of so many.
    """
    is_named = len(array.shape) == 2 and array.shape[1] == len(names)
    return labels_of_numbers(_values(array, archive), names if is_named else None, array.where)


def _values(array: _Array, archive: zipfile.ZipFile | None) -> NDArray[Any]:
    """Return an array of numbers or texts."""
    if array.start + array.length > TABLE_LIMIT:
        raise InputError(
            f"{array.where} has {array.length:,} bytes, more than labels may have ({TABLE_LIMIT:,})"
        )
    if array.is_fortran and len(array.shape) > 1:
        raise InputError(f"{array.where} is stored column by column (Fortran order); save it anew")
    if array.member:
        assert archive
        with archive.open(array.member) as opened:
            data = opened.read(array.start + array.length)
    else:
        data = open_pieces(array.file.path).read(0, array.start + array.length)
    return numbers(data[array.start :], array.kind, array.shape, array.where)
