"""The Parquet sink: tables whose rows hold the pictures, as Hugging Face datasets writes them.

A row has ``image`` (the bytes of the file, and its name), ``label`` (the number of its heaviest
class, counted in classes.txt; not where pictures have several classes at once), ``soft_label`` (a
weight for every class, in that order) and the other columns of the manifest. The schema says so in
the words of that library, which then gives pictures, class names and lists without being asked.
"""

from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING, Any, ClassVar

from augcli.data.manifest_formats.parquet_manifest import check_pyarrow
from augcli.data.sinks.container import ContainerFiles, ContainerWriter, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from augcli.data.manifest import Row
    from augcli.data.sinks.container import HashedStream
    from augcli.data.sinks.sink import Contained, DataSet
    from augcli.files import OutputFiles

GROUP_ROWS = 100
GROUP_BYTES = 32 << 20
"""A group of rows ends here: readers take a whole group into memory for one of its pictures."""
BYTES_COLUMN = "image.bytes"
LENGTH_BYTES = 4
"""Before each picture, little-endian: so Parquet stores bytes that are not packed."""
NOT_IN_ROWS = frozenset({"file_name", "label", "shard"})
"""Columns of the manifest that say where a row is, or the label in another form."""


def features_of(data_set: DataSet) -> dict[str, Any]:
    """Return the columns of the files in the words of Hugging Face datasets."""
    features: dict[str, Any] = {"image": {"_type": "Image"}}
    if not data_set.are_many:
        features["label"] = {"names": list(data_set.classes), "_type": "ClassLabel"}
    # The name that old and new versions of the library understand.
    features["soft_label"] = {
        "feature": {"dtype": "float64", "_type": "Value"},
        "_type": "Sequence",
    }
    for name in _others(data_set):
        features[name] = {"dtype": data_set.columns.types[name], "_type": "Value"}
    return features


def _others(data_set: DataSet) -> list[str]:
    return [name for name in data_set.columns.names if name not in NOT_IN_ROWS]


class ParquetArchive:
    """Writes the rows of one Parquet file, group by group.

    Args:
        stream: Takes the bytes.
        data_set: What is known of all outputs.
    """

    def __init__(self, stream: HashedStream, data_set: DataSet) -> None:
        import pyarrow as pa  # noqa: PLC0415 - an extra, which only Parquet needs
        from pyarrow import parquet  # noqa: PLC0415

        self._numbers = {name: number for number, name in enumerate(data_set.classes)}
        self._data_set = data_set
        self._others = _others(data_set)
        self._schema = _schema(data_set)
        self._writer = parquet.ParquetWriter(
            pa.PythonFile(stream, mode="w"),
            self._schema,
            # Pictures are compressed already; and so each can be read without its group.
            compression={BYTES_COLUMN: "none", **dict.fromkeys(self._packed, "snappy")},
            use_dictionary=self._others,
            write_statistics=self._others,
        )
        names = data_set.columns.names
        self._places = [names.index(name) for name in self._others]
        self._rows: list[tuple[Any, ...]] = []
        self._bytes = 0

    @property
    def _packed(self) -> list[str]:
        label = [] if self._data_set.are_many else ["label"]
        return ["image.path", *label, "soft_label.list.element", *self._others]

    def add(self, name: str, row: Row, data: bytes) -> None:
        """Write one row."""
        cells = self._data_set.columns.cells(row)
        heaviest = self._numbers[row.label.heaviest] if row.label.weights else None
        label = () if self._data_set.are_many else (heaviest,)
        others = [cells[place] for place in self._places]
        self._rows.append((data, name, *label, self._vector(row), *others))
        self._bytes += len(data)
        if len(self._rows) == GROUP_ROWS or self._bytes >= GROUP_BYTES:
            self._write_group()

    def close(self) -> None:
        """Write the rows that are left, and the end of the file."""
        self._write_group()
        self._writer.close()

    def _vector(self, row: Row) -> list[float]:
        vector = [0.0] * len(self._numbers)
        for name, weight in row.label.weights:
            vector[self._numbers[name]] = weight
        return vector

    def _write_group(self) -> None:
        import pyarrow as pa  # noqa: PLC0415

        if self._rows:
            # Column by column, in a third of the time of row by row.
            data, names, *others = zip(*self._rows, strict=True)
            image = self._schema.field("image").type
            columns = [pa.StructArray.from_arrays([data, names], fields=list(image))]
            fields = list(self._schema)[1:]
            columns += [pa.array(each, of.type) for each, of in zip(others, fields, strict=True)]
            table = pa.Table.from_arrays(columns, schema=self._schema)
            self._writer.write_table(table, row_group_size=len(self._rows))
            self._rows.clear()
            self._bytes = 0


