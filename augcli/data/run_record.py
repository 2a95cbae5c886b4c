"""run.json: what made an output folder, with which versions, and how far it came."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from augcli.files import read_json

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from augcli.pixels.frame import Colour

RECORD = "run.json"
State = Literal["running", "complete"]


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """The content of run.json.

    Attributes:
        augcli: Version that made it.
        state: Whether the last run came to its end.
        identity: What the outputs depend on, see :mod:`augcli.plan.fingerprint`.
        folders: Folders of INPUT that hold sources.
        mean_colour: The data set's mean colour, where it was estimated.
        white_level: The level of 16-bit images that becomes 255, given or estimated.
        estimates_missed: Images that could not be read for these two because of the machine.
        jobs: Outputs wanted, originals not counted.
        versions: Of Python and of the packages that outputs may depend on.
        platform: Of the computer.
        device: What scored the images; None where nothing is scored.
        refused: Hash of the files of INPUT that were refused when they were listed.
        counts: Images, failures, classes and remarks, when it is complete.
        timings: Of the last run.
    """

    augcli: str
    state: State
    identity: Mapping[str, Any]
    folders: Sequence[str] = ()
    mean_colour: Colour | None = None
    white_level: int | None = None
    estimates_missed: int = 0
    jobs: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)
    platform: str = ""
    device: str | None = None
    refused: str = ""
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
            and state in get_args(State)
            and isinstance(folders, list)
            and all(isinstance(name, str) for name in folders)
            and (colour is None or _is_colour(colour))
            and (white_level is None or (type(white_level) is int and 0 < white_level < 65536))
        )
        if not fits:
            raise ValueError("it is not what augcli wrote")
        assert state
        assert identity
        jobs, device = table.get("jobs"), table.get("device")
        missed = table.get("estimates_missed")
        return cls(
            augcli=_text(table.get("augcli")),
            state=state,
            identity=identity,
            folders=folders or (),
            mean_colour=tuple(colour) if colour else None,
            white_level=white_level,
            estimates_missed=missed if type(missed) is int else 0,
            jobs=jobs if type(jobs) is int else 0,
            versions=_table(table.get("versions")),
            platform=_text(table.get("platform")),
            device=device if isinstance(device, str) else None,
            refused=_text(table.get("refused")),
            counts=_table(table.get("counts")),
            timings=_table(table.get("timings")),
        )

    def to_bytes(self) -> bytes:
        """Return the content of run.json."""
        text = json.dumps(vars(self), indent=2, ensure_ascii=False) + "\n"
        return text.encode("utf-8", "backslashreplace")


def is_output_folder(folder: str, entries: Iterable[os.DirEntry[str]]) -> bool:
    """Return whether a folder is an output of augcli: its run.json says so.

    Args:
        folder: The folder.
        entries: What lies in it.
    """
    if not any(entry.name == RECORD for entry in entries):
        return False
    try:
        RunRecord.from_json(read_json(f"{folder}/{RECORD}"))
    except (OSError, ValueError):
        return False
    return True


def _is_colour(content: Any) -> bool:
    return (
        isinstance(content, list)
        and len(content) == 3
        and all(type(value) is int and 0 <= value <= 255 for value in content)
    )


def _text(content: Any) -> str:
    return content if isinstance(content, str) else ""


def _table(content: Any) -> dict[str, Any]:
    return content if isinstance(content, dict) else {}
