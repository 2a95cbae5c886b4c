"""The npz sink: all pictures of a split in one array, for sets that fit into memory.

A file has ``images`` (uint8 (N, H, W, C)), ``labels`` (float32 (N, K), a weight for each class),
``classes`` (their names), ``names`` (of the pictures) and ``split`` (of each). Pictures have one
size, and no format of files: they are arrays, so nothing is lost. There is a file for each copy of
a split.
"""

from __future__ import annotations

import errno
import zipfile
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

import numpy as np

from augcli.data.codecs.npy import npy_fields, npy_header
from augcli.data.sinks.container import ContainerFiles, ContainerWriter, Place
from augcli.errors import UnreadableImage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from augcli.data.manifest import Row
    from augcli.data.sinks.container import HashedStream
    from augcli.data.sinks.sink import Contained, DataSet
    from augcli.files import OutputFiles

    Shape = tuple[int, int, int]
    """Height, width and channels of each picture of a file."""

MOST_BYTES = 2 * 10**9
"""Of the arrays of a whole output: a worker has those of a file in memory, and so has a reader."""
IMAGES = "images"
_ENDING = ".npy"
_LOCAL_HEADER = 30
_DAMAGED = "it is no whole npz file"


class NpzArchive:
    """Collects the pictures of one file, and writes them at its end.

    Args:
        stream: Takes the bytes.
        data_set: What is known of all outputs.
    """

    def __init__(self, stream: HashedStream, data_set: DataSet) -> None:
        self._stream = stream
        self._classes = data_set.classes
        self._pixels: list[bytes] = []
        self._names: list[str] = []
        self._rows: list[Row] = []
        self._shape: tuple[int, int, int] | None = None

    def add(self, name: str, row: Row, data: bytes) -> None:
        """Take one picture.

        Raises:
            UnreadableImage: It is not as large as those before it.
        """
        height, width, channels, start = npy_fields(data)
        shape = (height, width, channels)
        self._shape = self._shape or shape
        if shape != self._shape:
            raise UnreadableImage(
                f"an output of {height} x {width} x {channels}, but those before it in its file "
                f"are {' x '.join(map(str, self._shape))}: an array holds one size (`channels` "
                "rgb gives all three channels)"
            )
        self._pixels.append(data[start:])
        self._names.append(name)
        self._rows.append(row)

    def close(self) -> None:
        """Write the arrays."""
        labels = np.zeros((len(self._rows), len(self._classes)), np.float32)
        numbers = {name: number for number, name in enumerate(self._classes)}
        for at, row in enumerate(self._rows):
            for name, weight in row.label.weights:
                labels[at, numbers[name]] = weight
        with zipfile.ZipFile(self._stream, "w", zipfile.ZIP_STORED) as archive:
            shape = (len(self._pixels), *(self._shape or (1, 1, 3)))
            _write(archive, IMAGES, np.dtype(np.uint8), shape, self._pixels)
            for key, array in (
                ("labels", labels),
                ("classes", np.array(self._classes, np.str_)),
                ("names", np.array(self._names, np.str_)),
                ("split", np.array([row.split for row in self._rows], np.str_)),
            ):
                _write(archive, key, array.dtype, array.shape, [array.tobytes()])


def _write(
    archive: zipfile.ZipFile,
    key: str,
    kind: np.dtype[Any],
    shape: tuple[int, ...],
    pieces: Iterable[bytes],
) -> None:
    """Write an array, with no time and nothing else that differs between machines."""
    member = zipfile.ZipInfo(key + _ENDING)
    member.create_system = 3
    member.file_size = (1 << 16) + int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
    with archive.open(member, "w") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for piece in pieces:
            file.write(piece)


class NpzSink(ContainerFiles):
    """Outputs as arrays of npz files.

    Args:
        files: Reads and writes OUT.
        data_set: What is known of all outputs.
    """

    ending: ClassVar[str] = "npz"
    is_whole: ClassVar[bool] = True
    holds_arrays: ClassVar[bool] = True

    def __init__(self, files: OutputFiles, data_set: DataSet) -> None:
        super().__init__(files)
        self._data_set = data_set
        self._shapes: dict[str, Shape] = {}

    def open(self, shard: str, file: str = "") -> ContainerWriter:
        """Begin a shard."""
        return ContainerWriter(self.files.apart(), shard, file, self)

    def archive(self, stream: HashedStream) -> NpzArchive:
        """Begin an npz file."""
        return NpzArchive(stream, self._data_set)

    def places(self, container: str) -> Mapping[str, Place]:
        """Return where the pixels of each picture lie."""
        with self.files.open(container) as file:
            names, start, shape = _list(file)
        self._shapes[container] = shape
        size = int(np.prod(shape))
        return {name: Place(start + number * size, size) for number, name in enumerate(names)}

    def read_at(self, container: str, place: Place) -> bytes:
        """Return a picture as a ``.npy`` file."""
        if container not in self._shapes:
            self.places(container)
        return npy_header(*self._shapes[container]) + super().read_at(container, place)

    def index(self, containers: Sequence[Contained]) -> Mapping[str, bytes]:
        """Return nothing: each file says what it holds."""
        del containers
        return {}


def _list(file: BinaryIO) -> tuple[list[str], int, Shape]:
    """Return the names of the pictures of a file, where the first begins, and their shape.

    Raises:
        OSError: It is no file that augcli wrote.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            with archive.open(f"names{_ENDING}") as member:
                names: NDArray[np.str_] = np.lib.format.read_array(member, allow_pickle=False)
            images = archive.getinfo(IMAGES + _ENDING)
            with archive.open(images) as member:
                np.lib.format.read_magic(member)
                shape, _, _ = np.lib.format.read_array_header_1_0(member)
                header = member.tell()
        file.seek(images.header_offset)
        local = file.read(_LOCAL_HEADER)
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, NotImplementedError):
        raise OSError(errno.EIO, _DAMAGED) from None
    extra = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
    start = images.header_offset + _LOCAL_HEADER + extra + header
    if len(shape) != 4:
        raise OSError(errno.EIO, _DAMAGED)
    return names.ravel().tolist(), start, shape[1:]
