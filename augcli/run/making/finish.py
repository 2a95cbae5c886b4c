"""Finishing a run: the parts become the manifest and are folded into one file."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from augcli.data.card import TRAIN, card, features_of
from augcli.data.class_list import class_list
from augcli.data.manifest import (
    CARD,
    CLASSES,
    ERRORS,
    Failure,
    write_table,
)
from augcli.data.manifest_formats.columns import CLASSES as CLASS_COLUMNS
from augcli.data.manifest_formats.formats import MANIFESTS
from augcli.data.sinks.sink import Contained
from augcli.data.sorted_rows import SortedRows
from augcli.data.splits import is_chosen
from augcli.data.stopping import writing
from augcli.errors import Stopped
from augcli.plan.part import ShardName
from augcli.plan.ring import split_slug
from augcli.run.checking.amounts import are_chosen
from augcli.run.machine import machine
from augcli.run.making.prepare import remove_containers
from augcli.run.making.split_tables import (
    SplitFolders,
    remove_tables,
    split_tables,
    write_split_tables,
)
from augcli.run.messages import Summary
from augcli.run.scoring import largest_grid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from typing import Any

    from augcli.data.manifest import Row
    from augcli.data.manifest_formats.columns import Columns
    from augcli.files import OutputFiles
    from augcli.plan.part import Made, Part
    from augcli.plan.parts import StoredPart
    from augcli.run.checking.checked_run import Run
    from augcli.run.making.prepare import Prepared
    from augcli.run.showing.progress import RunProgress


REPEATED = "the same as another copy of its source"


@dataclass(slots=True)
class Totals:
    """What all parts together hold.

    Attributes:
        images: Outputs, originals included.
        mixed: Outputs of two classes.
        weight: Sum of their donors' weights.
        failures: Failed images, by source.
        classes: Classes that outputs have.
        remarks: How often each thing happened that may surprise.
        per_class: Outputs of each class of bases, where that was asked for.
        containers: The files that hold outputs, where not each output is a file.
        tables: The manifest, and the tables of splits.
    """

    images: int = 0
    mixed: int = 0
    weight: float = 0.0
    failures: dict[str, Failure] = field(default_factory=dict)
    classes: set[str] = field(default_factory=set)
    remarks: Counter[str] = field(default_factory=Counter)
    per_class: Counter[str] = field(default_factory=Counter)
    containers: list[Contained] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)

    def add(self, made: Sequence[Made]) -> None:
        """Count the outputs of a part."""
        self.images += len(made)
        for weights in {output.row.label.weights for output in made}:
            self.classes.update(name for name, _ in weights)
        self.remarks.update(chain.from_iterable(output.remarks for output in made))

    def add_failure(self, failure: Failure) -> None:
        """Count one failure; one for each image, however many copies of it were wanted."""
        self.failures[failure.source] = max(failure, self.failures.get(failure.source, failure))

    @property
    def mean_weight(self) -> float:
        """Mean weight of the donors over all rows with two classes; 0 where there are none."""
        return self.weight / self.mixed if self.mixed else 0.0

    def counts(self) -> dict[str, Any]:
        """Return the counts for run.json."""
        return {
            "images": self.images,
            "failed": len(self.failures),
            "classes": len(self.classes),
            "mean_weight": self.mean_weight,
            "remarks": dict(sorted(self.remarks.items())),
            **({"per_class": dict(sorted(self.per_class.items()))} if self.per_class else {}),
        }


def finish(
    prepared: Prepared, shards: AbstractSet[str], progress: RunProgress, begun: float
) -> Summary:
    """Merge the parts into the tables, fold them into one file, and leave OUT complete.

    Args:
        prepared: The run; every shard has its part.
        shards: Names of all shards of the plan.
        progress: What was made in this run.
        begun: Clock time of the start.

    Raises:
        Stopped: A part is missing or damaged, the disk is full, …
    """
    output = prepared.run.output
    with writing(output.path):
        totals = _fold(prepared, shards)
        output.files.sync()
    seconds = round(time.time() - begun, 3)
    timings = {
        "seconds": seconds,
        "new_images": progress.outputs,
        "images_per_second": round(progress.rate, 1),
        "workers": prepared.run.workers,
    }
    prepared.record = replace(
        prepared.record,
        state="complete",
        refused=prepared.run.refused,
        tables=_hashes(output.files, [*totals.tables, ERRORS, CLASSES]),
        soft_label=prepared.run.soft_label,
        counts=totals.counts(),
        timings=timings,
        **made_by(prepared),
    )
    output.write_record(prepared.record)
    remove_tables(output.files, totals.tables)
    prepared.backlog.parts.remove_loose()
    output.forget_maps()
    return summary(prepared, seconds, progress.outputs, progress.rate)


def table_hashes(files: OutputFiles) -> dict[str, str]:
    """Return the SHA-256 of each table in OUT that can be read.

    Not of the data set card, to which people add.
    """
    return _hashes(files, [*MANIFESTS, *split_tables(files), ERRORS, CLASSES])


def _hashes(files: OutputFiles, names: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in names:
        with contextlib.suppress(OSError):
            found[name] = _hash(files, name)
    return found


def _hash(files: OutputFiles, name: str) -> str:
    with files.open(name) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def summary(prepared: Prepared, seconds: float, new: int = 0, rate: float = 0.0) -> Summary:
    """Return what a complete run made.

    Args:
        prepared: The run.
        seconds: How long it took.
        new: Outputs made in this run.
        rate: The same, a second.
    """
    counts = prepared.record.counts
    per_class = counts.get("per_class") if are_chosen(prepared.run.options) else None
    return Summary(
        prepared.chain.name,
        prepared.run.output.path,
        os.path.join(prepared.run.output.path, prepared.run.manifest.name),
        counts["images"],
        new,
        counts["failed"],
        counts["classes"],
        counts["mean_weight"],
        seconds,
        round(rate, 1),
        dict(counts["remarks"]),
        # A record may come from somebody else.
        {name: n for name, n in per_class.items() if type(n) is int}
        if isinstance(per_class, dict)
        else {},
    )


def made_by(prepared: Prepared) -> dict[str, Any]:
    """Return versions, platform and what really scores, for run.json."""
    device = prepared.gpu.device if prepared.gpu else "cpu"
    return {**machine(), "device": device if largest_grid(prepared.chain) else None}


def _fold(prepared: Prepared, shards: AbstractSet[str]) -> Totals:
    """Write the file of folded parts, and the tables that follow from them."""
    files, parts = prepared.run.output.files, prepared.backlog.parts
    totals = Totals()
    for path, reason in prepared.run.sources.refused:
        totals.add_failure(Failure(path, "list", reason))
    run = prepared.run
    with SortedRows(files) as rows:
        collected = _collected(prepared, shards, totals, rows)
        if parts.loose() or not parts.are_folded or prepared.backlog.is_untidy:
            parts.fold(collected)
        else:
            deque(collected, maxlen=0)
        classes = _classes(run, totals)
        columns = run.manifest_columns(classes)
        splits = SplitFolders()
        counted = _counted(rows, totals, is_soft=run.sources.are_soft)
        if run.sources.splits and not run.in_containers:
            counted = splits.watched(counted)
        files.publish(run.manifest.name, partial(run.manifest.write, columns=columns, rows=counted))
        folders = splits.found
        tables = write_split_tables(files, run.manifest, columns, rows, folders.values())
    totals.tables = [run.manifest.name, *tables]
    _write_other_tables(prepared, totals, classes, columns, folders)
    there = {name for label in prepared.run.sources.labels for name in label.classes}
    prepared.lost_classes = sorted(there - totals.classes)
    if prepared.run.in_containers:
        remove_containers(files, prepared.backlog.files)
    return totals


def _collected(
    prepared: Prepared,
    shards: AbstractSet[str],
    totals: Totals,
    rows: SortedRows,
) -> Iterator[StoredPart]:
    """Yield the part of each shard, and collect its rows and failures.

    Raises:
        Stopped: A part is missing or damaged.
    """
    class_of, splits = _base_class(prepared.run), _counted_splits(prepared.run)
    for stored, part in _parts_of_plan(prepared, shards):
        if part.data:
            name = ShardName.parse(part.shard)
            totals.containers.append(
                Contained(part.data, name.split if name else "", len(part.made))
            )
        totals.add(part.made)
        rows.add([made.row for made in part.made])
        if splits:
            chosen = (made.row for made in part.made if made.row.split in splits)
            totals.per_class.update(map(class_of, chosen))
        for _, failure in part.failed:
            totals.add_failure(failure)
        yield stored


def _counted_splits(run: Run) -> frozenset[str]:
    """Return the splits whose outputs are counted by class; none where no option asks for it."""
    if not are_chosen(run.options):
        return frozenset()
    splits = run.sources.splits
    return frozenset(name for name in splits if is_chosen(name, run.options.splits)) or frozenset(
        [""]
    )


def _base_class(run: Run) -> Callable[[Row], str]:
    """Return what gives the class of a row's base."""
    sources = run.sources

    def of_source(row: Row) -> str:
        index = sources.find(row.source_a)
        return sources.label(index).heaviest if index is not None else ""

    # The base's class comes first; of several it need not be the heaviest.
    return of_source if sources.are_soft else lambda row: next(iter(row.label.classes), "")


