"""Verifying an output folder: is every row true, and is every file whole?"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast, get_args

from augcli.data.labels import Label
from augcli.data.manifest import CARD, CLASSES, ERRORS, MANIFEST, Row, read_rows
from augcli.data.output import FOLDED_PARTS, STATE, OutputFolder
from augcli.data.run_record import RECORD
from augcli.data.sinks.opening import INDEXES, container_ending, open_sink
from augcli.data.stopping import raise_interruption
from augcli.data.stores.folder import Layout
from augcli.data.stores.opening import open_store
from augcli.errors import (
    NO_MEMORY,
    InputError,
    OutputError,
    UnreadableImage,
    is_out_of_memory,
)
from augcli.files import TABLE_LIMIT
from augcli.plan.parts import Parts
from augcli.recipes.recipe import Recipe
from augcli.run.audit import WRONG_HASH, Audit
from augcli.run.differences import SUM_TOLERANCE, file_difference, label_difference
from augcli.run.remake import Remaker
from augcli.run.status import open_output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from augcli.augmentations.base import Augmentation
    from augcli.data.run_record import RunRecord
    from augcli.data.sinks.sink import Sink

WITHOUT_PARTS = (
    f"without {FOLDED_PARTS}, rows that were changed or removed can't be told from those made"
)


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
    recipe: Recipe | Augmentation[Any] | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Verified:
    """Check every row of an output folder, and with ``against`` make every output again.

    Args:
        out: OUT.
        against: INPUT: each output is made again from its sources and the draw that its row
            recorded, and compared: byte for byte, else pixel for pixel for PNG and copies,
            else within the loss of a codec.
        recipe: What made OUT; only needed where it has a method that is not registered.
        progress: Called with the number of rows checked.

    Raises:
        OutputError: OUT is not an output folder of augcli, or another recipe made it.
        InputError: INPUT is no folder.

    Example:
        >>> import augcli, tempfile
        >>> with tempfile.TemporaryDirectory() as out:
        ...     _ = augcli.augment("sample_images", augcli.Cutout(), out=out, workers=0)
        ...     verified = verify(out, against="sample_images")
        >>> verified.rows, verified.identical, verified.problems
        (16, 16, [])
    """
    output, record = open_output(Path(out))
    if against is not None and not os.path.isdir(against):
        raise InputError(f"INPUT {against} is not a folder; give the one that OUT was made from")
    remaker = None
    labels: dict[str, Label] = {}
    if against is not None:
        if recipe is not None and not isinstance(recipe, Recipe):
            recipe = Recipe.of(recipe)
        layout = cast("Layout", record.identity.get("layout"))
        known = layout if layout in get_args(Layout) else "auto"
        store = open_store(os.fspath(against), layout=known)
        sources = store.list()
        remaker = Remaker(store, sources, record.identity, recipe, record.white_level)
        if not record.identity.get("labels"):
            labels = {path: sources.label(at) for at, path in enumerate(sources.paths)}
    verified = Verified()
    classes = _classes(output)
    if classes != sorted(classes):
        verified.problems.append(
            Problem(CLASSES, "the classes are not in the order of code points")
        )
    sink = open_sink(record.identity.get("to"), output.files)
    copied = record.identity.get("max_bytes")
    limit = max(OUTPUT_LIMIT, copied) if isinstance(copied, int) else OUTPUT_LIMIT
    audit = Audit()
    for row in _rows(output):
        verified.rows += 1
        if audit.see(row):
            verified.problems.append(Problem(row.file_name, "has two rows"))
        verified.problems += [Problem(row.file_name, what) for what in _labels_wrong(row, classes)]
        data = _read(sink, row, limit, verified)
        if data is not None and remaker:
            _compare(row, data, remaker, labels, verified)
        progress(verified.rows)
    in_containers = container_ending(record.identity.get("to"))
    files = audit.containers(output) if in_containers else audit.names
    strays = sorted(_strays(output.path, files))
    verified.problems += [Problem(name, "has no row") for name in strays]
    if record.state != "complete":
        verified.problems.append(Problem(RECORD, "the run is not complete; run the command again"))
    else:
        verified.problems += _audited(audit, output, record, classes, verified)
    return verified


def _audited(
    audit: Audit, output: OutputFolder, record: RunRecord, classes: list[str], verified: Verified
) -> list[Problem]:
    """Compare the tables with the parts; return what is wrong with files not yet named."""
    if Parts(output.files).are_folded:
        named = {problem.file_name for problem in verified.problems}
        found = [Problem(*found) for found in audit.problems(output, classes)]
        return [problem for problem in found if problem.file_name not in named]
    verified.unchecked.append(WITHOUT_PARTS)
    counted = record.counts.get("images")
    if verified.rows == counted:
        return []
    return [Problem(MANIFEST, f"has {verified.rows:,} rows, but {RECORD} counts {counted}")]


def _rows(output: OutputFolder) -> Iterator[Row]:
    path = os.path.join(output.path, MANIFEST)
    try:
        yield from read_rows(output.files.open(MANIFEST))
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
        lines = output.files.read(CLASSES, TABLE_LIMIT).decode("utf-8").split("\n")[:-1]
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"{path} can't be read: {error}") from None
    meant = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}
    return [re.sub(r"\\[\\nr]", lambda match: meant[match[0]], line) for line in lines]


def _labels_wrong(row: Row, classes: list[str]) -> Iterator[str]:
    if not row.label.weights:
        return
    weights = [weight for _, weight in row.label.weights]
    if not abs(sum(weights) - 1) <= SUM_TOLERANCE:
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


def _strays(out: str, known: set[str]) -> Iterator[str]:
    """Yield files that no row names, but for those that describe the folder."""
    ours = {MANIFEST, CLASSES, ERRORS, CARD, RECORD, FOLDED_PARTS, *INDEXES}
    # A stack and not os.walk, which recurses in Python 3.11.
    folders = [""]
    while folders:
        folder = folders.pop()
        with os.scandir(os.path.join(out, folder)) as scan:
            for entry in scan:
                name = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if name != STATE:
                        folders.append(name)
                elif name not in known and name not in ours:
                    yield name
