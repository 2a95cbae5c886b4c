"""A part: what became of one shard, as two lines of JSON.

The first line says it, the second is the SHA-256 of the first. What is cut short, damaged or of
wrong types is not a part.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from augcli.data.labels import Label
from augcli.data.manifest import Failure, Row
from augcli.data.names import is_output_name
from augcli.files import parse_json

UNFINISHED = "unfinished"
"""Fingerprint of a part that only says what stays, while the rest of its shard is made."""

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
SHARD_NAME = re.compile(r"(\d{1,9})-(\d{1,10})")


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
    if not set(map(type, weights)) <= {int, float} or not all(0 <= each <= 1.1 for each in weights):
        raise ValueError("a weight is no share")
    if not all(0 <= number < 2**63 for number in numbers):
        raise ValueError("a number is no count")
    # Half of a character, which JSON's escapes can hold, can't be written into a table.
    "".join(texts).encode("utf-8")
    names = [*part.obsolete, *(made.row.file_name for made in part.made)]
    if not SHARD_NAME.fullmatch(part.shard) or not all(map(is_output_name, names)):
        raise ValueError("a name is none that augcli gives")
