"""The Parquet store: a file, or a folder of files, with the bytes of a picture in each row.

A row group is the least that can be read of a column. So a worker reads whole row groups, has two
of them in memory at most, and gets the rows of one after the other: a row group is a container, and
neighbours of the ring lie in one (see :func:`augcli.plan.ring.ring_keys`). The name of a source is
``<file>#<row group>-<row>``, so that its container follows from its name.
"""

from __future__ import annotations

import functools
import os
from array import array
from collections import OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from augcli.data.codecs.file_kinds import file_kind
from augcli.data.codecs.formats import EXTENSIONS
from augcli.data.labels import Label
from augcli.data.stopping import raise_interruption
from augcli.data.stores.contents import (
    in_order,
    set_container_splits,
    split_of_name,
)
from augcli.data.stores.kinds import parquet_files
from augcli.data.stores.output_labels import output_record, take_labels_of_output
from augcli.data.stores.parquet.columns import (
    find_columns,
    holds_images,
    labels_of,
    need_pyarrow,
    soft_labels_of,
)
from augcli.data.stores.sources import (
    CHANGED,
    MOST_BYTES,
    Source,
    SourceChanged,
    Sources,
    stamp,
    too_large,
)
from augcli.data.stores.tars.sample_labels import class_names
from augcli.data.tables.columns import is_file_column
from augcli.errors import AugcliError, InputError, UnreadableImage, is_out_of_memory
from augcli.files import kind_of, open_file, open_status, real_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.data.stores.folder import Layout

MOST_GROUP_BYTES = 4 << 30
"""Bytes that a column of a row group may have: it is read whole."""
MOST_ROWS = 10**8
"""Rows of a file, whose numbers have eight digits."""
MOST_GROUPS = 10**6
GROUPS_IN_MEMORY = 2
"""A base may be the last of its row group, and its donor the first of the next."""
FILES_OPEN = 4
LARGE_GROUP = 5_000
"""Rows of a row group above which a person should know what that costs."""
_BUFFER = 1 << 16
"""Bytes that are read at once where only the first pages are wanted."""


def has_images(path: str, image_column: str | None = None) -> bool:
    """Return whether a Parquet file is to hold images, and is no table that names them.

    A file that can't be read counts too: the store says what is wrong with it.

    Args:
        path: The file.
        image_column: The column of the images, where it was given.
    """
    if image_column is not None:
        return True
    try:
        from pyarrow import parquet  # noqa: PLC0415

        with open_file(path) as file:
            schema = parquet.read_schema(file)
    except Exception as error:  # pyarrow raises errors of any kind
        raise_interruption(error)
        return True
    holds = any(holds_images(field.type) for field in schema)
    # Where it is neither, the store says that there are no images.
    return holds or not any(map(is_file_column, schema.names))


