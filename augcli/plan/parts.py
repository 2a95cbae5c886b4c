"""Parts: the record of each finished shard, committed by one rename.

A part is a text of two lines of JSON: what became of the shard, and the SHA-256 of that line. A
part that is cut short or damaged is not a part. While a run is at work each part is a file of its
own, ``.augcli/parts/SHARD.json``; when the run is complete all of them, one after the other, are
the lines of ``parts.jsonl.gz``. A file of its own supersedes the lines of its shard.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from augcli.data.labels import Label
from augcli.data.manifest import Failure, Row
from augcli.data.names import is_output_name
from augcli.data.output import FOLDED_PARTS, PARTS
from augcli.data.sinks.folder import PART_ENDING, part_name
from augcli.data.stopping import writing
from augcli.errors import Stopped
from augcli.files import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.files import Folder

UNFINISHED = "unfinished"
"""Fingerprint of a part that only says what stays, while the rest of its shard is made."""
LONGEST_LINE = 256 << 20
"""Bytes of the longest line that is read from the folded parts."""
COMPRESSION = 1
"""Of the folded parts: three times as quick as the usual level, and a quarter larger."""

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_NAME = re.compile(r"(\d{1,9})-(\d{1,10})")


class Made(NamedTuple):
    """One output as a part records it.

    Attributes:
        job: Fingerprint of the job: what the output depends on.
        size: Bytes of the output.
        remarks: What may surprise about it.
        row: What the manifest says of it.
    """

    job: str
    size: int
    remarks: list[str]
    row: Row


@dataclass(slots=True)
class Part:
    """What became of one shard.

    Attributes:
        shard: Name of the shard.
        command: Hash of what changes bytes; another one means that another command made it.
        fingerprint: Hash of its jobs; another one means that sources or amounts changed.
        made: The outputs, in the order of the plan.
        failed: Fingerprint of the job, and what went wrong.
        stood_in: Path and stamp of sources tried as donors after one that can't be read.
        obsolete: Outputs of an earlier part that no job makes any more; they are removed.
        sources: Path and stamp of the bases, in the parts of copy 0: so changed, new and
            missing sources can be counted.
    """

    shard: str
    command: str
    fingerprint: str
    made: list[Made] = field(default_factory=list)
    failed: list[tuple[str, Failure]] = field(default_factory=list)
    stood_in: dict[str, str] = field(default_factory=dict)
    obsolete: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the two lines of the part."""
        # All of it at once, which is several times quicker than output by output.
        body = _line(
            {
                "shard": self.shard,
                "command": self.command,
                "fingerprint": self.fingerprint,
                "made": [
                    (made.job, made.size, made.remarks, _row_to_json(made.row))
                    for made in self.made
                ],
                "failed": self.failed,
                "stood_in": self.stood_in,
                "obsolete": self.obsolete,
                "sources": self.sources,
            }
        )
        return body + _line({"sha256": hashlib.sha256(body).hexdigest()})

    @classmethod
    def from_bytes(cls, content: bytes) -> Part | None:
        """Return the part that two lines hold, None where they are damaged."""
        cut = content.rfind(b"\n", 0, -1) + 1
        body, last = content[:cut], content[cut:]
        if last != _line({"sha256": hashlib.sha256(body).hexdigest()}):
            return None
        try:
            return _from_json(parse_json(body))
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            return None  # whole, but of a version that wrote other parts


def _line(value: Any) -> bytes:
    return _JSON(value).encode("utf-8") + b"\n"


def _row_to_json(row: Row) -> list[Any]:
    name, label, *others = row
    return [name, label.to_json(), *others]


def _from_json(content: Any) -> Part:
    part = Part(
        content["shard"],
        content["command"],
        content["fingerprint"],
        [
            Made(job, size, remarks, Row(name, Label.from_json(label), *others))
            for job, size, remarks, (name, label, *others) in content["made"]
        ],
        [(job, Failure(*failure)) for job, failure in content["failed"]],
        content["stood_in"],
        content["obsolete"],
        content["sources"],
    )
    _check(part)
    return part


