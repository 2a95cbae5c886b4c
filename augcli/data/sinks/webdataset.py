"""The WebDataset sink: tar files of samples, which are read one after the other.

A sample is a picture (``jpg``, ``png``, ``webp``), its class as a number in ASCII (``cls``, counted
in classes.txt; not where pictures have several classes at once), and its row of the manifest
(``json``). The values of ``json`` have the same types in every sample, because readers take the
types from the first ones: a label is a list of classes and one of their weights, a draw is text.
"""

from __future__ import annotations

import errno
import json
import os
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from augcli.data.manifest import Row
from augcli.data.sinks.container import ContainerFiles, ContainerWriter, Place
from augcli.data.stores.tars.members import TarDamaged, TarHeaders
from augcli.files import open_status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from augcli.data.sinks.container import HashedStream
    from augcli.data.sinks.sink import Contained, DataSet
    from augcli.files import OutputFiles

BLOCK = 512
RECORD = 20 * BLOCK
"""The bytes of a tar file are a multiple of these."""
LONGEST_NAME = 100
"""Bytes of a name in a header; the folders before it have 155 of their own."""
LONGEST_FOLDER = 155
LARGEST = 8**11 - 1
"""Bytes of the largest file whose size a header holds."""
TRAIN = "train"
"""Name of the only split, where INPUT names none: the one that loaders read by default."""

WAITING = 1 << 20
"""Bytes of samples that are written together: headers are made many at a time."""

_HEADER = np.frombuffer(
    bytes(LONGEST_NAME)
    + b"0000644\0"
    + b"0000000\0" * 2  # no owner
    + b"00000000000\0" * 2  # the size, still 0, and no time
    + b" " * 8  # the sum is taken with blanks in its own place
    + b"0"
    + bytes(100)
    + b"ustar\x0000"
    + bytes(64 + 16 + LONGEST_FOLDER + 12),
    np.uint8,
)
_SIZE, _SUM, _FOLDER = 124, 148, 345
"""Where the fields begin that differ."""
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_LINES = json.JSONEncoder(ensure_ascii=False, separators=(",\n", ":")).encode
FACTS = Row._fields[2:]
"""What the ``json`` of a sample holds beside its label."""
_FACTS = ",".join([f'"{name}":%s' for name in FACTS])


def headers(names: Sequence[bytes], sizes: Sequence[int]) -> bytes:
    """Return the headers of files in a tar (USTAR), with no time and no owner, one after the other.

    Args:
        names: Of the files: at most 100 bytes after the last ``/``, and 155 before it.
        sizes: Their bytes, at most :data:`LARGEST`.
    """
    blocks = np.tile(_HEADER, (len(names), 1))
    parts = [
        (b"", b"", name) if len(name) <= LONGEST_NAME else name.rpartition(b"/") for name in names
    ]
    _put(blocks, 0, np.array([name for _, _, name in parts], f"S{LONGEST_NAME}"))
    _put(blocks, _FOLDER, np.array([folder for folder, _, _ in parts], f"S{LONGEST_FOLDER}"))
    blocks[:, _SIZE : _SIZE + 11] = _octal(np.array(sizes, np.int64), 11)
    # Not by tarfile: a picture of 32 x 32 is encoded in the time of one header.
    blocks[:, _SUM : _SUM + 6] = _octal(blocks.sum(axis=1, dtype=np.uint32).astype(np.int64), 6)
    blocks[:, _SUM + 6] = 0
    return blocks.tobytes()


def _put(blocks: NDArray[np.uint8], at: int, texts: NDArray[np.bytes_]) -> None:
    """Write a text into a field of each header."""
    width = texts.dtype.itemsize
    blocks[:, at : at + width] = texts.view(np.uint8).reshape(len(texts), width)


def _octal(numbers: NDArray[np.int64], digits: int) -> NDArray[np.int64]:
    """Return numbers as so many octal digits in ASCII: (n, digits)."""
    return (numbers[:, None] >> 3 * np.arange(digits)[::-1]) & 7 | ord("0")


