"""An output folder read back: its rows, its classes and the label vectors, for any trainer."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from augcli.data.class_list import read_class_list
from augcli.data.manifest import CLASSES
from augcli.data.manifest_formats.formats import manifest_name, read_rows
from augcli.data.packed import PackedLabels
from augcli.data.run_record import RECORD, RunRecord
from augcli.errors import InputError, ParameterError
from augcli.files import TABLE_LIMIT, is_file, open_file, read_file, read_json, whole_place

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy as np
    from numpy.typing import NDArray

    from augcli.data.manifest import Row


@dataclass(frozen=True)
class DataSet:
    """The pictures of an output folder and their labels; see :func:`augcli.read`.

    Attributes:
        folder: OUT, absolute.
        rows: One for each picture, in the order of the manifest.
        classes: The names of the classes, in the order of ``classes.txt`` and of all vectors.
    """

    folder: str
    rows: tuple[Row, ...]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def labels(self) -> PackedLabels:
        """The labels of all rows, in three arrays."""
        return PackedLabels.of((row.label for row in self.rows), self.classes, self.folder)

    @cached_property
    def targets(self) -> NDArray[np.float32]:
        """The weight of each class, float32 (N, C); a picture without a label has only zeros.

        The weights of a row sum to 1, except where pictures have several labels at once.
        """
        return self.labels.dense(len(self.classes))

    @cached_property
    def hard(self) -> NDArray[np.int64]:
        """The number of the heaviest class of each row, int64 (N,); -1 without a label.

        For accuracies and samplers. Of two equal weights that of the base counts; where the
        manifest has a weight for every class, that of the first class.
        """
        return self.labels.hard()

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The absolute path of each picture; in a container, its own path and the name in it."""
        return tuple(os.path.join(self.folder, *row.file_name.split("/")) for row in self.rows)

    @cached_property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits, in order; empty where there are none."""
        return tuple(dict.fromkeys(row.split for row in self.rows if row.split))

    def split(self, name: str) -> DataSet:
        """Return the rows of one split.

        Raises:
            ParameterError: There is no such split.
        """
        if name not in self.splits:
            there = ", ".join(self.splits) or "no splits"
            raise ParameterError("split", f"is {name!r}, but {self.folder} has {there}")
        return replace(self, rows=tuple(row for row in self.rows if row.split == name))


def read(out: str | os.PathLike[str], split: str | None = None) -> DataSet:
    """Read an output folder: rows, classes, label vectors and paths.

    Args:
        out: OUT, an output folder of augcli.
        split: Only the rows of this split, such as ``train``.

    Raises:
        InputError: It is no complete output folder, or can't be read.
        ParameterError: There is no such split.

    Example:
        >>> import augcli, tempfile
        >>> with tempfile.TemporaryDirectory() as out:
        ...     _ = augcli.augment("sample_images", augcli.MixUp(), out=out, workers=0)
        ...     data = augcli.read(out)
        >>> len(data), data.classes
        (16, ('animal', 'person', 'space', 'thing'))
        >>> data.targets.shape, data.targets.dtype, bool((data.targets.sum(axis=1) == 1).all())
        ((16, 4), dtype('float32'), True)
        >>> data.rows[0].method, data.hard[0]
        ('mixup', np.int64(0))
    """
    folder = whole_place(out)
    written = _tables_of_complete(folder)
    manifest = manifest_name(lambda name: is_file(os.path.join(folder, name)), written)
    try:
        with open_file(os.path.join(folder, manifest)) as table:
            classes = read_class_list(read_file(os.path.join(folder, CLASSES), TABLE_LIMIT).data)
            rows = tuple(read_rows(manifest, table, classes))
    except OSError as error:
        missing = os.path.basename(str(error.filename or manifest))
        raise InputError(
            f"{out}: {missing} can't be read ({error.strerror or error}); give an output folder of "
            "augcli that is complete"
        ) from None
    except ValueError as error:
        raise InputError(f"{out}: its tables are not what augcli writes ({error})") from None
    data = DataSet(folder, rows, tuple(classes))
    return data if split is None else data.split(split)


def _tables_of_complete(folder: str) -> Collection[str]:
    """Return the tables that run.json names.

    Raises:
        InputError: The run is not complete: the manifest may be that of the run before.
    """
    try:
        record = RunRecord.from_json(read_json(os.path.join(folder, RECORD)))
    except (OSError, ValueError):
        return ()  # the tables alone, copied from an output folder
    if record.state != "complete":
        raise InputError(
            f"{folder}: the run that makes it is not complete; run the same command again first"
        )
    return record.tables