def _check(part: Part) -> None:
    """Check what a part holds: it may come from somebody else, and names files to remove.

    Raises:
        ValueError: It holds something else than augcli writes.
    """
    texts = [part.shard, part.command, part.fingerprint, *part.stood_in, *part.sources]
    texts += [*part.stood_in.values(), *part.sources.values(), *part.obsolete]
    numbers: list[Any] = []
    weights: list[Any] = []
    for job, size, remarks, row in part.made:
        texts += [job, *remarks, row.file_name, *row[2:6], row.sha256]
        numbers += [size, row.width, row.height, row.copy]
        weights += [weight for _, weight in row.label.weights]
    for job, failure in part.failed:
        texts += [job, *failure]
    # By their set, which is several times quicker than one by one.
    if not (set(map(type, texts)) <= {str} and set(map(type, numbers)) <= {int}):
        raise ValueError("a text or a number is something else")
    if not set(map(type, weights)) <= {int, float} or min(numbers + weights, default=0) < 0:
        raise ValueError("a weight or a number is no such number")
    names = [*part.obsolete, *(made.row.file_name for made in part.made)]
    if not _NAME.fullmatch(part.shard) or not all(map(is_output_name, names)):
        raise ValueError("a name is none that augcli gives")


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


def shard_order(shard: str) -> tuple[int, int]:
    """Return the place of a shard in the plan, from its name.

    Example:
        >>> shard_order("10-00002") > shard_order("2-00010")
        True
    """
    match = _NAME.fullmatch(shard)
    return (int(match[1]), int(match[2])) if match else (-1, -1)


class Parts:
    """All parts of an output folder, in the order of the plan.

    Args:
        files: Reads and writes OUT.

    Attributes:
        is_cut: Whether the folded parts turned out to be damaged while they were read: what
            comes after the damage is lost.
    """

    def __init__(self, files: Folder) -> None:
        self._files = files
        self.is_cut = False

    def loose(self) -> list[str]:
        """Return the names of the shards whose part is a file of its own, in order."""
        names = [
            name.removesuffix(PART_ENDING)
            for name in self._files.names(PARTS)
            if name.endswith(PART_ENDING)
        ]
        return sorted((name for name in names if _NAME.fullmatch(name)), key=shard_order)

    @property
    def are_folded(self) -> bool:
        """Whether there is a file of folded parts."""
        return self._files.size(FOLDED_PARTS) is not None

    def read(self) -> Iterator[StoredPart]:
        """Yield every part, in order; the part of a shard that is a file of its own wins.

        Raises:
            Stopped: A part can't be read: what it records must not be taken for lost.
        """
        loose = self.loose()
        folded = self._folded()
        following = next(folded, None)
        for shard in loose:
            while following and shard_order(following.shard) < shard_order(shard):
                yield following
                following = next(folded, None)
            if following and following.shard == shard:
                following = next(folded, None)
            yield self._loose(shard)
        while following:
            yield following
            following = next(folded, None)

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

    def remove_loose(self) -> None:
        """Remove the parts that are files of their own: they are folded, or nothing is left."""
        for shard in self.loose():
            self._files.remove(part_name(shard))

    def remove(self) -> None:
        """Remove all parts."""
        self._files.remove(FOLDED_PARTS)
        self.remove_loose()

    def drop(self, part: Part) -> set[str]:
        """Remove the outputs of a part; return the folders that they lay in.

        First the part forgets its outputs, so that no part ever names a file that is gone;
        they are noted as obsolete, so that a killed run can be continued.
        """
        names = [made.row.file_name for made in part.made] + part.obsolete
        if part.made:
            self.commit(Part(part.shard, part.command, UNFINISHED, obsolete=names))
        for name in names:
            self._files.remove(name)
        return {name.rpartition("/")[0] for name in names}

    def _loose(self, shard: str) -> StoredPart:
        path = f"{self._files.path}/{part_name(shard)}"
        try:
            content = self._files.read(part_name(shard))
        except FileNotFoundError:
            content = b""
        except OSError as error:
            raise Stopped(
                f"{path} can't be read ({error.strerror}); fix that, or remove the file to make "
                "its shard anew, then run the same command again to continue"
            ) from None
        part = Part.from_bytes(content)
        # A copy of another part is not the part of this shard.
        return StoredPart(shard, content, part if part and part.shard == shard else None)

    def _folded(self) -> Iterator[StoredPart]:
        """Yield the folded parts that are whole."""
        self.is_cut = False
        try:
            file = self._files.open(FOLDED_PARTS)
        except FileNotFoundError:
            return
        except OSError as error:
            raise Stopped(
                f"{self._files.path}/{FOLDED_PARTS} can't be read ({error.strerror}); fix that, "
                "then run the same command again to continue"
            ) from None
        last = (-1, -1)
        try:
            with file, gzip.GzipFile(fileobj=file) as archive:
                while body := archive.readline(LONGEST_LINE):
                    content = body + archive.readline(LONGEST_LINE)
                    part = Part.from_bytes(content)
                    if part and shard_order(part.shard) > last:
                        last = shard_order(part.shard)
                        yield StoredPart(part.shard, content, part)
                    else:
                        self.is_cut = True
        except (OSError, EOFError, zlib.error):
            self.is_cut = True
