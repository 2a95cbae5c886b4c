"""The Parquet sink: tables whose rows hold the pictures, as Hugging Face datasets writes them.

A row has ``image`` (the bytes of the file, and its name), ``label`` (the number of its heaviest
class, counted in classes.txt; not where pictures have several classes at once), ``soft_label`` (a
weight for every class, in that order) and the other columns of the manifest. The schema says so in
the words of that library, which then gives pictures, class names and lists without being asked.
"""

from __future__ import annotations

import errno
import importlib.util
import json
import os
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, ClassVar

from augcli.data.sinks.container import ContainerFiles, ContainerWriter
from augcli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from augcli.data.manifest import Row
    from augcli.data.sinks.container import HashedStream
    from augcli.data.sinks.sink import Contained, DataSet
    from augcli.files import OutputFiles

GROUP_ROWS = 100
GROUP_BYTES = 32 << 20
"""A group of rows ends here: readers take a whole group into memory for one of its pictures."""
CACHE_BYTES = 256 << 20
"""Of pictures that a reader remembers: they are asked for in another order."""
NOT_IN_ROWS = frozenset({"file_name", "label", "shard"})
"""Columns of the manifest that say where a row is, or the label in another form."""
KINDS = {"weight_a": "float64", "weight_b": "float64"} | dict.fromkeys(
    ("width", "height", "copy"), "int64"
)
"""Types of the columns; all others are text."""


def features_of(data_set: DataSet) -> dict[str, Any]:
    """Return the columns of the files in the words of Hugging Face datasets."""
    features: dict[str, Any] = {"image": {"_type": "Image"}}
    if not data_set.are_many:
        features["label"] = {"names": list(data_set.classes), "_type": "ClassLabel"}
    # The name that old and new versions of the library understand.
    features["soft_label"] = {
        "feature": {"dtype": "float32", "_type": "Value"},
        "_type": "Sequence",
    }
    for name in _others(data_set):
        features[name] = {"dtype": KINDS.get(name, "string"), "_type": "Value"}
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
            compression={"image.bytes": "none", **dict.fromkeys(self._packed, "snappy")},
            use_dictionary=self._others,
            write_statistics=self._others,
        )
        self._rows: list[dict[str, Any]] = []
        self._bytes = 0

    @property
    def _packed(self) -> list[str]:
        label = [] if self._data_set.are_many else ["label"]
        return ["image.path", *label, "soft_label.list.element", *self._others]

    def add(self, name: str, row: Row, data: bytes) -> None:
        """Write one row."""
        columns = self._data_set.columns
        cells = dict(zip(columns.names, columns.cells(row), strict=True))
        heaviest = self._numbers[row.label.heaviest] if row.label.weights else None
        content = {
            "image": {"bytes": data, "path": name},
            "label": heaviest,
            "soft_label": self._vector(row),
            **{column: cells[column] for column in self._others},
        }
        self._rows.append(content)
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
            table = pa.Table.from_pylist(self._rows, self._schema)
            self._writer.write_table(table, row_group_size=len(self._rows))
            self._rows.clear()
            self._bytes = 0


def _schema(data_set: DataSet) -> Any:
    import pyarrow as pa  # noqa: PLC0415

    fields = [("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))]
    if not data_set.are_many:
        fields.append(("label", pa.int64()))
    fields.append(("soft_label", pa.list_(pa.float32())))
    types = {"float64": pa.float64(), "int64": pa.int64()}
    fields += [(name, types.get(KINDS.get(name, ""), pa.string())) for name in _others(data_set)]
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
        if importlib.util.find_spec("pyarrow") is None:
            raise UsageError(
                "outputs in Parquet need the package pyarrow: pip install 'augcli[parquet]'"
            )
        self._data_set = data_set
        self._places: tuple[str, dict[str, tuple[int, int]]] = "", {}
        self._groups: OrderedDict[int, list[bytes]] = OrderedDict()
        self._cached = 0

    def open(self, shard: str, file: str = "") -> ContainerWriter:
        """Begin a shard."""
        return ContainerWriter(self.files, shard, file, self)

    def archive(self, stream: HashedStream) -> ParquetArchive:
        """Begin a Parquet file."""
        return ParquetArchive(stream, self._data_set)

    def read(self, name: str, limit: int | None = None) -> bytes:
        """Return the picture of a row."""
        import pyarrow as pa  # noqa: PLC0415

        container, _, path = name.partition("/")
        try:
            if self._places[0] != container:
                self._list(container)
            if path not in self._places[1]:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            group, index = self._places[1][path]
            data = self._group(container, group)[index]
        except (pa.ArrowException, IndexError, KeyError, TypeError):
            raise OSError(errno.EIO, "it is no whole Parquet file") from None
        if limit is not None and len(data) > limit:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        return data

    def index(self, containers: Sequence[Contained]) -> Mapping[str, bytes]:
        """Return nothing: each file says what it holds."""
        del containers
        return {}

    def _list(self, container: str) -> None:
        """Note in which group and row of a file each picture is."""
        from pyarrow import parquet  # noqa: PLC0415

        self._places = "", {}
        self._groups.clear()
        self._cached = 0
        places = {}
        with self.files.open(container) as file, parquet.ParquetFile(file) as table:
            for group in range(table.num_row_groups):
                rows = table.read_row_group(group, ["image.path"], use_threads=False)
                for index, image in enumerate(rows["image"].to_pylist()):
                    places[image["path"]] = group, index
        self._places = container, places

    def _group(self, container: str, number: int) -> list[bytes]:
        """Return the pictures of a group of rows."""
        from pyarrow import parquet  # noqa: PLC0415

        if number in self._groups:
            self._groups.move_to_end(number)
            return self._groups[number]
        with self.files.open(container) as file, parquet.ParquetFile(file) as table:
            rows = table.read_row_group(number, ["image.bytes"], use_threads=False)
        pictures = [image["bytes"] for image in rows["image"].to_pylist()]
        self._groups[number] = pictures
        self._cached += sum(map(len, pictures))
        while self._cached > CACHE_BYTES and len(self._groups) > 1:
            _, oldest = self._groups.popitem(last=False)
            self._cached -= sum(map(len, oldest))
        return pictures
