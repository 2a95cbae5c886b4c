"""Verifying an output folder: is every row true, and is every file whole?"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from augcli.data.codecs.decoding import decode
from augcli.data.manifest import CARD, CLASSES, ERRORS, MANIFEST, Row
from augcli.data.stores.folder import read_source
from augcli.errors import InputError, OutputError, UnreadableImage
from augcli.plan.output import RECORD, STATE, Output
from augcli.run.remake import Remaker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from augcli.pixels.frame import Image
    from augcli.run.remake import Remade

SUM_TOLERANCE = 1e-9
CODEC_MEAN = 2.0
"""Mean difference, in levels of 255, that two versions of a codec may have."""
CODEC_WORST = 48
"""Largest difference of one value that they may have."""


WRONG_HASH = (
    "is not the file that was written (sha256); remove it and run the command again to make it anew"
)


class Problem(NamedTuple):
    """Something that is not as it should be."""

    file_name: str
    what: str


@dataclass(slots=True)
class Verified:
    """What verifying found.

    Attributes:
        rows: Rows of the manifest.
        remade: Outputs that were made again from their sources.
        identical: How many of them have the same bytes.
        problems: All that is wrong.
    """

    rows: int = 0
    remade: int = 0
    identical: int = 0
    problems: list[Problem] = field(default_factory=list)


def verify(
    out: str | os.PathLike[str],
    *,
    against: str | os.PathLike[str] | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Verified:
    """Check every row of an output folder, and with ``against`` make every output again.

    Args:
        out: OUT.
        against: INPUT: each output is made again from its sources and the draw that its row
            recorded, and compared: byte for byte, else pixel for pixel for PNG and copies,
            else within the loss of a codec.
        progress: Called with the number of rows checked.

    Raises:
        OutputError: There is no manifest of augcli.
        InputError: INPUT is no folder.

    Example:
        >>> import augcli, tempfile
        >>> with tempfile.TemporaryDirectory() as out:
        ...     _ = augcli.augment("sample_images", augcli.Cutout(), out=out, workers=0)
        ...     found = verify(out, against="sample_images")
        >>> found.rows, found.identical, found.problems
        (16, 16, [])
    """
    output = Output(Path(out))
    record = output.record() if os.path.isdir(output.path) else {}
    if against is not None and not os.path.isdir(against):
        raise InputError(f"INPUT {against} is not a folder; give the one that OUT was made from")
    if not record:
        raise OutputError(f"OUT {out} has no {RECORD}: it was not made by augcli, or not begun")
    remaker = Remaker(Path(against), record["identity"]) if against is not None else None
    found = Verified()
    classes = _classes(output.path)
    if classes != sorted(classes):
        found.problems.append(Problem(CLASSES, "the classes are not in the order of code points"))
    seen: set[str] = set()
    for row in _rows(output.path):
        found.rows += 1
        if row.file_name in seen:
            found.problems.append(Problem(row.file_name, "has two rows"))
        seen.add(row.file_name)
        found.problems += [Problem(row.file_name, what) for what in _labels_wrong(row, classes)]
        data = _read(output.path, row, found)
        if data is not None and remaker:
            _compare(row, data, remaker, found)
        progress(found.rows)
    found.problems += [Problem(name, "has no row") for name in sorted(_strays(output.path, seen))]
    if record.get("state") != "complete":
        found.problems.append(Problem(RECORD, "the run is not complete; run the command again"))
    return found


def _rows(out: str) -> Iterator[Row]:
    try:
        with (
            open(os.path.join(out, MANIFEST), encoding="utf-8", newline="") as file,
            _long_cells(),
        ):
            for number, cells in enumerate(csv.reader(file, strict=True)):
                if number == 0 and tuple(cells) != Row._fields:
                    raise OutputError(f"{MANIFEST} has other columns than augcli writes")
                if number:
                    yield _row(cells)
    except OSError as error:
        raise OutputError(
            f"{os.path.join(out, MANIFEST)} can't be read ({error.strerror}); "
            "run the command again to write it"
        ) from None
    except (UnicodeDecodeError, csv.Error, ValueError, TypeError) as error:
        raise OutputError(f"{MANIFEST} is not what augcli writes: {error}") from None


@contextlib.contextmanager
def _long_cells() -> Iterator[None]:
    """Let the csv module take the draw of ten thousand boxes."""
    limit = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _row(cells: list[str]) -> Row:
    row = Row(*cells)  # type: ignore[arg-type]  # the numbers follow
    return row._replace(
        weight_a=float(row.weight_a),
        weight_b=float(row.weight_b),
        width=int(row.width),
        height=int(row.height),
        copy=int(row.copy),
    )


def _classes(out: str) -> list[str]:
    """Return the class names of classes.txt, where line breaks and backslashes are escaped."""
    path = os.path.join(out, CLASSES)
    try:
        with open(path, encoding="utf-8", newline="\n") as file:
            lines = file.read().split("\n")[:-1]
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"{path} can't be read: {error}") from None
    meant = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}
    return [re.sub(r"\\[\\nr]", lambda found: meant[found[0]], line) for line in lines]


def _labels_wrong(row: Row, classes: list[str]) -> Iterator[str]:
    if not abs(row.weight_a + row.weight_b - 1) <= SUM_TOLERANCE:
        yield f"the weights sum to {row.weight_a + row.weight_b}, not 1"
    if not (0 <= row.weight_a <= 1 and 0 <= row.weight_b <= 1):
        yield "a weight is not between 0 and 1"
    if not row.label_b and row.weight_b:
        yield "has a weight_b without a label_b"
    for label in (row.label_a, row.label_b):
        if label and label not in classes:
            yield f"the class {label!r} is not in {CLASSES}"


def _read(out: str, row: Row, found: Verified) -> bytes | None:
    """Return the file of a row, None where it is not there or is another one."""
    try:
        data, _, _ = read_source(os.path.join(out, row.file_name))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        found.problems.append(Problem(row.file_name, f"can't be read ({why})"))
        return None
    if hashlib.sha256(data).hexdigest() != row.sha256:
        found.problems.append(Problem(row.file_name, WRONG_HASH))
        return None
    return data


def _compare(row: Row, data: bytes, remaker: Remaker, found: Verified) -> None:
    """Make an output again and note how it differs."""
    try:
        remade = remaker.make(row)
    except OSError as error:
        found.problems.append(Problem(row.file_name, f"a source can't be read ({error.strerror})"))
        return
    except UnreadableImage as error:
        found.problems.append(Problem(row.file_name, f"a source can't be used: {error.reason}"))
        return
    except Exception as error:  # a draw that was changed by hand leads to any error
        found.problems.append(Problem(row.file_name, f"the draw can't be applied: {error}"))
        return
    found.remade += 1
    found.identical += data == remade.data
    wrong = _differs(row, data, remade)
    if wrong:
        found.problems.append(Problem(row.file_name, wrong))


def _differs(row: Row, data: bytes, remade: Remade) -> str:
    if remade.donated and row.label_b:
        given, total = remade.donated
        if abs(given / total - row.weight_b) > SUM_TOLERANCE:
            return f"weight_b is {row.weight_b}, but the draw gives {given / total}"
    if data == remade.data:
        return ""
    try:
        there = decode(data, max_pixels=2**30).image
        made = remade.image if remade.lossless else decode(remade.data, max_pixels=2**30).image
    except UnreadableImage as error:
        return f"can't be decoded: {error.reason}"
    return _pixels_differ(there, made, exact=remade.lossless)


def _pixels_differ(there: Image, made: Image, *, exact: bool) -> str:
    if there.shape != made.shape:
        return f"is {there.shape[1]} x {there.shape[0]}, not {made.shape[1]} x {made.shape[0]}"
    difference = np.abs(there.astype(np.int16) - made)
    mean, worst = float(difference.mean()), int(difference.max())
    if (exact and worst) or mean > CODEC_MEAN or worst > CODEC_WORST:
        return (
            f"differs from what its sources give: {mean:.2f} levels on average, {worst} at most; "
            "a source or the file has changed"
        )
    return ""


def _strays(out: str, known: set[str]) -> Iterator[str]:
    """Yield files that no row names, but for those that describe the folder."""
    ours = {MANIFEST, CLASSES, ERRORS, CARD, RECORD}
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
