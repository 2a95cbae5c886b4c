"""Label tables: a CSV file that gives the class of each image, in place of folders."""

from __future__ import annotations

import io
import posixpath
import re
from typing import TYPE_CHECKING
from unicodedata import normalize

from augcli.data.codecs.formats import EXTENSIONS
from augcli.data.csv_rows import CsvRow, csv_rows
from augcli.errors import InputError, near_miss
from augcli.files import decode_text

if TYPE_CHECKING:
    from pathlib import Path

    from augcli.data.stores.sources import Sources

HEADER = ["file_name", "label"]
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
OTHER_TABLES = {
    b"PK\x03\x04": "an Excel workbook or another ZIP file",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "a gzip file",
}
"""First bytes of files that people give in place of a CSV table."""
ABSOLUTE = re.compile(r"/|\\\\|[A-Za-z]:[\\/]")
"""How an absolute path begins, on Windows too."""
LONGEST_ROW = 1 << 20
"""Characters of its longest row."""
LONGEST_SHOWN = 200
"""Characters of a line that a message shows."""
MOST_COMPARED = 100_000
"""Sources up to which the nearest name is searched for, which takes a second for that many."""


def read_labels(table: Path, data: bytes) -> dict[str, str]:
    r"""Return the class of each file that a CSV table names.

    Rows whose cells are all empty are skipped. Classes are in Unicode's form NFC, so that the two
    ways to write ``café`` are one class.

    Args:
        table: The table, for messages.
        data: Its content, with the columns ``file_name`` (relative to INPUT, with ``/``) and
            ``label``.

    Raises:
        InputError: It is no such table, a column is missing, or it gives a file two labels.

    Example:
        >>> from pathlib import Path
        >>> read_labels(Path("labels.csv"), b"file_name,label\na.jpg,cat\nb/c.jpg,dog\n")
        {'a.jpg': 'cat', 'b/c.jpg': 'dog'}
    """
    labels: dict[str, str] = {}
    _check_encoding(table, data)
    rows = csv_rows(io.BytesIO(data), LONGEST_ROW)
    try:
        header = next(rows, CsvRow(0, [])).cells
        _check_header(table, header)
        name_at, label_at = (header.index(column) for column in HEADER)
        for line, cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise InputError(
                    f"`labels` {table}: line {line} has {len(cells)} cells, "
                    f"but the header has {len(header)}"
                )
            name, label = cells[name_at], normalize("NFC", cells[label_at])
            if not label:
                raise InputError(f"`labels` {table}: line {line} has no label")
            if labels.setdefault(name, label) != label:
                raise _two_labels(table, name)
    except ValueError as error:
        raise InputError(
            f"`labels` {table}: is not a CSV table in UTF-8 ({error}); "
            "give one with the columns file_name,label"
        ) from None
    return labels


def apply_labels(sources: Sources, table: Path, data: bytes) -> None:
    """Give the sources the labels of a table; see :func:`read_labels`.

    A name matches in Unicode's form NFC or NFD: the names of files that were copied from a Mac
    may be in another form than those of the table.

    Raises:
        InputError: The table names a file that is not there, or has no row for a source.
    """
    labels = read_labels(table, data)
    # A row may name a file that can't be used: errors.csv lists it.
    paths = {*sources.paths, *(path for path, _ in sources.refused)}
    if labels.keys() - paths:
        labels = _matched_in_either_form(labels, paths, table)
    unknown = sorted(labels.keys() - paths)
    if unknown:
        raise InputError(
            f"`labels` {table}: {len(unknown)} of its files are not images in INPUT, "
            f"first {unknown[0]!r}{_why_unknown(unknown[0], sources)}"
        )
    missing = [path for path in sources.paths if path not in labels]
    if missing:
        raise InputError(
            f"`labels` {table}: has no row for {len(missing)} images of INPUT, first "
            f"{missing[0]!r}; add rows for them, or take them out of INPUT"
        )
    sources.set_classes([labels[path] for path in sources.paths])


