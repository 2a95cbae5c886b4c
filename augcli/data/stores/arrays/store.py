"""The array store: pictures of one size in arrays, each a source of its own.

Where the bytes of a picture lie is known when INPUT was listed, so a worker reads only these. It
gets them as a ``.npy`` file, which is one more format of pictures. The name of a source is
``<file>#<number>``, or ``<file>#<array>-<number>`` where a file has several arrays of pictures.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from augcli.data.stores.arrays.batches import DIGITS
from augcli.data.stores.arrays.numpy_files import batches_of_npy, batches_of_npz
from augcli.data.stores.arrays.old_batches import (
    batch_of_binary,
    batch_of_pickle,
    batches_of_idx,
)
from augcli.data.stores.arrays.unpacked import Unpacked
from augcli.data.stores.contents import in_order, set_container_splits
from augcli.data.stores.kinds import CIFAR_BINARY, IDX, NPY, NPZ, array_files
from augcli.data.stores.output_labels import take_labels_of_output
from augcli.data.stores.sources import (
    CHANGED,
    MOST_BYTES,
    Source,
    SourceChanged,
    Sources,
    too_large,
)
from augcli.errors import InputError
from augcli.files import open_pieces, real_place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from augcli.data.stores.arrays.batches import Batch, Block
    from augcli.data.stores.contents import ContainerFile
    from augcli.data.stores.folder import Layout
    from augcli.files import Pieces

FILES_OPEN = 64


class ArrayStore:
    """The pictures of arrays: NumPy files, batches of CIFAR, idx files of MNIST.

    Args:
        place: The file or the folder, absolute.
        out: A folder that is never read.
        layout: Whether names of files and arrays give splits.
        given: INPUT as it was given, for messages.
        blocks: Where pictures lie, by what their names begin with; empty until they are listed.
    """

    def __init__(
        self,
        place: str,
        out: str | None = None,
        layout: Layout = "auto",
        given: str = "",
        blocks: Mapping[str, Block] | None = None,
    ) -> None:
        self._place = place
        self._out = out
        self._layout: Layout = layout
        self._given = given or place
        self._blocks = dict(blocks or {})
        self._unpacked = Unpacked()
        self._open: OrderedDict[str, Pieces] = OrderedDict()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without what is open; the temporary files stay with the process that listed."""
        fields = (self._place, self._out, self._layout, self._given, self._blocks)
        return ArrayStore, fields

    def list(self) -> Sources:
        """Return all pictures, sorted by file, array and number.

        Raises:
            InputError: A file can't be read, or holds no pictures.
            Stopped: There is no room to unpack a file.
        """
        files = array_files(self._place, self._out)
        batches = _batches(files, self._unpacked)
        if not batches:
            raise InputError(f"INPUT {self._given} holds no array of images")
        batches.sort(key=lambda batch: batch.name)
        sources = Sources(
            real_place(self._place),
            containers=[file.name for file in files],
            in_containers=True,
            container_mark="#",
            are_files=False,
            endings=["png"],
        )
        for name, modified, _, block, _, notice, _ in batches:
            count = block.pictures
            sources.paths.extend(f"{name}{number:0{DIGITS}d}" for number in range(count))
            sources.sizes.extend(array("q", [block.bytes_each]) * count)
            sources.modified.extend(array("q", [modified]) * count)
            sources.starts.extend(range(count))
            if notice:
                sources.notices.append(notice)
            self._blocks[name] = block
        sources.ending_of = array("B", bytes(len(sources.paths)))
        names = [
            f"{batch.name.rpartition('#')[0]}/{name}" for batch in batches for name in batch.names
        ]
        if len(names) == len(sources) and take_labels_of_output(sources, self._given, names):
            return in_order(sources)
        sources.are_unpacked = self._unpacked.is_used
        notices = sources.notices
        sources.set_labels(label for batch in batches for label in batch.labels)
        counts = [batch.block.pictures for batch in batches]
        splits = [batch.split for batch in batches]
        words = set_container_splits(sources, splits, counts, self._layout)
        sources.notices += [*notices, words] if words else notices
        return in_order(sources)

    def adopt(self, sources: Sources) -> None:
        """Look where the arrays lie; see :meth:`augcli.data.stores.sources.Store.adopt`."""
        # Their headers alone: that takes no time.
        self.list()

    def read(self, source: Source, *, max_bytes: int = MOST_BYTES) -> bytes:
        """Return a picture as ``.npy``; see :meth:`augcli.data.stores.sources.Store.read`."""
        block = self._blocks[source.path[:-DIGITS]]
        if block.bytes_each > max_bytes:
            raise too_large("an image", block.bytes_each, max_bytes)
        pieces = self._open.get(block.path)
        if pieces is None:
            if len(self._open) >= FILES_OPEN:
                self._open.popitem(last=False)
            pieces = self._open[block.path] = open_pieces(block.path)
        position = block.start + int(source.path[-DIGITS:]) * block.step
        try:
            data = pieces.read(position, block.bytes_each)
        except EOFError:
            raise SourceChanged(0, CHANGED) from None
        if pieces.status() != (block.size, block.modified):
            raise SourceChanged(0, CHANGED)
        return block.picture(data)


def _batches(files: list[ContainerFile], unpacked: Unpacked) -> list[Batch]:
    """Return the pictures of all files."""
    batches: list[Batch] = []
    of_idx: list[ContainerFile] = []
    of_npy: list[ContainerFile] = []
    for file in files:
        if file.leaf.lower().endswith(NPZ):
            batches += batches_of_npz(file, unpacked)
        elif file.leaf.lower().endswith(NPY):
            of_npy.append(file)
        elif IDX.fullmatch(file.leaf):
            of_idx.append(file)
        elif CIFAR_BINARY.fullmatch(file.leaf):
            batches.append(batch_of_binary(file))
        else:
            batches.append(batch_of_pickle(file, unpacked))
    if of_npy:
        batches += batches_of_npy(of_npy, unpacked)
    return batches + batches_of_idx(of_idx, unpacked)
