"""A part: what became of one shard, as two lines of JSON.

The first line says it, the second is the SHA-256 of the first. What is cut short, damaged or of
wrong types is not a part.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from augcli.data.labels import Label
from augcli.data.manifest import Failure, Row
from augcli.data.names import is_container_name, is_output_name
from augcli.data.sinks.sink import DataFile
from augcli.files import parse_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UNFINISHED = "unfinished"
"""Fingerprint of a part that only says what stays, while the rest of its shard is made."""

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_SHARD_NAME = re.compile(r"(\d{1,9})-(\d{1,7})-of-(\d{1,7})(?:-([A-Za-z0-9_]{1,100}))?")
MOST_SHARDS = 1 << 22
"""Of one copy: enough for 500 million sources."""


class ShardName(NamedTuple):
    """The name of a shard in numbers.

    Attributes:
        copy: Copy number.
        number: Which range of keys, 0 and up.
        ranges: How many ranges the copy is cut into, a power of two.
        split: The part of the data set; empty where there are none.
    """

    copy: int
    number: int
    ranges: int
    split: str = ""

    def __str__(self) -> str:
        name = f"{self.copy}-{self.number:05d}-of-{self.ranges:05d}"
        return f"{name}-{self.split}" if self.split else name

    @property
    def order(self) -> tuple[int, str, int]:
        """The place of the shard in the plan."""
        return self.copy, self.split, self.number

    @classmethod
    def parse(cls, name: str) -> ShardName | None:
        """Return the numbers of a name; None where it is not one that augcli gives.

        Example:
            >>> ShardName.parse("0-00012-of-00032")
            ShardName(copy=0, number=12, ranges=32, split='')
            >>> ShardName.parse("0-00012-of-00033")
        """
        match = _SHARD_NAME.fullmatch(name)
        if not match:
            return None
        *numbers, split = match.groups()
        copy, number, ranges = map(int, numbers)
        shard = cls(copy, number, ranges, split or "")
        is_valid = 0 <= shard.number < shard.ranges <= MOST_SHARDS
        is_valid = is_valid and shard.ranges & (shard.ranges - 1) == 0
        return shard if is_valid and str(shard) == name else None


class Tried(NamedTuple):
    """A donor that was tried: one that failed, or that stepped in for one that failed.

    Attributes:
        stamp: What tells it from a changed one.
        stage: Stage of its failure, see :class:`augcli.data.manifest.Failure`; empty where it
            stepped in.
    """

    stamp: str
    stage: str


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
        made: The outputs, sorted by name.
        failed: Fingerprint of the job, and what went wrong.
        tried: By path: donors that failed, and those that stepped in for them.
        obsolete: Outputs of an earlier part that no job makes any more; they are removed.
        sources: Path and stamp of the bases, in the parts of copy 0: so changed, new and
            missing sources can be counted.
        data: The file that holds all outputs; None where each is a file.
    """

    shard: str
    command: str
    fingerprint: str
    made: list[Made] = field(default_factory=list)
    failed: list[tuple[str, Failure]] = field(default_factory=list)
    tried: dict[str, Tried] = field(default_factory=dict)
    obsolete: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    data: DataFile | None = None

    @property
    def files(self) -> list[str]:
        """The files of OUT that it names."""
        made = [self.data.name] if self.data else [made.row.file_name for made in self.made]
        return made + self.obsolete

    def to_bytes(self, plan: str = "") -> bytes:
        """Return the two lines of the part.

        Args:
            plan: Hash of the plan that several machines share. A part that is done then has a third
                line with it, which is left out when parts are folded: what a complete run leaves
                depends on the sources and options alone.
        """
        # All of it at once, which is several times quicker than output by output.
        body = _line(
            {
                "shard": self.shard,
                "command": self.command,
                "fingerprint": self.fingerprint,
                "made": [
                    (made.job, made.size, made.remarks, made.row.to_json()) for made in self.made
                ],
                "failed": self.failed,
                "tried": self.tried,
                "obsolete": self.obsolete,
                "sources": self.sources,
                **({"data": self.data} if self.data else {}),
            }
        )
        mark = plan_mark(plan) if plan else b""
        return body + _line({"sha256": hashlib.sha256(body).hexdigest()}) + mark

    def split(self, count: int, key_of: Callable[[int], Callable[[str], bytes]]) -> Iterator[Part]:
        """Yield the parts of the shards that this one is cut into, in order.

        Its obsolete outputs are in none of them: they must be gone.

        Args:
            count: Shards of a copy then, a power of two.
            key_of: Gives for a copy what gives the key of a base on the ring.
        """
        name = ShardName.parse(self.shard)
        assert name
        each = count // name.ranges
        key_of_base = key_of(name.copy)
        parts = [
            Part(
                str(ShardName(name.copy, name.number * each + piece, count, name.split)),
                self.command,
                UNFINISHED,
                tried=self.tried,
            )
            for piece in range(each)
        ]
        shift = 64 - (count.bit_length() - 1)

        def part_of(path: str) -> Part:
            number = int.from_bytes(key_of_base(path)) >> shift
            return parts[number % each]

        for made in self.made:
            part_of(made.row.source_a).made.append(made)
        for job, failure in self.failed:
            part_of(failure.source).failed.append((job, failure))
        for path, stamp in self.sources.items():
            part_of(path).sources[path] = stamp
        yield from (part for part in parts if part.made or part.failed or part.sources)

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


