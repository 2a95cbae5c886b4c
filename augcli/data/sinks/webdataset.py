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
from typing import TYPE_CHECKING, Any, ClassVar

from augcli.data.sinks.container import ContainerFiles, ContainerWriter, Place
from augcli.data.stores.tars.members import TarDamaged, TarHeaders
from augcli.files import open_status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from augcli.data.manifest import Row
    from augcli.data.sinks.container import HashedStream
    from augcli.data.sinks.sink import Contained, DataSet
    from augcli.files import OutputFiles

BLOCK = 512
RECORD = 20 * BLOCK
"""The bytes of a tar file are a multiple of these."""
LONGEST_NAME = 100
"""Bytes of a name in a header; the folders before it have 155 of their own."""
LARGEST = 8**11 - 1
"""Bytes of the largest file whose size a header holds."""
TRAIN = "train"
"""Name of the only split, where INPUT names none: the one that loaders read by default."""

_BEFORE_SIZE = b"0000644\0" + b"0000000\0" * 2
_TIME = b"00000000000\0"
_BLANK_SUM = b" " * 8
_AFTER_SUM = b"0" + bytes(100) + b"ustar\x0000" + bytes(64 + 16)
_SUM = sum(_BEFORE_SIZE + _TIME + _BLANK_SUM + _AFTER_SUM)
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def header(name: bytes, size: int) -> bytes:
    """Return the header of a file in a tar (USTAR), with no time and no owner.

    Args:
        name: Of the file: at most 100 bytes after its last ``/``, and 155 before it.
        size: Its bytes.

    Raises:
        OSError: It is larger than 8 GiB.
    """
    if size > LARGEST:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    folder = b""
    if len(name) > LONGEST_NAME:
        folder, _, name = name.rpartition(b"/")
    octal = b"%011o\0" % size
    # Written out and not by tarfile: a picture of 32 x 32 is encoded in the time of one header.
    checksum = b"%06o\0 " % (_SUM + sum(name) + sum(octal) + sum(folder))
    return b"".join(
        (
            name.ljust(LONGEST_NAME, b"\0"),
            *(_BEFORE_SIZE, octal, _TIME, checksum, _AFTER_SUM),
            folder.ljust(155 + 12, b"\0"),
        )
    )


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

    def add(self, name: str, row: Row, data: bytes) -> None:
        """Write one sample: its files lie side by side, sorted by their endings."""
        key, _, ending = name.rpartition(".")
        fields = {ending: data, "json": sample_json(row)}
        if row.label.weights and not self._are_many:
            fields["cls"] = b"%d" % self._numbers[row.label.heaviest]
        pieces = []
        for field, content in sorted(fields.items()):
            pieces += [header(f"{key}.{field}".encode(), len(content)), content]
            pieces.append(bytes(-len(content) % BLOCK))
        self._stream.write(b"".join(pieces))

    def close(self) -> None:
        """Write the end of the archive."""
        end = self._stream.size + 2 * BLOCK
        self._stream.write(bytes(2 * BLOCK + -end % RECORD))


def sample_json(row: Row) -> bytes:
    """Return what the ``json`` of a sample says: its row of the manifest, of unchanging types."""
    content: dict[str, Any] = {
        "classes": row.label.classes,
        "weights": [float(weight) for _, weight in row.label.weights],
        **row.facts(),
    }
    return _JSON(content).encode()


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
