"""Parts: the record of each finished shard, committed by one rename.

While a run is at work each part is a file of its
own, ``.augcli/parts/SHARD.json``; when the run is complete all of them, one after the other, are
the lines of ``parts.jsonl.gz``. A file of its own supersedes the lines of its shard.
"""

from __future__ import annotations

import gzip
import itertools
import os
import zlib
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from augcli.data.output import FOLDED_PARTS, PARTS
from augcli.data.sinks.folder import PART_ENDING, part_name
from augcli.data.stopping import writing
from augcli.errors import Stopped
from augcli.plan.part import UNFINISHED, Part, ShardName, plan_mark, without_mark

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from augcli.files import OutputFiles

LONGEST_LINE = 256 << 20
"""Bytes of the longest line that is read from the folded parts."""
LONGEST_CHECKSUM = 256
"""Bytes of the longest second line of a part."""
LONGEST_NAME = 160
"""Bytes of the longest name of a shard."""
FIRST_LETTERS = b'{"shard":"'
"""How a part begins, see :meth:`augcli.plan.part.Part.to_bytes`."""
COMPRESSION = 1
"""Of the folded parts: three times as quick as the usual level, and a quarter larger."""


class StoredPart(NamedTuple):
    """A part as it lies in OUT.

    Attributes:
        shard: Name of the shard.
        content: Its two lines.
        part: What they hold; None where they are damaged.
    """

    shard: str
    content: bytes
    part: Part | None


def shard_order(shard: str) -> tuple[int, str, int]:
    """Return the place of a shard in the plan, from its name.

    Example:
        >>> shard_order("10-00002-of-00004") > shard_order("2-00003-of-00004")
        True
    """
    name = ShardName.parse(shard)
    return name.order if name else (-1, "", -1)


def _folders_of(stored: StoredPart) -> set[str]:
    files = stored.part.files if stored.part else []
    return {name.rpartition("/")[0] for name in files}


def _shard_of(content: bytes) -> str:
    """Return the shard that a part is of, by its beginning.

    Example:
        >>> _shard_of(b'{"shard":"0-00012-of-00032","command":')
        '0-00012-of-00032'
    """
    name = content[len(FIRST_LETTERS) : len(FIRST_LETTERS) + LONGEST_NAME]
    return name.partition(b'"')[0].decode("utf-8", "replace")


def _is_placed(stored: StoredPart, files: Mapping[str, str]) -> bool:
    part, file = stored.part, files.get(stored.shard)
    return part is not None and file is not None and set(part.files) <= {file}


