"""Label tables: classes from a CSV file instead of from folder names."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from augcli.errors import InputError, near_miss

if TYPE_CHECKING:
    from pathlib import Path

    from augcli.data.stores.folder import Sources

HEADER = ["file_name", "label"]


def read_labels(table: Path) -> dict[str, str]:
    """Read a table with the columns ``file_name`` (relative to INPUT, with ``/``) and ``label``.

    Raises:
        InputError: It can't be read, lacks a column, or names a file twice.
    """
    labels: dict[str, str] = {}
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            header = next(rows, [])
            if not set(HEADER) <= set(header):
                raise InputError(
                    f"--labels {table}: the first line is {','.join(header)!r}, "
                    "but must name the columns file_name and label"
                )
            name_at, label_at = (header.index(column) for column in HEADER)
            for row in rows:
                if not row:
                    continue
                if len(row) != len(header):
                    raise InputError(
                        f"--labels {table}: line {rows.line_num} has {len(row)} cells, "
                        f"but the header has {len(header)}"
                    )
                name, label = row[name_at], row[label_at]
                if not label:
                    raise InputError(f"--labels {table}: line {rows.line_num} has no label")
                if labels.setdefault(name, label) != label:
                    raise InputError(f"--labels {table}: {name} has two different labels")
    except OSError as error:
        raise InputError(f"--labels {table}: can't be read ({error.strerror})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"--labels {table}: is not a CSV table in UTF-8 ({error}); "
            "give one with the columns file_name,label"
        ) from None
    return labels


def apply_labels(sources: Sources, table: Path) -> None:
    """Give the sources the labels of a table.

    Raises:
        InputError: The table names a file that is not there, or lacks one that is.
    """
    labels = read_labels(table)
    unknown = sorted(labels.keys() - set(sources.paths))
    if unknown:
        hint = near_miss(unknown[0], sources.paths) if len(sources.paths) < 100_000 else ""
        raise InputError(
            f"--labels {table}: {len(unknown)} of its files are not images in INPUT, "
            f"first {unknown[0]!r}{hint}"
        )
    missing = [path for path in sources.paths if path not in labels]
    if missing:
        raise InputError(
            f"--labels {table}: has no row for {len(missing)} images of INPUT, first {missing[0]!r}"
        )
    sources.set_labels([labels[path] for path in sources.paths])
