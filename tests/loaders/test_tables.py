"""Libraries that read tables: metadata.csv, and the rows of Parquet files."""

from __future__ import annotations

import glob
from typing import TYPE_CHECKING, Any

import pytest

import augcli
from tests.loaders.outputs import Loaded, check, mixed, vector_of
from tests.photos import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tests.torch.sets import Batch

pytestmark = [pytest.mark.loaders, pytest.mark.filterwarnings("default")]


@pytest.fixture
def rows(batch: Batch, tmp_path: Path) -> str:
    """A pattern that the Parquet files of an output have."""
    return str(mixed(batch.folder, tmp_path / "out", "parquet") / "*.parquet")


def check_table(rows: Iterable[Mapping[str, Any]], files: Path) -> None:
    """Compare the rows of metadata.csv with the pictures that they name."""
    rows = list(rows)
    assert [row["file_name"] for row in rows] == [row.file_name for row in augcli.read(files).rows]
    check((Loaded(read(files / row["file_name"]), None, soft(row, files)) for row in rows), files)


def soft(row: Mapping[str, Any], files: Path) -> list[float]:
    names = [name for name in (row["label_a"], row["label_b"]) if name]
    return vector_of(names, [row["weight_a"], row["weight_b"]][: len(names)], files)


def check_rows(rows: Iterable[Mapping[str, Any]], files: Path) -> None:
    """Compare rows that hold pictures with the pictures of an output folder."""
    items = []
    for row in rows:
        picture = files / "any.png"
        picture.write_bytes(row["image"]["bytes"])
        assert soft(row, files) == pytest.approx(list(row["soft_label"]))
        items.append(Loaded(read(picture), row["label"], list(row["soft_label"])))
    check(items, files)


def test_pandas(files: Path, rows: str) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.read_csv(files / "metadata.csv", keep_default_na=False)
    check_table(table.to_dict("records"), files)
    table = pandas.concat(map(pandas.read_parquet, glob.glob(rows)))
    check_rows(table.to_dict("records"), files)


def test_polars(files: Path, rows: str) -> None:
    polars = pytest.importorskip("polars")
    check_table(polars.read_csv(files / "metadata.csv").fill_null("").to_dicts(), files)
    check_rows(polars.read_parquet(rows).to_dicts(), files)


def test_duckdb(files: Path, rows: str) -> None:
    duckdb = pytest.importorskip("duckdb")

    def found(query: str) -> list[dict[str, Any]]:
        table = duckdb.sql(query)
        return [dict(zip(table.columns, row, strict=True)) for row in table.fetchall()]

    check_table(found(f"from '{files / 'metadata.csv'}' order by file_name"), files)
    check_rows(found(f"from '{rows}'"), files)