def _counted(rows: Iterable[Row], totals: Totals, *, is_soft: bool) -> Iterator[Row]:
    """Yield rows sorted by name; count outputs that are the same as another copy, and mixed ones.

    The mean weight is a sum of rounded numbers: in this order it is the same after any history.
    """
    source, hashes = "", set[str]()
    for row in rows:
        # The donor's share of a soft label is not known any more.
        if not is_soft and len(row.label.weights) > 1:
            totals.mixed += 1
            totals.weight += row.weight_b
        if row.source_a != source:
            source, hashes = row.source_a, set()
        if row.method != "original":
            totals.remarks[REPEATED] += row.sha256 in hashes
            hashes.add(row.sha256)
        yield row
    if not totals.remarks[REPEATED]:
        del totals.remarks[REPEATED]


def _parts_of_plan(
    prepared: Prepared, shards: AbstractSet[str]
) -> Iterator[tuple[StoredPart, Part]]:
    """Yield the part of each shard; remove the outputs of shards that hold no job any more.

    Raises:
        Stopped: A part is missing or damaged.
    """
    output, parts = prepared.run.output, prepared.backlog.parts
    missing = set(shards)
    folders = set(prepared.backlog.emptied)
    for stored in parts.read():
        if stored.shard in missing and stored.part:
            missing.discard(stored.shard)
            yield stored, stored.part
        elif stored.part and stored.shard not in shards:
            folders |= parts.drop(stored.part)
    # An empty folder would be a class without images to those who read OUT by folders.
    output.files.remove_empty(folders | parts.superseded_folders)
    if missing:
        output.check_is_there()
        raise Stopped(
            f"the record of shard {min(missing)} can't be read back from OUT {output.folder}; "
            "run the same command again to make that shard anew"
        )


