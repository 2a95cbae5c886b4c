"""The end of a run: parts become the manifest."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from augcli.data.manifest import (
    CARD,
    CLASSES,
    ERRORS,
    MANIFEST,
    Failure,
    Row,
    card,
    write_table,
)
from augcli.data.stopping import writing
from augcli.errors import Stopped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from augcli.plan.output import Output


@dataclass(slots=True)
class Totals:
    """What all parts together hold."""

    images: int = 0
    mixed: int = 0
    weight: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    classes: set[str] = field(default_factory=set)
    remarks: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row) -> None:
        """Count one row."""
        self.images += 1
        self.classes.update(label for label in (row.label_a, row.label_b) if label)
        if row.label_b:
            self.mixed += 1
            self.weight += row.weight_b

    @property
    def mean_weight(self) -> float:
        """Mean weight of the donors over all rows with two classes."""
        return self.weight / self.mixed if self.mixed else 0.0


def finish(
    output: Output,
    shards: Iterable[str],
    refused: Iterable[Failure],
    classes: list[str],
    command: str,
) -> Totals:
    """Merge the parts into metadata.csv, classes.txt, errors.csv and the data set card.

    Args:
        output: The output folder; every shard has its part.
        shards: Names of all shards.
        refused: Sources that never got as far as a job.
        classes: All class names, sorted.
        command: The command, for the card.
    """
    totals = Totals()
    rows: list[Row] = []
    failures = set(refused)
    for shard in shards:
        part = output.part(shard)
        if part is None:
            output.check_is_there()
            raise Stopped(
                f"the record of shard {shard} can't be read back from OUT {output.folder}; "
                "run the same command again to make that shard anew"
            )
        for made in part.made:
            rows.append(made.row)
            totals.add(made.row)
            totals.remarks.update(made.remarks)
        failures.update(failure for _, failure in part.failed)
    rows.sort()
    # One line for each image, however many copies of it were asked for.
    by_source = {failure.source: failure for failure in sorted(failures)}
    totals.failures = list(by_source.values())
    with writing(output.path):
        _publish(output, rows, totals, classes, command)
        output.publisher.sync()
    return totals


def _publish(
    output: Output, rows: list[Row], totals: Totals, classes: list[str], command: str
) -> None:
    publish = output.publisher.publish_with
    publish(MANIFEST, lambda file: write_table(file, Row._fields, rows))
    if totals.failures:
        publish(ERRORS, lambda file: write_table(file, Failure._fields, totals.failures))
    else:
        output.publisher.remove(ERRORS)
    text = "".join(f"{_one_line(name)}\n" for name in classes)
    output.publisher.publish(CLASSES, text.encode("utf-8", "backslashreplace"))
    with open(os.path.join(output.path, MANIFEST), "rb") as file:
        manifest_hash = hashlib.file_digest(file, "sha256").hexdigest()
    description = card(command, totals.images, len(totals.classes), manifest_hash)
    output.publisher.publish(CARD, description.encode("utf-8", "backslashreplace"))


def remove_left_over(output: Output, shards: set[str]) -> int:
    """Remove the parts and outputs of shards that hold no job any more.

    Returns:
        How many sources they had.
    """
    folders: set[str] = set()
    vanished = 0
    for shard in [one for one in output.part_names() if one not in shards]:
        part = output.part(shard)
        vanished += len(part.sources) if part else 0
        folders |= output.drop(shard)
    output.remove_empty(folders)
    return vanished


def _one_line(name: str) -> str:
    """A class name with a line break would be two classes to a reader of classes.txt."""
    return name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
