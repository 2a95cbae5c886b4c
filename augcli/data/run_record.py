"""run.json: what made an output folder, with which versions, and how far it came."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeGuard, get_args

from augcli.files import folders_above, read_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from augcli.pixels.frame import Colour

RECORD = "run.json"
TRACES = frozenset({".augcli", "parts.jsonl.gz"})
"""What augcli also leaves in an output folder, where run.json is lost or not yet written."""
State = Literal["running", "complete"]
DEEPEST = 16
"""Levels of tables and lists in an identity."""


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """The content of run.json.

    Attributes:
        augcli: Version that made it.
        state: Whether the last run came to its end.
        identity: What the outputs depend on, see :mod:`augcli.plan.fingerprint`.
        amounts: Options that say how many outputs there are.
        folders: Folders of INPUT that hold sources.
        classes: All classes, in the order that a person gave; empty where nobody did.
        mean_colour: The data set's mean colour, where it was estimated.
        white_level: The level of 16-bit images that becomes 255, given or estimated.
        estimates_missed: Images that could not be read for these two because of the machine.
        jobs: Outputs wanted, originals not counted.
        versions: Of Python and of the packages that outputs may depend on.
        platform: Of the computer.
        device: What scored the images; None where nothing is scored.
        refused: Hash of the files of INPUT that were refused when they were listed.
        tables: SHA-256 of each table as it was written, when it is complete.
        soft_label: How labels stand in the manifest, when it is complete.
        counts: Images, failures, classes and remarks, when it is complete.
        timings: Of the last run.
    """

    augcli: str
    state: State
    identity: Mapping[str, Any]
    amounts: Mapping[str, Any] = field(default_factory=dict)
    folders: Sequence[str] = ()
    classes: Sequence[str] = ()
    mean_colour: Colour | None = None
    white_level: int | None = None
    estimates_missed: int = 0
    jobs: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)
    platform: str = ""
    device: str | None = None
    refused: str = ""
    tables: Mapping[str, str] = field(default_factory=dict)
    soft_label: str = ""
    counts: Mapping[str, Any] = field(default_factory=dict)
    timings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, content: Any) -> RunRecord:
        """Return the record that a JSON value holds.

        Raises:
            ValueError: It is not what augcli wrote.
        """
        table = _table(content)
        identity, folders, state = (table.get(key) for key in ("identity", "folders", "state"))
        colour, white_level = table.get("mean_colour"), table.get("white_level")
        fits = (
            isinstance(identity, dict)
            and isinstance(identity.get("command"), str)
            and _is_flat(identity)
            and isinstance(state, str)
            and state in get_args(State)
            and isinstance(folders, list)
            and all(isinstance(name, str) for name in folders)
            and isinstance(table.get("classes", []), list)
            and all(isinstance(name, str) for name in table.get("classes", []))
            and (colour is None or _is_colour(colour))
            and _are_counts(table.get("counts", {}))
            and (white_level is None or (type(white_level) is int and 0 < white_level < 65536))
        )
        if not fits:
            raise ValueError("it is not what augcli wrote")
        assert state
        assert identity
        jobs, device = table.get("jobs"), table.get("device")
        classes = table.get("classes", [])
        missed = table.get("estimates_missed")
        return cls(
            augcli=_text(table.get("augcli")),
            state=state,
            identity=identity,
            amounts=_table(table.get("amounts")),
            folders=folders or (),
            classes=classes or (),
            mean_colour=tuple(colour) if colour else None,
            white_level=white_level,
            estimates_missed=missed if _is_count(missed) else 0,
            jobs=jobs if _is_count(jobs) else 0,
            versions=_texts(table.get("versions")),
            platform=_text(table.get("platform")),
            device=device if isinstance(device, str) else None,
            refused=_text(table.get("refused")),
            tables=_texts(table.get("tables")),
            soft_label=_text(table.get("soft_label")),
            counts=_table(table.get("counts")),
            timings=_table(table.get("timings")),
        )

    def to_bytes(self) -> bytes:
        """Return the content of run.json."""
        text = json.dumps(vars(self), indent=2, ensure_ascii=False) + "\n"
        return text.encode("utf-8", "backslashreplace")


def is_output_folder(folder: str, entries: Iterable[os.DirEntry[str]]) -> bool:
    """Return whether a folder is an output of augcli: its run.json or its parts say so.

    Args:
        folder: The folder.
        entries: What lies in it.
    """
    names = {entry.name for entry in entries}
    return not TRACES.isdisjoint(names) or (RECORD in names and has_record(folder))


def has_record(folder: str) -> bool:
    """Return whether a folder holds a run.json of augcli."""
    try:
        RunRecord.from_json(read_json(f"{folder}/{RECORD}"))
    except (OSError, ValueError):
        return False
    return True


def output_above(path: str) -> str:
    """Return the nearest output folder of augcli that a file or folder lies in, or nothing.

    Args:
        path: Absolute, without links; what it names need not be there.
    """
    return next(filter(has_record, folders_above(path)), "")


def _is_colour(content: Any) -> bool:
    return (
        isinstance(content, list)
        and len(content) == 3
        and all(type(value) is int and 0 <= value <= 255 for value in content)
    )


def _is_count(content: Any) -> TypeGuard[int]:
    return type(content) is int and 0 <= content < 2**63


def _are_counts(content: Any) -> bool:
    """Return whether these are the counts of a complete run, or none."""
    if content == {}:
        return True
    remarks = _table(content).get("remarks")
    weight = _table(content).get("mean_weight")
    return (
        isinstance(remarks, dict)
        and all(map(_is_count, remarks.values()))
        and isinstance(weight, int | float)
        and 0 <= weight <= 1
        and all(_is_count(content.get(key)) for key in ("images", "failed", "classes"))
    )


def _is_flat(content: Any) -> bool:
    """Return whether tables and lists are not nested deeper than those that augcli writes."""
    level = [content]
    for _ in range(DEEPEST):
        inner = [value.values() if isinstance(value, dict) else value for value in level]
        level = [value for values in inner for value in values if isinstance(value, dict | list)]
    return not level


def _text(content: Any) -> str:
    return content if isinstance(content, str) else ""


def _texts(content: Any) -> dict[str, str]:
    return {name: text for name, text in _table(content).items() if isinstance(text, str)}


def _table(content: Any) -> dict[str, Any]:
    return content if isinstance(content, dict) else {}
