"""Verifying an output folder: is every row true, and is every file whole?"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from augcli.data.class_list import read_class_list
from augcli.data.labels import Label, class_order
from augcli.data.manifest import CARD, CLASSES, ERRORS, Row
from augcli.data.manifest_formats.columns import Columns, soft_label_of
from augcli.data.manifest_formats.formats import manifest_name, read_rows
from augcli.data.output import FOLDED_PARTS, STATE, OutputFolder
from augcli.data.run_record import RECORD
from augcli.data.sinks.opening import INDEXES, container_ending, open_sink
from augcli.data.stopping import raise_interruption
from augcli.errors import (
    NO_MEMORY,
    OutputError,
    ParameterError,
    UnreadableImage,
    is_out_of_memory,
)
from augcli.files import TABLE_LIMIT
from augcli.plan.fingerprint import command_hash
from augcli.plan.parts import Parts
from augcli.recipes.recipe import Recipe
from augcli.run.checking.inputs import list_input
from augcli.run.checking.places import path_of
from augcli.run.making.finish import table_hashes
from augcli.run.making.split_tables import is_split_table
from augcli.run.status import open_output
from augcli.run.verifying.audit import WRONG_HASH, Audit
from augcli.run.verifying.differences import SUM_TOLERANCE, file_difference, label_difference
from augcli.run.verifying.remake import Remaker, recorded_chain, recorded_options
from augcli.run.verifying.split_audit import SplitAudit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from augcli.augmentations.base import Augmentation
    from augcli.data.run_record import RunRecord
    from augcli.data.sinks.sink import Sink
    from augcli.files import OutputFiles

WITHOUT_TABLE = "labels, which a table gave to the images: give it with `labels`"
WITHOUT_PARTS = (
    f"without {FOLDED_PARTS}, rows that were changed or removed can't be told from those made"
)
LEFT_BY_OTHERS = re.compile(r"\.DS_Store|Thumbs\.db|desktop\.ini|\.directory|.+\.cache")
"""Files that a person who looks at the folder, or Ultralytics, leaves there. No loader reads them;
any other hidden file may be a picture to a loader."""
OUTPUT_LIMIT = 2 << 30
"""Bytes that no encoded output has; a copied original may have more."""


class Problem(NamedTuple):
    """Something that is not as it should be."""

    file_name: str
    what: str


@dataclass(slots=True)
class Verified:
    """The result of verifying.

    Attributes:
        rows: Rows of the manifest.
        remade: Outputs that were made again from their sources.
        identical: How many of them have the same bytes.
        problems: All that is wrong.
        unchecked: What could not be checked, and why.
    """

    rows: int = 0
    remade: int = 0
    identical: int = 0
    problems: list[Problem] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)


def verify(
    out: str | os.PathLike[str],
    *,
    against: str | os.PathLike[str] | None = None,
    labels: str | os.PathLike[str] | None = None,
    recipe: Recipe | Augmentation[Any] | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Verified:
    """Check every row of an output folder, and with ``against`` make every output again.

    Args:
        out: OUT.
        against: INPUT: each output is made again from its sources and the draw that its row
            recorded, and compared: byte for byte, else pixel for pixel for PNG and copies,
            else within the loss of a codec.
        labels: The table of labels, where one was given: run.json has its hash only.
        recipe: What made OUT; only needed where it has a method that is not registered.
        progress: Called with the number of rows checked.

    Raises:
        OutputError: OUT is not an output folder of augcli, or another recipe made it.
        InputError: INPUT can't be listed, or the table does not fit.

    No source and no group may be in two splits; with ``against`` the splits of INPUT decide.

    Example:
        >>> import augcli, tempfile
        >>> with tempfile.TemporaryDirectory() as out:
        ...     _ = augcli.augment("sample_images", augcli.Cutout(), out=out, workers=0)
        ...     verified = verify(out, against="sample_images")
        >>> verified.rows, verified.identical, verified.problems
        (16, 16, [])
    """
    output, record = open_output(path_of(out, "OUT"))
    verified = Verified()
    remaker = None
    of_sources: dict[str, Label] = {}
    apart = SplitAudit()
    if labels is not None and against is None:
        raise ParameterError("labels", "needs `against`, the images that it names")
    if recipe is not None and not isinstance(recipe, Recipe):
        recipe = Recipe.of(recipe)
    if against is not None:
        options = recorded_options(record.identity, labels)
        store, sources = list_input(path_of(against), options)
        remaker = Remaker(store, sources, record.identity, options, recipe, record.white_level)
        if record.identity.get("labels") and not sources.labels_sha256:
            # A table may also have given the splits.
            verified.unchecked.append(WITHOUT_TABLE)
        else:
            apart = SplitAudit(sources if sources.splits else None)
            of_sources = {path: sources.label(at) for at, path in enumerate(sources.paths)}
    classes = _classes(output)
    if not _are_in_order(classes, record):
        verified.problems.append(
            Problem(CLASSES, "the classes are not in the order of code points")
        )
    are_many = record.identity.get("multi_label") is True
    sink = open_sink(record.identity.get("to"), output.files)
    copied = record.identity.get("max_bytes")
    limit = max(OUTPUT_LIMIT, copied) if isinstance(copied, int) else OUTPUT_LIMIT
    manifest = manifest_name(lambda name: output.files.size(name) is not None, record.tables)
    columns = Columns(soft_label_of(record.soft_label), classes=tuple(classes))
    audit = Audit(manifest, columns)
    known = set(classes)
    for row in _rows(output, manifest, classes):
        verified.rows += 1
        if audit.see(row):
            verified.problems.append(Problem(row.file_name, "has two rows"))
        verified.problems += [
            Problem(row.file_name, what) for what in _labels_wrong(row, known, are_many)
        ]
        verified.problems += [Problem(*found) for found in apart.problems(row)]
        data = _read(sink, row, limit, verified)
        if data is not None and remaker:
            _compare(row, data, remaker, of_sources, verified)
        progress(verified.rows)
    in_containers = container_ending(record.identity.get("to"))
    files = audit.containers(output) if in_containers else audit.names
    ours = {manifest, *filter(is_split_table, record.tables)}
    strays = sorted(_strays(output.files, files | ours))
    verified.problems += [Problem(name, "has no row") for name in strays]
    if record.state != "complete":
        verified.problems.append(Problem(RECORD, "the run is not complete; run the command again"))
    else:
        _check_tables(audit, output, record, classes, verified, _command(record, recipe), manifest)
    return verified


def _command(record: RunRecord, recipe: Recipe | None) -> str:
    """Return the hash of the command that run.json records; empty where it can't be known."""
    try:
        chain = recorded_chain(record.identity, recorded_options(record.identity), recipe)
        if record.mean_colour:
            chain = chain.with_mean_colour(record.mean_colour)
    except OutputError:
        return ""
    return command_hash({**record.identity, "white_level": record.white_level}, chain)


