"""Labels of an output of augcli that is INPUT again: those of its manifest, whatever it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from augcli.data.class_list import read_class_list
from augcli.data.manifest import CLASSES
from augcli.data.manifest_formats.formats import manifest_name, read_rows
from augcli.data.run_record import RECORD, RunRecord
from augcli.errors import InputError
from augcli.files import TABLE_LIMIT, is_file, open_file, read_file, read_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from augcli.data.stores.sources import Sources


def output_record(folder: str) -> RunRecord | None:
    """Return what run.json of an output says; None where a folder is none."""
    try:
        return RunRecord.from_json(read_json(f"{folder}/{RECORD}"))
    except (OSError, ValueError):
        return None


def has_many_classes(record: RunRecord | None) -> bool:
    """Return whether pictures of an output may have several classes at once."""
    return record is not None and record.identity.get("multi_label") is True


def take_labels_of_output(sources: Sources, given: str, names: Sequence[str] | None = None) -> bool:
    """Give the sources labels, splits and groups of the manifest, where INPUT is an output.

    Args:
        sources: All pictures of INPUT; its place is a folder.
        given: INPUT as it was given, for messages.
        names: What the manifest calls each source; their paths where None.

    Returns:
        Whether it is one.

    Raises:
        InputError: Its run is not complete, or its manifest can't be read or is of other
            pictures.
    """
    record = output_record(sources.root)
    if record is None:
        return False
    what = f"INPUT {given} was made by augcli, but"
    if record.state != "complete":
        raise InputError(f"{what} its run is not complete; run that command again first")
    manifest = manifest_name(lambda name: is_file(f"{sources.root}/{name}"), record.tables)
    try:
        classes = read_class_list(read_file(f"{sources.root}/{CLASSES}", TABLE_LIMIT).data)
        found = read_rows(manifest, open_file(f"{sources.root}/{manifest}"), classes)
        rows = {row.file_name: (row.label, row.split, row.group) for row in found}
    except (OSError, ValueError) as error:
        raise InputError(f"{what} its {manifest} can't be read ({error})") from None
    sources.are_many = has_many_classes(record)
    # Most rows have the label of others.
    first = {label: name for name, (label, _, _) in reversed(rows.items())}
    for label, name in first.items():
        if not (label.are_parts if sources.are_many else label.is_sound):
            right = "from 0 to 1" if sources.are_many else "shares that sum to 1"
            raise InputError(
                f"{what} the weights of {name!r} in its {manifest} are no {right}; "
                "augcli verify lists such rows"
            )
    names = sources.paths if names is None else names
    missing = [name for name in names if name not in rows]
    if missing:
        raise InputError(
            f"{what} its {manifest} has no row for {len(missing)} images, first "
            f"{missing[0]!r}; remove them, or give `labels` table.csv"
        )
    if names:
        labels, splits, groups = zip(*(rows[name] for name in names), strict=True)
        sources.set_labels(labels)
        if any(splits):
            sources.set_splits(splits, [])
        if any(groups):
            sources.set_groups(groups)
    return True
