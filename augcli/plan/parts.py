"""Parts: the record of each finished shard, committed by one rename.

A part is a text file of two lines of JSON: what became of the shard, and the SHA-256 of that
line. A part that is cut short or damaged is not a part.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from augcli.data.manifest import Failure, Row

if TYPE_CHECKING:
    from augcli.files import Publisher

PARTS = ".augcli/parts"
UNFINISHED = "unfinished"
"""Fingerprint of a part that only says what stays, while the rest of its shard is made."""


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Made(NamedTuple):
    """One output as a part records it.

    Attributes:
        job: Identity of the job: what the output depends on.
        size: Bytes of the output file.
        remarks: What may surprise about it.
        row: The manifest's row.
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
        fingerprint: Hash of its jobs; another one means that something changed.
        made: The outputs, in the order of the plan.
        failed: Identity of the job, and what went wrong.
        stood_in: Path and identity of sources tried as donors after one that can't be read.
        obsolete: Outputs of an earlier part that no job makes any more; they are removed.
        sources: Path and identity of the bases, in the parts of copy 0: what changed, came or
            vanished since can be told.
    """

    shard: str
    fingerprint: str
    made: list[Made] = field(default_factory=list)
    failed: list[tuple[str, Failure]] = field(default_factory=list)
    stood_in: dict[str, str] = field(default_factory=dict)
    obsolete: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)


def part_name(shard: str) -> str:
    """Return where a part lies in OUT, with ``/``."""
    return f"{PARTS}/{shard}.json"


def commit_part(publisher: Publisher, part: Part) -> None:
    """Write a part and rename it to its name: from then on the shard is done."""
    # All of it at once, which is several times quicker than output by output.
    body = _line(
        {
            "shard": part.shard,
            "fingerprint": part.fingerprint,
            "made": part.made,
            "failed": part.failed,
            "stood_in": part.stood_in,
            "obsolete": part.obsolete,
            "sources": part.sources,
        }
    )
    publisher.publish(
        part_name(part.shard), body + _line({"sha256": hashlib.sha256(body).hexdigest()})
    )


def _line(value: Any) -> bytes:
    return _JSON(value).encode("utf-8") + b"\n"


def read_part(out: str, shard: str) -> Part | None:
    """Read the part of a shard; None where there is none, or it is damaged.

    Raises:
        OSError: It may be whole, but can't be read now.
    """
    try:
        with open(os.path.join(out, part_name(shard)), "rb") as file:
            content = file.read()
    except FileNotFoundError:
        return None
    cut = content.rfind(b"\n", 0, -1) + 1
    body, last = content[:cut], content[cut:]
    if last != _line({"sha256": hashlib.sha256(body).hexdigest()}):
        return None
    try:
        return _parsed(shard, json.loads(body))
    except (ValueError, KeyError, TypeError, IndexError):
        return None  # whole, but of a version that wrote other parts


def _parsed(shard: str, found: Any) -> Part | None:
    if found["shard"] != shard:
        return None  # a copy of another part
    return Part(
        shard,
        found["fingerprint"],
        [Made(job, size, remarks, Row(*row)) for job, size, remarks, row in found["made"]],
        [(job, Failure(*failure)) for job, failure in found["failed"]],
        found["stood_in"],
        found["obsolete"],
        found["sources"],
    )


def is_whole(out: str, made: Made) -> bool:
    """Return whether an output is on disk with its recorded size."""
    try:
        return os.stat(os.path.join(out, made.row.file_name)).st_size == made.size
    except OSError:
        return False