class Parts:
    """All parts of an output folder, in the order of the plan.

    Args:
        files: Reads and writes OUT.
        in_containers: Whether the outputs of a shard are one file. Then a shard is never cut, and
            splits have different numbers of shards.

    Attributes:
        is_cut: Whether the folded parts turned out to be damaged while they were read: what
            comes after the damage is lost.
        superseded_folders: The folders of outputs that folded parts name which a part of its own
            supersedes: they may be empty now.
    """

    def __init__(self, files: OutputFiles, *, in_containers: bool = False) -> None:
        self._files = files
        self._in_containers = in_containers
        self.is_cut = False
        self.superseded_folders = set[str]()

    def loose(self) -> list[str]:
        """Return the names of the shards whose part is a file of its own, in order.

        A run may have ended while it folded parts and cut their shards, see :meth:`split`. What
        the older parts say then stands in the folded ones: they are left out.

        Raises:
            Stopped: Their folder can't be listed: a link or a file may lie in its place.
        """
        names = sorted(self._loose_names(), key=lambda name: (name.order, name.ranges))
        if self._in_containers:
            return [str(name) for name in names]
        count = self.shard_count if names else 0
        return [str(name) for name in names if name.ranges == count]

    @property
    def shard_count(self) -> int:
        """Into how many shards each copy is cut; 0 where there is no part."""
        first = next(filter(None, self._folded()), None)
        folded = ShardName.parse(first.shard) if first else None
        names = [folded] if folded else self._loose_names()
        return max((name.ranges for name in names), default=0)

    def _loose_names(self) -> list[ShardName]:
        """Return the names of all parts that are files of their own, in no order."""
        with writing(self._files.path):
            files = self._files.names(PARTS)
        names = [
            ShardName.parse(name.removesuffix(PART_ENDING))
            for name in files
            if name.endswith(PART_ENDING)
        ]
        return [name for name in names if name]

    @property
    def are_folded(self) -> bool:
        """Whether there is a file of folded parts."""
        return self._files.size(FOLDED_PARTS) is not None

    def read(self, chosen: Collection[str] | None = None) -> Iterator[StoredPart]:
        """Yield every part, in order; the part of a shard that is a file of its own wins.

        Args:
            chosen: Names of shards: only their parts, and those that are files of their own are
                looked for by their names, each when its turn comes; all where None.

        Raises:
            Stopped: A part can't be read: what it records must not be taken for lost.
        """
        loose = self.loose() if chosen is None else self._there(chosen)
        folded = self._whole_folded(chosen)
        following = next(folded, None)
        for stored in self._files.in_turn(loose, self._loose):
            while following and shard_order(following.shard) < shard_order(stored.shard):
                yield following
                following = next(folded, None)
            if following and following.shard == stored.shard:
                self.superseded_folders |= _folders_of(following)
                following = next(folded, None)
            yield stored
        while following:
            yield following
            following = next(folded, None)

    def marked(self, plan: str) -> Iterator[str]:
        """Yield the shards whose part, a file of its own, was made for a plan.

        Args:
            plan: Its hash.
        """
        mark = plan_mark(plan)

        def is_marked(shard: str) -> bool:
            try:
                with self._files.open(part_name(shard)) as file:
                    file.seek(-min(len(mark), file.seek(0, os.SEEK_END)), os.SEEK_END)
                    return file.read() == mark
            except FileNotFoundError:
                return False

        shards = list(map(str, self._loose_names()))
        yield from itertools.compress(shards, self._files.in_turn(shards, is_marked))

    def commit(self, part: Part) -> None:
        """Write a part as a file of its own."""
        with writing(self._files.path):
            self._files.publish(part_name(part.shard), part.to_bytes())
            self._files.sync()

    def fold(self, parts: Iterator[StoredPart]) -> None:
        """Write the file of folded parts; whole under a temporary name, then renamed."""

        def write(file: BinaryIO) -> None:
            # Without a name and a time: the same parts are the same bytes.
            with gzip.GzipFile("", "wb", COMPRESSION, file, mtime=0) as archive:
                for stored in parts:
                    archive.write(stored.content)

        self._files.publish(FOLDED_PARTS, write)
        self._files.sync()

    def split(self, count: int, key_of: Callable[[int], Callable[[str], bytes]]) -> set[str]:
        """Cut each copy into more shards, because the set has grown; outputs stay as they are.

        What no part records as made is removed. Then all parts are folded anew, by one rename.

        Args:
            count: How many, a power of two and more than now.
            key_of: Gives for a copy what gives the key of a base, see
                :func:`augcli.plan.ring.ring_keys`.

        Returns:
            The folders that something was removed from.
        """
        folders: set[str] = set()
        for stored in self.read():
            obsolete = stored.part.obsolete if stored.part else []
            self._files.remove(*obsolete)
            folders.update(name.rpartition("/")[0] for name in obsolete)
        self.fold(
            StoredPart(part.shard, part.to_bytes(), part)
            for stored in self.read()
            if stored.part
            for part in stored.part.split(count, key_of)
        )
        self.remove_loose()
        return folders

    def are_placed(self, files: Mapping[str, str]) -> bool:
        """Return whether all outputs lie in the files in which the plan has them.

        Args:
            files: By shard of the plan: the name of the file that holds its outputs.
        """
        return all(stored.part is None or _is_placed(stored, files) for stored in self.read())

    def keep_placed(self, files: Mapping[str, str]) -> None:
        """Forget the shards whose outputs the plan has in another file.

        Args:
            files: By shard of the plan: the name of the file that holds its outputs.
        """
        self.fold(stored for stored in self.read() if _is_placed(stored, files))
        self.remove_loose()

    def remove_loose(self) -> None:
        """Remove the parts that are files of their own: they are folded, or nothing is left."""
        self._files.remove(*(part_name(str(name)) for name in self._loose_names()))

    def remove(self) -> None:
        """Remove all parts."""
        self._files.remove(FOLDED_PARTS)
        self.remove_loose()

    def drop(self, part: Part) -> set[str]:
        """Remove the outputs of a part; return the folders that they lay in.

        First the part forgets its outputs, so that no part ever names a file that is gone;
        they are noted as obsolete, so that a killed run can be continued.
        """
        names = part.files
        if part.made or part.data:
            self.commit(Part(part.shard, part.command, UNFINISHED, obsolete=names))
        self._files.remove(*names)
        return {name.rpartition("/")[0] for name in names}

    def _there(self, chosen: Collection[str]) -> Iterator[str]:
        """Yield those of the shards whose part is a file of its own, in order."""
        for shard in sorted(chosen, key=shard_order):
            if self._files.size(part_name(shard)) is not None:
                yield shard

    def _loose(self, shard: str) -> StoredPart:
        path = f"{self._files.path}/{part_name(shard)}"
        try:
            content = self._files.read(part_name(shard), LONGEST_LINE)
        except FileNotFoundError:
            content = b""
        except OSError as error:
            raise Stopped(
                f"{path} can't be read ({error.strerror}); fix that, or remove the file to make "
                "its shard anew, then run the same command again to continue"
            ) from None
        content = without_mark(content)
        part = Part.from_bytes(content)
        # A copy of another part is not the part of this shard.
        return StoredPart(shard, content, part if part and part.shard == shard else None)

    def _whole_folded(self, chosen: Collection[str] | None = None) -> Iterator[StoredPart]:
        """Yield the folded parts that are whole, and note whether all are."""
        self.is_cut = False
        for stored in self._folded(chosen):
            if stored:
                yield stored
            else:
                self.is_cut = True

    def _folded(self, chosen: Collection[str] | None = None) -> Iterator[StoredPart | None]:
        """Yield the folded parts, None for each that is damaged.

        Args:
            chosen: Names of shards: others are not looked into; all where None.
        """
        try:
            file = self._files.open(FOLDED_PARTS)
        except FileNotFoundError:
            return
        except OSError as error:
            raise Stopped(
                f"{self._files.path}/{FOLDED_PARTS} can't be read ({error.strerror}); fix that, "
                "then run the same command again to continue"
            ) from None
        last = (-1, "", -1)
        try:
            with file, gzip.GzipFile(fileobj=file) as archive:
                while body := archive.readline(len(FIRST_LETTERS)):
                    if body == FIRST_LETTERS:
                        body += archive.readline(LONGEST_LINE)
                    if not body.endswith(b"\n"):
                        # It may unpack to any size: what comes after it is not looked for.
                        self.is_cut = True
                        return
                    content = body + archive.readline(LONGEST_CHECKSUM)
                    if chosen is not None and _shard_of(content) not in chosen:
                        continue
                    part = Part.from_bytes(content)
                    if part and shard_order(part.shard) > last:
                        last = shard_order(part.shard)
                        yield StoredPart(part.shard, content, part)
                    else:
                        yield None
        except (OSError, EOFError, zlib.error):
            yield None
