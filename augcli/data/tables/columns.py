"""The columns of a table: which of them names the file, and which say what it shows."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from augcli.data.codecs.formats import EXTENSIONS
from augcli.data.manifest_formats.columns import (
    COLUMNS,
    FACTS,
    LIST,
    PAIR,
    WIDE_ENDING,
)
from augcli.data.tables.choice import REST
from augcli.data.tables.formats import shortened
from augcli.errors import InputError, near_miss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from augcli.data.tables.choice import TableChoice

FILE_WORDS = (
    ("filename", "file"),
    ("imagepath", "imgpath", "filepath", "path", "relativepath", "imagename", "imgname"),
    ("image", "imageid", "imageidx", "img", "imgid", "imagefile", "id", "picture", "photo"),
)
"""Names of columns of files, as :func:`_plain` gives them: those of an earlier group first."""
LABEL_WORDS = (
    ("label",),
    (
        *("labels", "class", "classes", "classname", "labelname", "category", "categoryname"),
        *("breed", "target", "species", "diagnosis", "classid", "labelid", "categoryid"),
        *("tag", "tags"),
    ),
)
"""The same of labels."""
SPLIT_WORDS = frozenset({"split", "set", "subset", "fold", "partition"})
GROUP_WORDS = frozenset({"group", "patient", "patientid", "subject", "subjectid", "video", "scene"})


def is_file_column(name: str) -> bool:
    """Return whether a column of this name may name files."""
    return any(_plain(name) in words for words in FILE_WORDS)


class NoColumn(InputError):
    """A table has no column of files or of labels."""


class Found(NamedTuple):
    """The columns that are used, by their positions.

    Attributes:
        file: Names the file.
        label: Says what it shows; None where several columns do.
        weights: A column for each class, with the class.
        two_classes: The four columns of a manifest: class, weight, class, weight.
        split: The split; None where none is used.
        group: The group; None where none is used.
        words: What was found.
    """

    file: int
    label: int | None = None
    weights: tuple[tuple[int, str], ...] = ()
    two_classes: tuple[int, ...] = ()
    split: int | None = None
    group: int | None = None
    words: str = ""


def find_columns(columns: Sequence[str], choice: TableChoice) -> Found:
    """Return which columns of a table are used.

    Args:
        columns: Their names.
        choice: Which of them were named.

    Raises:
        NoColumn: There is none of files or labels.
        ValueError: A column that was named is not there, or several could be meant.
            The message of both is a clause whose subject is the file.

    Example:
        >>> from augcli.data.tables.choice import TableChoice
        >>> find_columns(["", "image_id", "breed"], TableChoice()).words
        "files in column 'image_id', labels in column 'breed'"
    """
    file = _position(columns, choice.file_column, "file_column", FILE_WORDS)
    split = _named(columns, choice.split_column, "split_column")
    group = _named(columns, choice.group_column, "group_column")
    used = {position for position in (file, split, group) if position is not None}
    found = Found(file, split=split, group=group)
    words = [f"files in column {columns[file]!r}"]
    is_ours = {"file_name", *FACTS} <= set(columns)
    if choice.label_columns is not None:
        found = found._replace(weights=_weights(columns, choice.label_columns, used))
        words.append(f"weights of {len(found.weights):,} classes in columns of their own")
    elif choice.label_column is None and set(COLUMNS) <= set(columns):
        found = found._replace(two_classes=tuple(map(columns.index, PAIR)))
        words.append("labels as augcli writes them")
    elif choice.label_column is None and is_ours and LIST in columns:
        raise ValueError(
            f"has labels in column {LIST!r} as augcli writes them, which does not name the classes;"
            " give the folder that it lies in"
        )
    elif choice.label_column is None and is_ours and (wide := _of_wide(columns)):
        found = found._replace(weights=wide)
        words.append("labels as augcli writes them")
    else:
        label = _position(columns, choice.label_column, "label_column", LABEL_WORDS, used)
        found = found._replace(label=label)
        words.append(f"labels in column {columns[label]!r}")
    if is_ours:
        # augcli wrote it: what the columns mean needs no guess.
        found = found._replace(
            split=_at(columns, "split") if split is None else split,
            group=_at(columns, "group") if group is None else group,
        )
    for name, position in (("splits", found.split), ("groups", found.group)):
        if position is not None:
            words.append(f"{name} in column {columns[position]!r}")
    return found._replace(words=", ".join(words))


def unused_columns(columns: Sequence[str], found: Found) -> list[str]:
    """Return a line for each column that is not used and probably should be."""
    lines = []
    for option, position, words in (
        ("split_column", found.split, SPLIT_WORDS),
        ("group_column", found.group, GROUP_WORDS),
    ):
        name = next((name for name in columns if _plain(name) in words), "")
        if name and position is None:
            lines.append(f"column {name!r} is not used; `{option}` {name} uses it")
    return lines


def _at(columns: Sequence[str], name: str) -> int | None:
    return list(columns).index(name) if name in columns else None


def _plain(name: object) -> str:
    """Return the name of a column as it is compared with the usual ones.

    Example:
        >>> _plain(" File_Name"), _plain("image-id")
        ('filename', 'imageid')
    """
    return re.sub(r"[\s_-]+", "", str(name).casefold())


def _named(columns: Sequence[str], name: str | None, option: str) -> int | None:
    """Return the position of a column that was named, as it is written or nearly so."""
    if name is None:
        return None
    fitting = [at for at, column in enumerate(columns) if column == name]
    fitting = fitting or [at for at, column in enumerate(columns) if _plain(column) == _plain(name)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise ValueError(f"has {len(fitting)} columns {name!r}; rename all but one")
    raise ValueError(
        f"has no column {name!r} (`{option}`), but {_listed(columns)}{near_miss(name, columns)}"
    )


def _position(
    columns: Sequence[str],
    name: str | None,
    option: str,
    usual: Sequence[Sequence[str]],
    used: set[int] = frozenset(),  # type: ignore[assignment]  # only read
) -> int:
    """Return the position of the column that was named, else that has a usual name.

    Raises:
        NoColumn: None has one.
        ValueError: Several could be meant.
    """
    named = _named(columns, name, option)
    if named is not None:
        return named
    plain = [_plain(column) if at not in used else "" for at, column in enumerate(columns)]
    for words in usual:
        fitting = [at for at, column in enumerate(plain) if column in words]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            names = " and ".join(repr(columns[at]) for at in fitting[:5])
            same = len({columns[at] for at in fitting}) < len(fitting)
            fix = "rename all but one" if same else f"name it with `{option}`"
            raise ValueError(f"has the columns {names}, and each could be meant; {fix}")
    raise NoColumn(_why_none(columns, option))


def _why_none(columns: Sequence[str], option: str) -> str:
    line = shortened(",".join(map(str, columns)))
    is_file = option == "file_column"
    what = "files, such as file_name" if is_file else "labels, such as label"
    text = f"has no column of {what}; the first line is {line!r}"
    if any(os.path.splitext(str(name))[1].lower() in EXTENSIONS for name in columns):
        return f"{text}, which seems to be a row: add the line file_name,label before it"
    columns_of_classes = (
        "" if is_file else ", or with `label_columns` rest if each column is a class"
    )
    return f"{text}: name the column with `{option}`{columns_of_classes}"


def _weights(columns: Sequence[str], names: str, used: set[int]) -> tuple[tuple[int, str], ...]:
    """Return the columns of classes, with their names."""
    if names.strip().casefold() == REST:
        chosen = [at for at, name in enumerate(columns) if at not in used and str(name).strip()]
    else:
        chosen = []
        for name in names.split(","):
            at = _named(columns, name.strip(), "label_columns")
            assert at is not None
            chosen.append(at)
    if not chosen:
        raise ValueError("has no column left for `label_columns`")
    return tuple((at, str(columns[at]).strip()) for at in dict.fromkeys(chosen))


def _of_wide(columns: Sequence[str]) -> tuple[tuple[int, str], ...]:
    """Return the columns of classes in a manifest of augcli, with their names."""
    return tuple(
        (at, name.removesuffix(WIDE_ENDING))
        for at, name in enumerate(columns)
        if name.endswith(WIDE_ENDING)
    )


def _listed(columns: Sequence[str]) -> str:
    return shortened(", ".join(map(repr, columns)))
