"""What an output of ``augcli split`` says of itself: split.json, and split.csv with every file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from augcli.data.manifest import known_rows
from augcli.errors import InputError, OutputError
from augcli.files import JSON_LIMIT, is_inside, parse_json, read_json
from augcli.plan.fingerprint import difference
from augcli.run.splitting.division import SPLITS
from augcli.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from augcli.files import Folder, Place

SPLIT_RECORD = "split.json"
SPLIT_TABLE = "split.csv"
COLUMNS = ("file_name", "label", "split", "source", "group")
"""The columns of split.csv; the last only where there are groups."""


@dataclass(frozen=True, kw_only=True)
class SplitRecord:
    """The content of split.json.

    Attributes:
        augcli: Version that made it.
        state: Whether the last run came to its end.
        identity: What the split depends on, apart from the pictures.
        images: How many pictures there are, when it is complete.
        failed: How many could not be copied.
    """

    augcli: str = VERSION
    state: Literal["running", "complete"] = "running"
    identity: Mapping[str, Any] = field(default_factory=dict)
    images: int = 0
    failed: int = 0

    def to_bytes(self) -> bytes:
        """Return the content of split.json."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"
        return text.encode("utf-8", "backslashreplace")


def read_record(files: Folder) -> SplitRecord | None:
    """Return the record of an output folder, None where there is none.

    Raises:
        OutputError: It is not what augcli wrote.
    """
    try:
        content = parse_json(files.read(SPLIT_RECORD, JSON_LIMIT))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(files, SPLIT_RECORD, error) from None
    identity = content.get("identity") if isinstance(content, dict) else None
    if not isinstance(identity, dict) or not isinstance(identity.get("command"), str):
        raise _unreadable(files, SPLIT_RECORD, ValueError("it is not what augcli wrote"))
    is_complete = content.get("state") == "complete"
    images, failed = (content.get(name) for name in ("images", "failed"))
    return SplitRecord(
        augcli=str(content.get("augcli")),
        state="complete" if is_complete else "running",
        identity=identity,
        images=images if type(images) is int else 0,
        failed=failed if type(failed) is int else 0,
    )


def check_is_own(
    record: SplitRecord | None, identity: Mapping[str, Any], out: Place, *, overwrite: bool
) -> None:
    """Refuse an output folder of another command.

    Raises:
        OutputError: Another command made it, and it is not to be overwritten.
    """
    text = difference(record.identity, identity) if record else ""
    if text and not overwrite:
        raise OutputError(
            f"OUT {out} was made by another command: {text}; give another folder with `out`, or "
            "`overwrite` to divide the images anew"
        )


def read_table(files: Folder) -> Iterator[tuple[str, str]]:
    """Yield the file and the source of each row of split.csv; none where it is missing.

    Only names inside the folder of a split are given: a table may come from somebody else.

    Raises:
        OutputError: It is not what augcli wrote.
    """
    try:
        for cells in known_rows(files.open(SPLIT_TABLE), COLUMNS, COLUMNS[:-1]):
            name, source = cells[0], cells[3]
            if is_inside(name) and name.partition("/")[0] in SPLITS:
                yield name, source
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise _unreadable(files, SPLIT_TABLE, error) from None


def refuse_unfinished(place: str, given: Place) -> None:
    """Refuse INPUT where it is the output of a split that did not come to its end.

    Args:
        place: INPUT, absolute.
        given: The same as it was given.

    Raises:
        InputError: It is one: pictures are missing.
    """
    try:
        content = read_json(f"{place}/{SPLIT_RECORD}")
    except (OSError, ValueError):
        return
    if isinstance(content, dict) and content.get("state") == "running" and "identity" in content:
        raise InputError(
            f"INPUT {given} was made by augcli split, which is not complete; run that command "
            "again first"
        )


def _unreadable(files: Folder, name: str, error: Exception) -> OutputError:
    reason = error.strerror if isinstance(error, OSError) else error
    return OutputError(
        f"{files.path}/{name} can't be read ({reason}); restore it, or give another folder with "
        "`out`"
    )