def _check_tables(
    audit: Audit,
    output: OutputFolder,
    record: RunRecord,
    classes: list[str],
    verified: Verified,
    command: str,
    manifest: str,
) -> None:
    """Compare the tables with the parts; note what is wrong with files not yet named."""
    if Parts(output.files).are_folded:
        # A row that was changed names the hash of another file.
        found = [
            Problem(*found) for found in audit.problems(output, classes, command, record.classes)
        ]
        rows = {problem.file_name for problem in found}
        verified.problems = [
            problem
            for problem in verified.problems
            if problem.what != WRONG_HASH or problem.file_name not in rows
        ]
        named = {problem.file_name for problem in verified.problems}
        verified.problems += [problem for problem in found if problem.file_name not in named]
        verified.problems += list(_tables_changed(output, record, verified))
        return
    verified.unchecked.append(WITHOUT_PARTS)
    counted = record.counts.get("images")
    if verified.rows != counted:
        what = f"has {verified.rows:,} rows, but {RECORD} counts {counted}"
        verified.problems.append(Problem(manifest, what))


def _tables_changed(
    output: OutputFolder, record: RunRecord, verified: Verified
) -> Iterator[Problem]:
    """Yield the tables that were written by another program.

    Where something else is wrong, that is said of the rows of the manifest already; the tables of
    splits have no check of their own.
    """
    found = table_hashes(output.files)
    for name in {**record.tables, **found} if record.tables else ():
        is_told = bool(verified.problems) and not is_split_table(name)
        if found.get(name) != record.tables.get(name) and not is_told:
            yield Problem(name, "was changed; run the command again to write it anew")