def _matched_in_either_form(labels: dict[str, str], paths: set[str], table: Path) -> dict[str, str]:
    """Return the labels by the names that the paths have, where only the Unicode form differs."""
    by_form: dict[str, list[str]] = {}
    for path in paths:
        by_form.setdefault(normalize("NFC", path), []).append(path)
    matched = {name: label for name, label in labels.items() if name in paths}
    for name in sorted(labels.keys() - paths):
        for path in by_form.get(normalize("NFC", name), [name]):
            if matched.setdefault(path, labels[name]) != labels[name]:
                raise _two_labels(table, name)
    return matched


def _two_labels(table: Path, name: str) -> InputError:
    return InputError(f"`labels` {table}: {name} has two different labels")


def _check_encoding(table: Path, data: bytes) -> None:
    for first_bytes, kind in OTHER_TABLES.items():
        if data.startswith(first_bytes):
            raise InputError(
                f"`labels` {table}: is {kind}, not a CSV table in UTF-8; save it as one, with the "
                "columns file_name,label"
            )
    try:
        decode_text(data)
    except ValueError as error:
        raise InputError(f"`labels` {table}: is not a CSV table in UTF-8: it {error}") from None


def _check_header(table: Path, header: list[str]) -> None:
    """Check that the first line names both columns, each once."""
    twice = [column for column in HEADER if header.count(column) > 1]
    if set(HEADER) <= set(header) and not twice:
        return
    line = ",".join(header)
    words = [cell.strip().lower() for cell in header]
    separator = next((mark for mark in SEPARATORS if len(header) == 1 and mark in line), "")
    if twice:
        fix = f", and {twice[0]} only once"
    elif line.lower().startswith("sep="):
        fix = "; remove this line, which only Excel reads"
    elif separator:
        fix = (
            f"; its columns are separated by {SEPARATORS[separator]}: save the table with commas "
            "between them"
        )
    elif set(HEADER) <= set(words):
        fix = ", in lower case and without spaces"
    elif any(word.endswith(tuple(EXTENSIONS)) for word in words):
        fix = "; it seems to be a row: add the line file_name,label before it"
    else:
        fix = ""
    raise InputError(
        f"`labels` {table}: the first line is {_shortened(line)!r}, but must name the columns "
        f"file_name and label{fix}"
    )


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _why_unknown(name: str, sources: Sources) -> str:
    """Return why a table's name is that of no source and what to write, as the rest of a message.

    Example:
        >>> from augcli.data.stores.sources import Sources
        >>> _why_unknown("./a.jpg", Sources("", ["a.jpg"]))
        ", which begins with './'; write 'a.jpg'"
    """
    meant = _meant(name, sources)
    before = name.removesuffix(meant)
    causes = {
        "is an absolute path, but must be relative to INPUT": ABSOLUTE.match(name),
        "has backslashes, but must have /": "\\" in name,
        "begins with './'": name.startswith("./"),
        "has spaces around it": name != name.strip(),
        f"begins with {before!r}, but must be relative to INPUT": meant and before.endswith("/"),
        "differs in upper and lower case": meant and name.lower() == meant.lower(),
        "has no ending": meant,
    }
    cause = next((words for words, applies in causes.items() if applies), "")
    if cause:
        return f", which {cause}" + (f"; write {meant!r}" if meant else "")
    if any(part.startswith(".") for part in name.split("/")):
        return ": hidden files are skipped"
    ending = posixpath.splitext(name)[1]
    if ending and ending.lower() not in EXTENSIONS:
        return (
            f": augcli does not read files that end in {ending}; convert them, or remove their rows"
        )
    return near_miss(name, sources.paths) if len(sources) < MOST_COMPARED else ""


def _meant(name: str, sources: Sources) -> str:
    """Return the source that a name probably means, or nothing.

    The name may have folders before it, backslashes, other letters in upper case or no ending.
    """
    plain = posixpath.normpath(name.strip().replace("\\", "/"))
    paths = set(sources.paths)
    parts = plain.split("/")
    ends = ("/".join(parts[start:]) for start in range(len(parts)))
    meant = next((end for end in ends if end in paths), "")
    if meant:
        return meant
    in_lower_case = {path.lower(): path for path in sources.paths}
    stems = {posixpath.splitext(path)[0]: path for path in sources.paths}
    return in_lower_case.get(plain.lower()) or stems.get(plain, "")