def plan_mark(plan: str) -> bytes:
    r"""Return the line by which a part shows that it was made for a plan.

    Example:
        >>> plan_mark("3f9a")
        b'{"plan":"3f9a"}\n'
    """
    return _line({"plan": plan})


def without_mark(content: bytes) -> bytes:
    """Return the two lines of a part that may have a third one, with the hash of a plan."""
    last = content.rfind(b"\n", 0, -1) + 1
    return content[:last] if content.startswith(b'{"plan":', last) else content


def _line(value: Any) -> bytes:
    return _JSON(value).encode("utf-8") + b"\n"


def _from_json(content: Any) -> Part:
    part = Part(
        content["shard"],
        content["command"],
        content["fingerprint"],
        _made_of(content["made"]),
        [(job, Failure(*failure)) for job, failure in content["failed"]],
        {path: Tried(*tried) for path, tried in content["tried"].items()},
        content["obsolete"],
        content["sources"],
        DataFile(*content["data"]) if "data" in content else None,
    )
    _check(part)
    return part


def _made_of(content: list[list[Any]]) -> list[Made]:
    """Return what a part says of its outputs; column by column is quicker than one by one."""
    if not content:
        return []
    jobs, sizes, remarks, rows = zip(*content, strict=True)
    names, labels, *others = zip(*rows, strict=True)
    known: dict[tuple[Any, ...], Label] = {}
    # Few labels are different ones where classes are not mixed.
    each = [known.get(key) or known.setdefault(key, Label(key)) for key in map(_weights, labels)]
    return list(map(Made, jobs, sizes, remarks, map(Row, names, each, *others)))


def _weights(label: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(label.items())


def _check(part: Part) -> None:
    """Check what a part holds: it may come from somebody else, and names files to remove.

    Raises:
        ValueError: It holds something else than augcli writes.
    """
    texts = [part.shard, part.command, part.fingerprint, *part.tried, *part.sources]
    texts += [*part.sources.values(), *part.obsolete]
    for tried in part.tried.values():
        texts += tried
    for job, failure in part.failed:
        texts += [job, *failure]
    numbers: list[Any] = []
    names = list(part.obsolete)
    weights: list[Any] = []
    if part.made:
        jobs, sizes, remarks, rows = zip(*part.made, strict=True)
        file_names, labels, *facts = zip(*rows, strict=True)
        names += file_names
        texts += [*jobs, *chain.from_iterable(remarks), *file_names]
        texts += chain.from_iterable(facts[:4] + facts[7:])
        numbers += chain(sizes, *facts[4:7])
        # Each label once.
        different = {id(label): label for label in labels}
        weights += [weight for label in different.values() for _, weight in label.weights]
    if part.data:
        texts += [part.data.name, part.data.sha256]
        numbers.append(part.data.size)
    # By their set, which is several times quicker than one by one.
    if not (set(map(type, texts)) <= {str} and set(map(type, numbers)) <= {int}):
        raise ValueError("a text or a number is something else")
    if not set(map(type, weights)) <= {int, float} or not all(0 <= each <= 1.1 for each in weights):
        raise ValueError("a weight is no share")
    if numbers and not 0 <= min(numbers) <= max(numbers) < 2**63:
        raise ValueError("a number is no count")
    # Half of a character, which JSON's escapes can hold, can't be written into a table.
    "".join(texts).encode("utf-8")
    if part.data and not is_container_name(part.data.name):
        raise ValueError("a name is none that augcli gives to a file of outputs")
    if not ShardName.parse(part.shard) or not all(map(is_output_name, names)):
        raise ValueError("a name is none that augcli gives")
