"""What a person says about a table of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

REST = "rest"
"""In the place of names of columns: all that remain."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TableChoice:
    """Which table gives the labels, and how it is read.

    Attributes:
        table: The file; empty where the folders, or a table that lies in INPUT, give them.
        is_input: Whether the table itself is INPUT, so that files without a row are not meant.
        file_column: The column that names files; None where its name says so.
        label_column: The column of labels; None where its name says so.
        label_columns: One column for each class, by name, separated by commas; ``rest`` for all
            that remain.
        label_separator: What stands between the classes of one image.
        multi_label: Whether an image may have several classes at once.
        split_column: The column of splits.
        group_column: The column of groups.
        missing: What is done with rows without a file and files without a row.
    """

    table: str = ""
    is_input: bool = False
    file_column: str | None = None
    label_column: str | None = None
    label_columns: str | None = None
    label_separator: str | None = None
    multi_label: bool = False
    split_column: str | None = None
    group_column: str | None = None
    missing: Literal["error", "skip"] = "error"
