"""The list of sources of a plan, in two files of OUT.

The index says what tasks need not find out again: the shards, and where everything lies in the
list. The list holds the sources and the order of each ring. A task reads the index, and of the list
the sources of its own shards.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from augcli.data.names import is_container_name
from augcli.data.output import LISTS
from augcli.data.stores.source_list import (
    Column,
    ListWriter,
    read_numbers,
    read_sources,
)
from augcli.errors import OutputError
from augcli.files import Spool, is_url, open_file, parse_json
from augcli.plan.ring import Shard

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from numpy.typing import NDArray

    from augcli.data.output import OutputFolder
    from augcli.data.stores.sources import Sources
    from augcli.files import Draft
    from augcli.plan.plan import Plan
    from augcli.recipes.chain import Chain
    from augcli.run.checking.checked_run import Run

COMPRESSION: Final = 1
GZIP: Final = 31
"""What zlib calls the format of gzip."""
PIECE: Final = 1 << 20
INDEX_LIMIT: Final = 1 << 31
"""Bytes of the largest index that is read."""


@dataclass(frozen=True)
class Facts:
    """What is known of all sources, so that no task need find it out again.

    Attributes:
        shards: All shards of the plan, in order.
        long_named: Sources whose outputs get a longer hash in their names.
        sources: The description of the list, see :mod:`augcli.data.stores.source_list`.
        orders: Where the order of each ring lies in it, by copy and split; none where the order
            alone does not say who gives to whom.
    """

    shards: list[Shard]
    long_named: frozenset[str]
    sources: Any
    orders: dict[tuple[int, str], Column]

    @classmethod
    def from_json(cls, content: Any) -> Facts:
        """Return the facts that a JSON value holds.

        Raises:
            ValueError: It is not what augcli wrote.
            KeyError: The same.
            TypeError: The same.
        """
        shards = [Shard(*each) for each in content["shards"]]
        if not all(map(_is_shard, shards)):
            raise ValueError("it is not what augcli wrote")
        orders = {
            (copy, split): Column.from_json(column) for copy, split, column in content["orders"]
        }
        return cls(shards, frozenset(content["long_named"]), content["sources"], orders)

    def to_json(self) -> dict[str, Any]:
        """Return the facts as JSON can hold them."""
        return {
            "shards": self.shards,
            "long_named": sorted(self.long_named),
            "sources": self.sources,
            "orders": [[*ring, column] for ring, column in self.orders.items()],
        }

    @property
    def files(self) -> set[str]:
        """The names of the files that hold the outputs of shards, where each is not a file."""
        return {shard.file for shard in self.shards if shard.file}

    @property
    def ranges(self) -> int:
        """Into how many ranges each copy is cut, where each output is a file."""
        return self.shards[0].ranges if self.shards else 1


class SharedList(NamedTuple):
    """The list of a plan, open.

    Attributes:
        output: OUT.
        facts: What is known of all sources.
        sources: The sources, which stay on the disk.
        file: The list.
    """

    output: OutputFolder
    facts: Facts
    sources: Sources
    file: BinaryIO

    def plan(self, run: Run, chain: Chain) -> Plan:
        """Return all jobs of a run.

        Args:
            run: The run, with its white level.
            chain: What is done, with the mean colour.
        """
        plan = run.plan(chain, self.facts.ranges)
        plan.long_named = self.facts.long_named
        plan.order_of = self.order
        return plan

    def order(self, copy: int, split: str) -> NDArray[np.int32] | None:
        """Return the order of the sources on a ring: int32 (n,); None where it is not known.

        Raises:
            OutputError: It is damaged.
        """
        column = self.facts.orders.get((copy, split))
        with whole_plan(self.output):
            return np.asarray(read_numbers(self.file, column)) if column else None


def write_list(output: OutputFolder, sources: Sources, plan: Plan) -> str:
    """Write the list and its index into OUT.

    Args:
        output: OUT.
        sources: All sources.
        plan: Their jobs.

    Returns:
        The hash of the index, which has those of all columns.
    """
    draft = output.files.draft()
    try:
        # A task reads all of an object, and only what it needs of a file.
        packer = zlib.compressobj(COMPRESSION, wbits=GZIP) if is_url(output.path) else None
        facts = _write(draft, packer, sources, plan)
    except BaseException:
        draft.discard()
        raise
    index = json.dumps(facts.to_json(), separators=(",", ":")).encode("utf-8")
    sha256 = hashlib.sha256(index).hexdigest()
    draft.publish(_list_name(sha256))
    # Without a time: the same index is the same bytes.
    output.files.publish(_index_name(sha256), gzip.compress(index, COMPRESSION, mtime=0))
    return sha256


def _write(draft: Draft, packer: Any, sources: Sources, plan: Plan) -> Facts:
    writer = ListWriter(
        draft.write if packer is None else lambda data: draft.write(packer.compress(data))
    )
    description, orders = writer.sources(sources), {}
    shards: list[Shard] = []
    for ring, split, cut in plan.rings():
        if ring.is_known_by_order:
            orders[ring.copy, split] = writer.numbers(ring.order, "i")
        shards += cut
    if packer:
        draft.write(packer.flush())
    return Facts(plan.named(shards), plan.long_named, description, orders)


def forget_list(output: OutputFolder, sha256: str) -> None:
    """Remove a list and its index."""
    output.files.remove(_list_name(sha256), _index_name(sha256))


def read_index(output: OutputFolder, sha256: str) -> Facts:
    """Return what is known of all sources, without the list.

    Args:
        output: OUT.
        sha256: The hash of the index.

    Raises:
        ValueError: It is damaged, or not what augcli wrote.
        KeyError: The same.
        TypeError: The same.
        OSError: It can't be read.
    """
    unpacker = zlib.decompressobj(GZIP)
    try:
        index = unpacker.decompress(output.files.read(_index_name(sha256)), INDEX_LIMIT)
    except zlib.error as error:
        raise ValueError(f"it is damaged: {error}") from None
    if hashlib.sha256(index).hexdigest() != sha256:
        raise ValueError("it is damaged")
    return Facts.from_json(parse_json(index))


@contextlib.contextmanager
def open_list(output: OutputFolder, sha256: str, facts: Facts) -> Iterator[SharedList]:
    """Open a list for as long as its sources are used.

    Args:
        output: OUT.
        sha256: The hash of the index.
        facts: What the index holds.

    Raises:
        ValueError: It is damaged.
        KeyError: It is not what augcli wrote.
        TypeError: The same.
        OSError: It can't be read.
    """
    with _opened(output, _list_name(sha256)) as file:
        yield SharedList(output, facts, read_sources(file, facts.sources), file)


@contextlib.contextmanager
def _opened(output: OutputFolder, name: str) -> Iterator[BinaryIO]:
    """Open a list for reading at any place; that of a bucket is copied to this machine."""
    if not is_url(output.path):
        with output.files.open(name) as file:
            yield file
        return
    spool = Spool()
    try:
        with output.files.open(name) as packed:
            spool.write("list", _unpacked(packed), INDEX_LIMIT << 8)
        with open_file(f"{spool.path}/list") as file:
            yield file
    finally:
        spool.remove()


def _unpacked(packed: BinaryIO) -> Iterator[bytes]:
    try:
        with gzip.GzipFile(fileobj=packed) as file:
            while data := file.read(PIECE):
                yield data
    except (EOFError, zlib.error) as error:
        raise ValueError(f"it is damaged: {error}") from None


@contextlib.contextmanager
def whole_plan(output: OutputFolder) -> Iterator[None]:
    """Say that a plan can't be used where that is so.

    Raises:
        OutputError: It can't.
    """
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise damaged_plan(output, error) from None


def damaged_plan(output: OutputFolder, error: object) -> OutputError:
    """Return the error for a plan that can't be used."""
    reason = error.strerror if isinstance(error, OSError) else error
    return OutputError(
        f"the plan in OUT {output.folder} can't be used ({reason}); prepare it again"
    )


def _list_name(sha256: str) -> str:
    return f"{LISTS}/{sha256[:32]}"


def _index_name(sha256: str) -> str:
    return f"{LISTS}/{sha256[:32]}.json.gz"


def _is_shard(shard: Shard) -> bool:
    """Return whether augcli can have written a shard."""
    numbers: Sequence[object] = (*shard[:5], shard.jobs)
    return (
        all(type(number) is int for number in numbers)
        and isinstance(shard.split, str)
        and (shard.file == "" or is_container_name(shard.file))
    )