def _schema(data_set: DataSet) -> Any:
    import pyarrow as pa  # noqa: PLC0415

    fields = [("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))]
    if not data_set.are_many:
        fields.append(("label", pa.int64()))
    fields.append(("soft_label", pa.list_(pa.float64())))
    types = {"float64": pa.float64(), "int64": pa.int64(), "string": pa.string()}
    fields += [(name, types[data_set.columns.types[name]]) for name in _others(data_set)]
    features = {"info": {"features": features_of(data_set)}}
    return pa.schema(fields, metadata={"huggingface": json.dumps(features)})


class ParquetSink(ContainerFiles):
    """Outputs as rows of Parquet files.

    Args:
        files: Reads and writes OUT.
        data_set: What is known of all outputs.

    Raises:
        UsageError: The package pyarrow is missing.
    """

    ending: ClassVar[str] = "parquet"

    def __init__(self, files: OutputFiles, data_set: DataSet) -> None:
        super().__init__(files)
        check_pyarrow("`to` parquet")
        self._data_set = data_set

    def open(self, shard: str, file: str = "") -> ContainerWriter:
        """Begin a shard."""
        return ContainerWriter(self.files.apart(), shard, file, self)

    def archive(self, stream: HashedStream) -> ParquetArchive:
        """Begin a Parquet file."""
        return ParquetArchive(stream, self._data_set)

    def places(self, container: str) -> Mapping[str, Place]:
        """Return where each picture of a file lies, by its path.

        Parquet has no list of them. Pictures are not compressed, so each is found in the file as
        it is; that reads the file once, group by group.
        """
        import pyarrow as pa  # noqa: PLC0415
        from pyarrow import parquet  # noqa: PLC0415

        places: dict[str, Place] = {}
        try:
            with self.files.open(container) as file, parquet.ParquetFile(file) as table:
                for number in range(table.num_row_groups):
                    rows = table.read_row_group(number, ["image"], use_threads=False)
                    start, size = _extent(table.metadata.row_group(number))
                    file.seek(start)
                    places.update(_found(file.read(size), start, rows["image"].to_pylist()))
        except (pa.ArrowException, KeyError, TypeError, ValueError):
            raise OSError(errno.EIO, "it is no whole Parquet file of augcli") from None
        return places

    def index(self, containers: Sequence[Contained]) -> Mapping[str, bytes]:
        """Return nothing: each file says what it holds."""
        del containers
        return {}


def _extent(group: Any) -> tuple[int, int]:
    """Return where the pictures of a group of rows begin in the file, and how long they are."""
    columns = (group.column(index) for index in range(group.num_columns))
    (column,) = (one for one in columns if one.path_in_schema == BYTES_COLUMN)
    return column.data_page_offset, column.total_compressed_size


def _found(
    content: bytes, start: int, images: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, Place]]:
    """Yield the path of each picture of a group, and its place in the file.

    Args:
        content: The pictures as they lie in the file, one after the other.
        start: Where they begin.
        images: Their bytes and paths, in the same order.

    Raises:
        ValueError: They lie there in another form.
    """
    at = 0
    for image in images:
        picture = image["bytes"]
        at = content.index(len(picture).to_bytes(LENGTH_BYTES, "little") + picture, at)
        at += LENGTH_BYTES
        yield image["path"], Place(start + at, len(picture))
        at += len(picture)