def _classes(run: Run, totals: Totals) -> list[str]:
    """Return the classes that classes.txt names."""
    # Outputs in containers carry the number of their class: those without any output have one too.
    given = set(run.sources.classes if run.in_containers else run.given_classes)
    return [name for name in run.sources.classes if name in totals.classes | given]


def _write_other_tables(
    prepared: Prepared,
    totals: Totals,
    classes: Sequence[str],
    columns: Columns,
    folders: Mapping[str, str],
) -> None:
    """Write errors.csv, classes.txt and the data set card; the manifest is there."""
    files = prepared.run.output.files
    if totals.failures:
        failures = sorted(totals.failures.values())
        files.publish(ERRORS, lambda file: write_table(file, Failure._fields, failures))
    else:
        files.remove(ERRORS)
    run = prepared.run
    files.publish(CLASSES, class_list(classes))
    manifest = run.manifest
    table = manifest.of_splits if folders else run.options.manifest
    numbered = CLASS_COLUMNS if table != "jsonl" else _always_named(run)
    command = f"augcli {prepared.chain.name}"
    data_files = data_files_of(totals.containers)
    data_files += [(split_slug(split), f"{folder}/**") for split, folder in sorted(folders.items())]
    description = card(
        command,
        totals.images,
        len(totals.classes),
        manifest.name,
        _hash(files, manifest.name),
        data_files or [(TRAIN, "**")],
        ""
        if run.in_containers
        else features_of(columns, classes, numbered, has_lists=table != "csv"),
        is_mixed=bool(run.chain.steps),
    )
    files.publish(CARD, description.encode("utf-8", "backslashreplace"))
    index = prepared.backlog.sink.index(totals.containers)
    for name, content in index.items():
        files.publish(name, content)


def _always_named(run: Run) -> tuple[str, ...]:
    """Return the columns with a class in every row: to Hugging Face datasets, "" is no class."""
    return CLASS_COLUMNS[:1] if all(label.weights for label in run.sources.labels) else ()


def data_files_of(containers: Sequence[Contained]) -> list[tuple[str, str]]:
    """Return each split and the pattern of the names of its files; files of no split are train's.

    Example:
        >>> from augcli.data.sinks.sink import Contained, DataFile
        >>> file = DataFile("data-00000-of-00001.tar", 0, "")
        >>> data_files_of([Contained(file, "", 3)])
        [('train', 'data-*.tar')]
    """
    patterns = {}
    for file, split, _ in containers:
        beginning, _, _ = file.name.partition("-")
        patterns[split or TRAIN] = f"{beginning}-*.{file.name.rpartition('.')[2]}"
    return sorted(patterns.items())