class ParquetStore:
    """The rows of Parquet files, each with the bytes of an image file.

    Splits come from the names of the files or their folders, classes from a column.

    Args:
        place: The file or the folder, absolute.
        out: A folder that is never read.
        layout: Whether names of files and folders give splits.
        image_column: The column of the images; None finds it by its type.
        label_column: The column of the labels; None finds it by its name.
        given: INPUT as it was given, for messages.
    """

    def __init__(
        self,
        place: str,
        out: str | None = None,
        layout: Layout = "auto",
        *,
        image_column: str | None = None,
        label_column: str | None = None,
        given: str = "",
    ) -> None:
        self._place = place
        self._out = out
        self._layout: Layout = layout
        self._columns = (image_column, label_column)
        self._given = given or place
        self._open: OrderedDict[str, _OpenFile] = OrderedDict()
        self._groups: OrderedDict[str, Any] = OrderedDict()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without what is open and in memory."""
        image, label = self._columns
        make = functools.partial(
            ParquetStore, image_column=image, label_column=label, given=self._given
        )
        return make, (self._place, self._out, self._layout)

    def list(self) -> Sources:
        """Return all rows, sorted by file, row group and row.

        Raises:
            InputError: A file can't be read, or has no column of images.
        """
        need_pyarrow(self._given)
        files = parquet_files(self._place, self._out)
        sources = Sources(
            real_place(self._place),
            containers=[file.name for file in files],
            in_containers=True,
            container_mark="-",
            keeps_containers=True,
        )
        is_output = output_record(sources.root) is not None
        labels: list[Label] = []
        names: list[str] = []
        counts: list[int] = []
        notices: dict[str, None] = {}
        number_of: dict[str, int] = {}
        largest = 0
        for file in files:
            with _readable(file.name), _OpenFile(file.path, file.name, self._columns) as opened:
                opened.check()
                counts.append(opened.rows)
                paths = opened.paths()
                if is_output:
                    names += [f"{file.name}/{path}" for path in paths]
                else:
                    labels += opened.labels()
                    sources.are_many |= opened.columns.are_many
                endings = opened.endings(paths)
                numbers = [number_of.setdefault(each, len(number_of)) for each in endings]
                notices[opened.columns.words] = None
            for number, group in enumerate(opened.groups):
                beginning = f"{file.name}#{number:06d}-"
                rows = range(group.first, group.first + group.rows)
                sources.paths += [f"{beginning}{row:08d}" for row in rows]
                sources.sizes.extend(array("q", [group.each]) * group.rows)
                largest = max(largest, group.rows)
            sources.starts.extend(range(opened.rows))
            sources.modified.extend(array("q", [opened.modified]) * opened.rows)
            sources.ending_of.extend(numbers)
        if not sources.paths:
            raise InputError(f"INPUT {self._given} has no rows; give Parquet files with images")
        sources.endings = list(number_of)
        if not take_labels_of_output(sources, self._given, names):
            sources.set_labels(labels)
            splits = [split_of_name(file.name) for file in files]
            words = set_container_splits(sources, splits, counts, self._layout)
            sources.notices += [*notices, words] if words else notices
        if largest > LARGE_GROUP:
            sources.notices.append(
                f"a row group has {largest:,} images: it is read whole, by one worker; files with "
                "row groups of 100 to 1,000 images need less memory and time"
            )
        return in_order(sources)

    def adopt(self, sources: Sources) -> None:
        """Do nothing: each file says where its rows lie."""

    def read(self, source: Source, *, max_bytes: int = MOST_BYTES) -> bytes:
        """Return the bytes of an image; see :meth:`augcli.data.stores.sources.Store.read`."""
        group_name, _, row = source.path.rpartition("-")
        name, _, digits = group_name.rpartition("#")
        opened, number = self._opened(name), int(digits)
        at = int(row) - opened.groups[number].first
        if source.stamp != opened.stamp(number, int(row)):
            raise SourceChanged(0, CHANGED)
        images = self._groups.get(group_name)
        if images is None:
            while len(self._groups) >= GROUPS_IN_MEMORY:
                self._groups.popitem(last=False)
            images = opened.images(number)
            if not opened.is_steady:
                self._open.pop(name).close()
                raise SourceChanged(0, CHANGED)
            self._groups[group_name] = images
        else:
            self._groups.move_to_end(group_name)
        if isinstance(images, str):
            raise UnreadableImage(images)
        data = images[at].as_py()
        if data is None:
            raise UnreadableImage("a row without the bytes of an image")
        if len(data) > max_bytes:
            raise too_large("an image", len(data), max_bytes)
        return bytes(data)

    def _opened(self, name: str) -> _OpenFile:
        """Return a file, opened when it was first needed.

        Raises:
            OSError: It can't be opened, or is another file by now.
        """
        opened = self._open.get(name)
        if opened is None:
            while len(self._open) >= FILES_OPEN:
                self._open.popitem(last=False)[1].close()
            is_folder = kind_of(self._place) == "folder"
            path = f"{self._place}/{name}" if is_folder else self._place
            try:
                with _readable(name):
                    opened = self._open[name] = _OpenFile(path, name, self._columns)
            except InputError:
                raise SourceChanged(0, CHANGED) from None
        else:
            self._open.move_to_end(name)
        return opened


class _Group(NamedTuple):
    """A row group.

    Attributes:
        first: Number of its first row in the file.
        rows: How many it has.
        each: Bytes of its images in the file, divided by the rows.
        unpacked: Bytes of its images in memory.
    """

    first: int
    rows: int
    each: int
    unpacked: int


class _OpenFile:
    """An open Parquet file.

    Args:
        path: The file.
        name: Relative to INPUT, for messages.
        columns: Those of the images and the labels, as they were given.
    """

    def __init__(self, path: str, name: str, columns: tuple[str | None, str | None]) -> None:
        from pyarrow import parquet  # noqa: PLC0415 - an extra, which only Parquet needs

        self._file = open_file(path)
        self._folder = os.path.dirname(path)
        try:
            self.size, self.modified = open_status(self._file)
            self._parquet = parquet.ParquetFile(self._file, buffer_size=_BUFFER)
            self._name = name
            self.columns = find_columns(self._parquet.schema_arrow, name, *columns)
            self._metadata = self._parquet.metadata
            self.groups = list(self._list_groups())
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> _OpenFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if "_file" in self.__dict__:
            self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def rows(self) -> int:
        """How many rows the file has."""
        return self.groups[-1].first + self.groups[-1].rows if self.groups else 0

    @property
    def is_steady(self) -> bool:
        """Whether the file is still as it was when it was opened."""
        return open_status(self._file) == (self.size, self.modified)

    def stamp(self, number: int, row: int) -> str:
        """Return what tells a row from a changed one; see :meth:`Sources.stamp`."""
        return f"{stamp(self.groups[number].each, self.modified)}-{row}"

    def check(self) -> None:
        """Check that what the file declares can be read.

        Raises:
            InputError: It has more rows than bytes, or a row group that no memory holds.
        """
        if self.rows > min(MOST_ROWS, max(self.size, 1)):
            raise InputError(
                f"INPUT: {self._name} declares {self.rows:,} rows, more than its {self.size:,} "
                "bytes can hold; write it again"
            )
        largest = max((group.unpacked for group in self.groups), default=0)
        labels = self._unpacked(self.columns.label)
        if max(largest, labels) > MOST_GROUP_BYTES:
            raise InputError(
                f"INPUT: {self._name} has a row group of {max(largest, labels):,} bytes, but it is "
                f"read whole, and at most {MOST_GROUP_BYTES:,} are allowed; write the file with "
                "row groups of 1,000 rows"
            )

    def labels(self) -> list[Label]:
        """Return the label of each row; empty for none."""
        label, classes = self.columns.label, self.columns.classes
        where = f"INPUT: column {label!r} of {self._name}"
        if not label:
            return [Label()] * self.rows
        if not self.columns.is_soft:
            column = self._parquet.read([label], use_threads=False).column(label)
            column.validate(full=True)
            return self._all_rows(list(labels_of(column, classes, where)))
        names = classes or class_names(self._folder)
        found: list[Label] = []
        # Some rows at a time: a weight for each class is many numbers.
        for batch in self._parquet.iter_batches(1000, columns=[label], use_threads=False):
            batch.validate(full=True)
            found += soft_labels_of(batch.column(0), names, where, are_many=self.columns.are_many)
        return self._all_rows(found)

    def paths(self) -> list[str | None]:
        """Return the path that stands beside the bytes of each image; ``None`` without any."""
        if not (self.columns.has_struct and self._has_paths):
            return [None] * self.rows
        image = self.columns.image
        column = self._parquet.read([f"{image}.path"], use_threads=False).column(image)
        column.validate(full=True)
        return self._all_rows(column.flatten()[0].to_pylist())

    def endings(self, words: list[str | None]) -> list[str]:
        """Return the file ending of each image, without the dot.

        By its path; where that has none, all have that of the first image.
        """
        usual = ""
        known: dict[str | None, str] = {}
        for word in set(words):
            ending = os.path.splitext(word or "")[1].lower()
            if ending not in EXTENSIONS:
                usual = usual or self._first_ending()
                ending = usual
            known[word] = ending[1:]
        return [known[word] for word in words]

    def images(self, number: int) -> Any:
        """Return the images of a row group, or in words why there are none.

        Raises:
            OSError: The system can't read them.
            MemoryError: Memory ran out.
        """
        try:
            column = self._parquet.read_row_group(
                number, [self.columns.image], use_threads=False
            ).column(self.columns.image)
            return self._bytes_of(column, self.groups[number].rows)
        except Exception as error:
            raise_interruption(error)
            if is_out_of_memory(error):
                raise MemoryError from None
            if isinstance(error, OSError) and error.errno:
                raise
            return f"row group {number} of {self._name} is damaged; write the file again"

    def _bytes_of(self, column: Any, rows: int) -> Any:
        column.validate(full=True)
        if len(column) != rows:
            raise ValueError("other rows than declared")
        if self.columns.has_struct:
            index = column.type.get_field_index("bytes")
            column = column.flatten()[index]
        return column

    def _first_ending(self) -> str:
        """Return the ending of the first image, with the dot; that of PNG where it has none."""
        batches = self._parquet.iter_batches(1, columns=[self.columns.image], use_threads=False)
        for batch, _ in zip(batches, range(16), strict=False):
            import pyarrow as pa  # noqa: PLC0415

            column = pa.chunked_array([batch.column(0)])
            data = self._bytes_of(column, len(column))[0].as_py()
            if data:
                return file_kind(data[:512]).ending.replace(".npy", "") or ".png"
        return ".png"

    def _all_rows(self, values: list[Any]) -> list[Any]:
        if len(values) != self.rows:
            raise ValueError("a column has other rows than declared")
        return values

    def _list_groups(self) -> Iterator[_Group]:
        first = 0
        if self._metadata.num_row_groups > MOST_GROUPS:
            raise ValueError("too many row groups")
        image = self.columns.image
        # The leaves of the column are the same in all row groups.
        leaves = self._leaves(image)
        for number in range(self._metadata.num_row_groups):
            group = self._metadata.row_group(number)
            chunks = [group.column(leaf) for leaf in leaves]
            packed = sum(chunk.total_compressed_size for chunk in chunks)
            unpacked = sum(chunk.total_uncompressed_size for chunk in chunks)
            if group.num_rows < 0 or packed < 0 or unpacked < 0:
                raise ValueError("a negative number")
            each = packed // max(1, group.num_rows)
            yield _Group(first, group.num_rows, each, unpacked)
            first += group.num_rows

    def _leaves(self, name: str) -> list[int]:
        """Return the indices of the columns of the file that make up one of the schema."""
        schema = self._parquet.schema
        paths = [schema.column(index).path for index in range(len(schema.names))]
        return [at for at, path in enumerate(paths) if path == name or path.startswith(f"{name}.")]

    @functools.cached_property
    def _has_paths(self) -> bool:
        index = self._parquet.schema_arrow.get_field_index(self.columns.image)
        kind = self._parquet.schema_arrow.field(index).type
        at = kind.get_field_index("path")
        return at >= 0 and str(kind.field(at).type) in ("string", "large_string")

    def _unpacked(self, name: str) -> int:
        """Return the bytes of a column in memory."""
        leaves = self._leaves(name) if name else []
        groups = map(self._metadata.row_group, range(self._metadata.num_row_groups))
        return sum(group.column(at).total_uncompressed_size for group in groups for at in leaves)


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Name the file in the errors of the block; pyarrow raises errors of any kind.

    Raises:
        InputError: The file is damaged.
        OSError: The system can't read it.
    """
    try:
        yield
    except AugcliError:
        raise
    except Exception as error:
        raise_interruption(error)
        if isinstance(error, OSError) and error.errno:
            raise InputError(f"INPUT: {name} can't be read ({error.strerror})") from None
        raise InputError(
            f"INPUT: {name} is damaged, or no Parquet file that pyarrow reads "
            f"({str(error).partition(chr(10))[0][:200]}); write or download it again"
        ) from None
