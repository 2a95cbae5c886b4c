"""The picture files of an output folder by their numbers, for the workers of a loader."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from augcli.data.output import output_files
from augcli.data.packed import PackedNames
from augcli.data.sinks.container import ContainerFiles, Place
from augcli.data.sinks.opening import sink_of
from augcli.torch.libraries import Shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from augcli.data.sinks.sink import Sink

UNKNOWN = -1


class Places(NamedTuple):
    """Where each picture lies in its container, :data:`UNKNOWN` until somebody looked.

    Attributes:
        starts: int64 (n,): position of its first byte.
        sizes: int64 (n,): its bytes.
    """

    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]


class Outputs:
    """The files of the pictures of an output folder, read in any order.

    Files are opened by the process that reads. Where pictures lie in containers, the first that is
    wanted of a container makes its worker look where all of them lie. This is written into memory
    that all workers share, so that none looks again; two may look at the same time, and find the
    same.

    Args:
        folder: OUT, absolute.
        names: Of the pictures, as the manifest has them.

    Raises:
        UsageError: A package that the containers need is missing.
    """

    def __init__(self, folder: str, names: Sequence[str]) -> None:
        self._folder = folder
        self._names = Shared(PackedNames.of(names))
        self._first = names[0] if names else ""
        self._sink: Sink | None = None
        self._places: Shared[Places] | None = None
        if isinstance(self._opened(), ContainerFiles):
            unknown = np.full(len(names), UNKNOWN, np.int64)
            self._places = Shared(Places(unknown, unknown), written=True)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is open: each worker opens the folder itself."""
        return {**self.__dict__, "_sink": None}

    def __len__(self) -> int:
        return len(self._names.arrays.ends)

    def name(self, index: int) -> str:
        """Return the name of a picture."""
        return self._names.arrays.name(index)

    def read(self, index: int) -> bytes:
        """Return the file of a picture.

        Raises:
            OSError: It can't be read.
        """
        name, sink = self.name(index), self._opened()
        if self._places is None or not isinstance(sink, ContainerFiles):
            return sink.read(name)
        if UNKNOWN in self._place(index):
            self._look_through(name.partition("/")[0], index, sink)
        place = self._place(index)
        if UNKNOWN in place:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return sink.read_at(name.partition("/")[0], place)

    def _place(self, index: int) -> Place:
        assert self._places
        places = self._places.arrays
        return Place(int(places.starts[index]), int(places.sizes[index]))

    def _look_through(self, container: str, index: int, sink: ContainerFiles) -> None:
        """Write down where the pictures of a container lie: one of them, and its neighbours."""
        assert self._places
        places, found = self._places.arrays, sink.places(container)
        for step in (1, -1):
            # The manifest is sorted: what lies in one container stands together.
            neighbour = index
            while 0 <= neighbour < len(self):
                holder, _, member = self.name(neighbour).partition("/")
                if holder != container:
                    break
                if member in found:
                    places.starts[neighbour], places.sizes[neighbour] = found[member]
                neighbour += step

    def _opened(self) -> Sink:
        if self._sink is None:
            self._sink = sink_of(self._first, output_files(self._folder))
        return self._sink