def _rows(output: OutputFolder, manifest: str, classes: list[str]) -> Iterator[Row]:
    path = os.path.join(output.path, manifest)
    try:
        yield from read_rows(manifest, output.files.open(manifest), classes)
    except OSError as error:
        raise OutputError(
            f"{path} can't be read ({error.strerror}); run the command again to write it"
        ) from None
    except ValueError as error:
        raise OutputError(f"{path} is not what augcli writes: {error}") from None


def _classes(output: OutputFolder) -> list[str]:
    """Return the class names of classes.txt, where line breaks and backslashes are escaped."""
    path = os.path.join(output.path, CLASSES)
    try:
        return read_class_list(output.files.read(CLASSES, TABLE_LIMIT))
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"{path} can't be read: {error}") from None


def _are_in_order(classes: list[str], record: RunRecord) -> bool:
    """Return whether classes have the order that was given, or one that augcli gives."""
    if record.classes:
        return classes == list(record.classes)
    return classes in (sorted(classes), class_order(classes))


def _labels_wrong(row: Row, classes: set[str], are_many: bool) -> Iterator[str]:
    if not row.label.weights:
        return
    weights = [weight for _, weight in row.label.weights]
    if not are_many and not abs(sum(weights) - 1) <= SUM_TOLERANCE:
        yield f"the weights sum to {sum(weights)}, not 1"
    if not all(0 <= weight <= 1 for weight in weights):
        yield "a weight is not between 0 and 1"
    for name, weight in row.label.weights:
        if weight and not name:
            yield "a weight has no class"
        if name and name not in classes:
            yield f"the class {name!r} is not in {CLASSES}"


def _read(sink: Sink, row: Row, limit: int, verified: Verified) -> bytes | None:
    """Return the file of a row, None where it is not there or is another one."""
    try:
        data = sink.read(row.file_name, limit)
    except (OSError, ValueError, MemoryError) as error:
        why: object = error.strerror if isinstance(error, OSError) else error
        if isinstance(error, MemoryError):
            why = NO_MEMORY
        verified.problems.append(Problem(row.file_name, f"can't be read ({why})"))
        return None
    if hashlib.sha256(data).hexdigest() != row.sha256:
        verified.problems.append(Problem(row.file_name, WRONG_HASH))
        return None
    return data


def _compare(
    row: Row, data: bytes, remaker: Remaker, labels: Mapping[str, Label], verified: Verified
) -> None:
    """Make an output again and note how it differs; with the labels of sources, where known."""

    def note(what: str) -> None:
        verified.problems.append(Problem(row.file_name, what))

    try:
        remade = remaker.make(row)
    except OSError as error:
        note(f"a source can't be read ({error.strerror})")
        return
    except UnreadableImage as error:
        note(f"a source can't be used: {error.reason}")
        return
    except Exception as error:  # a draw that was changed by hand leads to any error
        raise_interruption(error)
        if is_out_of_memory(error):
            note(f"can't be made again: {NO_MEMORY}")
        else:
            note(f"the draw can't be applied: {error}")
        return
    verified.remade += 1
    verified.identical += data == remade.encoded.data
    try:
        difference = label_difference(row, remade, labels) or file_difference(data, remade)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        difference = f"can't be compared: {NO_MEMORY}"
    if difference:
        note(difference)


def _strays(files: OutputFiles, known: set[str]) -> Iterator[str]:
    """Yield files that no row names, but for those that describe the folder or harm nobody."""
    ours = {CLASSES, ERRORS, CARD, RECORD, FOLDED_PARTS, *INDEXES}
    for name in files.walk(STATE):
        if not (name in known or name in ours or LEFT_BY_OTHERS.fullmatch(name.rpartition("/")[2])):
            yield name
