"""The Parquet sink: types that readers know, groups of bounded size, the same bytes each time."""

from __future__ import annotations

import importlib.util
import io
import json
from typing import TYPE_CHECKING

import pytest

from augcli.data.labels import Label
from augcli.data.manifest import Row
from augcli.data.manifest_formats.columns import Columns
from augcli.data.output import output_files
from augcli.data.sinks.container import HashedStream
from augcli.data.sinks.parquet import ParquetArchive, ParquetSink
from augcli.data.sinks.sink import DataSet
from augcli.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

DATA = DataSet(("cat", "dog"), are_many=False, columns=Columns(shards=True))


class Memory:
    """Takes what a draft would."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


def row(number: int, label: Label | None = None) -> Row:
    label = Label((("dog", 0.75), ("cat", 0.25))) if label is None else label
    name = f"data-00000-of-00001.parquet/cat/{number:05d}.jpg"
    return Row(name, label, "cat/ö.jpg", "", "cutout", '{"x": 1}', 8, 9, 0, "00")


def written(pictures: list[bytes], data_set: DataSet = DATA, label: Label | None = None) -> bytes:
    memory = Memory()
    archive = ParquetArchive(HashedStream(memory), data_set)  # type: ignore[arg-type]  # only written
    for number, picture in enumerate(pictures):
        archive.add(f"cat/{number:05d}.jpg", row(number, label), picture)
    archive.close()
    return memory.data


def test_the_schema_says_what_the_columns_are() -> None:
    file = parquet.ParquetFile(io.BytesIO(written([b"picture"])))
    features = json.loads(file.schema_arrow.metadata[b"huggingface"])["info"]["features"]
    assert list(features) == file.schema_arrow.names
    assert features["image"] == {"_type": "Image"}
    assert features["label"] == {"names": ["cat", "dog"], "_type": "ClassLabel"}
    (line,) = file.read().to_pylist()
    assert line["image"] == {"bytes": b"picture", "path": "cat/00000.jpg"}
    assert line["label"] == 1
    assert line["soft_label"] == [0.25, 0.75]
    assert (line["label_a"], line["weight_a"], line["width"]) == ("dog", 0.75, 8)
    assert line["source_a"] == "cat/ö.jpg"
    assert "file_name" not in line


def test_groups_end_at_100_rows_or_32_megabytes() -> None:
    file = parquet.ParquetFile(io.BytesIO(written([b"x"] * 250)))
    groups = [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)]
    assert groups == [100, 100, 50]
    file = parquet.ParquetFile(io.BytesIO(written([bytes(20 << 20)] * 3)))
    groups = [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)]
    assert groups == [2, 1]


def test_pictures_are_not_compressed_a_second_time() -> None:
    group = parquet.ParquetFile(io.BytesIO(written([bytes(1000)] * 9))).metadata.row_group(0)
    columns = [group.column(at) for at in range(group.num_columns)]
    packed = {column.path_in_schema: column.compression for column in columns}
    assert packed.pop("image.bytes") == "UNCOMPRESSED"
    assert set(packed.values()) == {"SNAPPY"}
    sizes = {column.path_in_schema: column.total_compressed_size for column in columns}
    assert sizes["image.bytes"] > 9000


def test_the_same_rows_are_the_same_bytes() -> None:
    assert written([b"a", b"b"]) == written([b"a", b"b"])


def test_unlabelled_and_many_labelled_pictures_are_rows_too() -> None:
    (line,) = parquet.read_table(io.BytesIO(written([b"a"], label=Label()))).to_pylist()
    assert (line["label"], line["soft_label"]) == (None, [0.0, 0.0])
    many = DATA._replace(are_many=True, columns=Columns("json"))
    label = Label((("cat", 1.0), ("dog", 1.0)))
    (line,) = parquet.read_table(io.BytesIO(written([b"a"], many, label))).to_pylist()
    assert "label" not in line
    assert line["soft_label"] == [1.0, 1.0]


def test_pictures_are_read_back_in_any_order(tmp_path: Path) -> None:
    pictures = [b"%d" % number for number in range(250)]
    (tmp_path / "data-00000-of-00001.parquet").write_bytes(written(pictures))
    sink = ParquetSink(output_files(str(tmp_path)), DATA)
    for number in (249, 0, 120, 1, 248):
        name = f"data-00000-of-00001.parquet/cat/{number:05d}.jpg"
        assert sink.read(name) == pictures[number]
    with pytest.raises(FileNotFoundError):
        sink.read("data-00000-of-00001.parquet/cat/00250.jpg")
    with pytest.raises(OSError, match="too large"):
        sink.read("data-00000-of-00001.parquet/cat/00100.jpg", limit=2)


def test_a_damaged_file_is_an_error_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "data-00000-of-00001.parquet").write_bytes(written([b"a"])[:-3])
    sink = ParquetSink(output_files(str(tmp_path)), DATA)
    with pytest.raises(OSError, match="no whole Parquet"):
        sink.read("data-00000-of-00001.parquet/cat/00000.jpg")


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"augcli\[parquet\]"):
        ParquetSink(output_files(str(tmp_path)), DATA)
