"""What sinks have in common that put the outputs of a shard into one file, a container.

The file is written under a temporary name, output by output in the order of the jobs, which is
that of a hash: so a reader of one container after the other gets the classes mixed. It gets its
name when it is whole, by one rename; then the part is published. What a container holds is not
changed any more: where anything of its shard changes, the whole shard is made again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

from augcli.data.names import container_key
from augcli.data.sinks.folder import part_name
from augcli.data.sinks.sink import DataFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from augcli.data.manifest import Row
    from augcli.files import Draft, OutputFiles


class Archive(Protocol):
    """Writes the outputs of one container into a stream."""

    def add(self, name: str, row: Row, data: bytes) -> None:
        """Write an output, under its name in the container."""
        ...

    def close(self) -> None:
        """Write what comes last."""
        ...


class Kind(Protocol):
    """A format of containers."""

    def archive(self, stream: HashedStream) -> Archive:
        """Begin a container."""
        ...


class HashedStream:
    """A draft that is hashed while it is written.

    Attributes:
        size: Bytes written.
        closed: Never true: the draft ends when it is published or dropped.
    """

    closed = False

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        """Write bytes at the end."""
        self._draft.write(data)
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self.size

    def close(self) -> None:
        """Do nothing: the draft is closed when it is published or dropped."""

    def flush(self) -> None:
        """Do nothing: what is left is written when the draft is published."""

    def sha256(self) -> str:
        """Return the hash of all that was written, as hexadecimal digits."""
        return self._hash.hexdigest()


class Place(NamedTuple):
    """Where a picture lies in its container.

    Attributes:
        start: Position of its first byte.
        size: Its bytes.
    """

    start: int
    size: int


class ContainerFiles(ABC):
    """The files of a sink of containers: reading, sizes and removal, as for any file.

    Attributes:
        index_name: The file that says what all containers hold; empty where there is none.
        is_whole: Whether there is one for each copy of a split, however large.
        holds_arrays: Whether it takes pictures as ``.npy``, all of one size.
    """

    index_name: ClassVar[str] = ""
    is_whole: ClassVar[bool] = False
    holds_arrays: ClassVar[bool] = False

    def __init__(self, files: OutputFiles) -> None:
        self.files = files
        self._listed: tuple[str, Mapping[str, Place]] = "", {}

    @abstractmethod
    def places(self, container: str) -> Mapping[str, Place]:
        """Return where each picture of a container lies, by its name in there.

        Raises:
            OSError: It can't be read, or is damaged.
        """

    def read(self, name: str, limit: int | None = None) -> bytes:
        """Return the bytes of a picture.

        The places of one container are remembered: outputs are best read in their order.
        """
        container, _, member = name.partition("/")
        if self._listed[0] != container:
            self._listed = container, self.places(container)
        place = self._listed[1].get(member)
        if place is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        if limit is not None and place.size > limit:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        return self.read_at(container, place)

    def read_at(self, container: str, place: Place) -> bytes:
        """Return the bytes of a picture whose place is known.

        Raises:
            OSError: They can't be read.
        """
        with self.files.open(container) as file:
            file.seek(place.start)
            return file.read(place.size)

    def size(self, name: str) -> int | None:
        """Return how many bytes a container has; None where it is missing."""
        return self.files.size(name)

    def remove(self, *names: str) -> None:
        """Remove containers, those that are there."""
        self.files.remove(*names)


class ContainerWriter:
    """Writes the container of one shard.

    Args:
        files: Writes into OUT.
        shard: Name of the shard.
        file: Name of the container.
        kind: Its format.
    """

    def __init__(self, files: OutputFiles, shard: str, file: str, kind: Kind) -> None:
        self._files = files
        self._part = part_name(shard)
        self._file = file
        self._kind = kind
        self._draft: Draft | None = None
        self._stream: HashedStream | None = None
        self._archive: Archive | None = None

    def place(self, name: str) -> str:
        """Return the name in the manifest: the container, ``/``, and the name in it."""
        return f"{self._file}/{container_key(name)}.{name.rpartition('.')[2]}"

    def files(self, names: list[str]) -> list[str]:
        """Return the container."""
        return [self._file] if names else []

    def begin(self, part: bytes) -> None:
        """Publish what the part says while the container is being written."""
        self._files.publish_first(self._part, part)

    def add(self, row: Row, data: bytes) -> None:
        """Write one output."""
        self._begun().add(row.file_name[len(self._file) + 1 :], row, data)

    def close(self) -> DataFile:
        """End the container, which may hold nothing: then all of its outputs failed."""
        self._begun().close()
        assert self._stream
        return DataFile(self._file, self._stream.size, self._stream.sha256())

    def commit(self, part: bytes) -> None:
        """Give the container its name, then publish the part."""
        assert self._draft
        draft, self._draft = self._draft, None
        draft.publish(self._file)
        self._files.sync()
        self._files.publish(self._part, part)
        self._files.sync()

    def abandon(self) -> None:
        """Remove the container, if it is not published, and wait for what is on its way."""
        with contextlib.suppress(OSError):
            self._files.sync()
        if self._draft:
            self._draft.discard()
            self._draft = None

    def _begun(self) -> Archive:
        if self._archive is None:
            self._draft = self._files.draft()
            self._stream = HashedStream(self._draft)
            self._archive = self._kind.archive(self._stream)
        return self._archive