class TarArchive:
    """Writes the samples of one tar file.

    Args:
        stream: Takes the bytes.
        numbers: The number of each class.
        are_many: Whether pictures have several classes at once.
    """

    def __init__(self, stream: HashedStream, numbers: Mapping[str, int], are_many: bool) -> None:
        self._stream = stream
        self._numbers = numbers
        self._are_many = are_many
        self._samples: list[tuple[str, Row, bytes]] = []
        self._waiting = 0

    def add(self, name: str, row: Row, data: bytes) -> None:
        """Take one sample, which may wait for others.

        Raises:
            OSError: The picture is larger than 8 GiB.
        """
        if len(data) > LARGEST:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        self._samples.append((name, row, data))
        self._waiting += len(data) + len(row.draw)
        if self._waiting >= WAITING:
            self._write()

    def close(self) -> None:
        """Write the samples that wait, and the end of the archive."""
        self._write()
        end = self._stream.size + 2 * BLOCK
        self._stream.write(bytes(2 * BLOCK + -end % RECORD))

    def _write(self) -> None:
        """Write the samples that wait: the files of one lie side by side, sorted by endings."""
        names: list[bytes] = []
        contents: list[bytes] = []
        texts = sample_json([row for _, row, _ in self._samples])
        for (name, row, data), text in zip(self._samples, texts, strict=True):
            key, _, ending = name.rpartition(".")
            fields = {ending: data, "json": text}
            if row.label.weights and not self._are_many:
                fields["cls"] = b"%d" % self._numbers[row.label.heaviest]
            for field in sorted(fields):
                names.append(f"{key}.{field}".encode())
                contents.append(fields[field])
        if names:
            made = headers(names, list(map(len, contents)))
            pieces = []
            for number, content in enumerate(contents):
                header = made[number * BLOCK : (number + 1) * BLOCK]
                pieces += [header, content, bytes(-len(content) % BLOCK)]
            self._stream.write(b"".join(pieces))
        self._samples.clear()
        self._waiting = 0


def sample_json(rows: Sequence[Row]) -> list[bytes]:
    """Return what the ``json`` of samples says: their rows of the manifest, of unchanging types."""
    # All values at once, in half the time. Each is a line: JSON has no line break inside of text.
    facts = [row[2:] for row in rows]
    lines = _LINES(list(chain.from_iterable(facts)))[1:-1].split(",\n")
    labels: dict[tuple[tuple[str, float], ...], str] = {}
    texts = []
    for number, row in enumerate(rows):
        weights = row.label.weights
        if weights not in labels:
            values = {"classes": row.label.classes, "weights": [float(each) for _, each in weights]}
            labels[weights] = _JSON(values)[1:-1]
        others = _FACTS % tuple(lines[number * len(FACTS) : (number + 1) * len(FACTS)])
        texts.append(f"{{{labels[weights]},{others}}}".encode())
    return texts


class WebDatasetSink(ContainerFiles):
    """Outputs as samples of tar files.

    Args:
        files: Reads and writes OUT.
        data_set: What is known of all outputs.
    """

    ending: ClassVar[str] = "tar"
    index_name: ClassVar[str] = "_info.json"

    def __init__(self, files: OutputFiles, data_set: DataSet) -> None:
        super().__init__(files)
        self._numbers = {name: number for number, name in enumerate(data_set.classes)}
        self._are_many = data_set.are_many

    def open(self, shard: str, file: str = "") -> ContainerWriter:
        """Begin a shard."""
        return ContainerWriter(self.files.apart(), shard, file, self)

    def archive(self, stream: HashedStream) -> TarArchive:
        """Begin a tar file."""
        return TarArchive(stream, self._numbers, self._are_many)

    def places(self, container: str) -> Mapping[str, Place]:
        """Return where each file of a tar lies, by the headers alone."""
        with self.files.open(container) as file:

            def read_at(position: int, count: int) -> bytes:
                file.seek(position)
                return file.read(count)

            headers = TarHeaders(read_at, open_status(file)[0])
            try:
                return {one.name: Place(one.start, one.size) for one in headers.members()}
            except TarDamaged:
                raise OSError(errno.EIO, "it is no whole tar file") from None

    def index(self, containers: Sequence[Contained]) -> Mapping[str, bytes]:
        """Return ``_info.json``, from which timm learns how many samples each tar file holds."""
        splits: dict[str, Any] = {}
        for file, name, outputs in containers:
            split = splits.setdefault(
                name or TRAIN,
                {"name": name or TRAIN, "num_samples": 0, "filenames": [], "shard_lengths": []},
            )
            split["num_samples"] += outputs
            split["filenames"].append(file.name)
            split["shard_lengths"].append(outputs)
        return {self.index_name: json.dumps({"splits": splits}, indent=2).encode() + b"\n"}
