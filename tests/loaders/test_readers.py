"""What other readers make of metadata.csv and of the folder: the same rows and pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import augcli
from tests.photos import read
from tests.torch.sets import Batch

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.loaders, pytest.mark.filterwarnings("default")]


@pytest.fixture
def out(batch: Batch, tmp_path: Path) -> Path:
    """An output folder: mixed pictures as PNG."""
    augcli.augment(batch.folder, augcli.MixUp(alpha=1), out=tmp_path / "o", format="png", workers=0)
    return tmp_path / "o"


def check(rows: Any, out: Path) -> None:
    """Compare rows, given as dictionaries, with those that augcli reads."""
    data = augcli.read(out)
    assert [row["file_name"] for row in rows] == [row.file_name for row in data.rows]
    for row, target in zip(rows, data.targets, strict=True):
        vector = np.zeros(len(data.classes))
        vector[data.classes.index(row["label_a"])] += row["weight_a"]
        if row["label_b"]:
            vector[data.classes.index(row["label_b"])] += row["weight_b"]
        assert np.abs(vector - target).max() < 1e-6


def test_pandas(out: Path) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.read_csv(out / "metadata.csv", keep_default_na=False)
    check(table.to_dict("records"), out)


def test_polars(out: Path) -> None:
    polars = pytest.importorskip("polars")
    check(polars.read_csv(out / "metadata.csv").fill_null("").to_dicts(), out)


def test_duckdb(out: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    table = duckdb.sql(f"select * from '{out / 'metadata.csv'}' order by file_name")
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.fetchall()]
    check(rows, out)


def test_datasets(out: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = datasets.load_dataset(str(out), split="train", cache_dir=str(tmp_path / "cache"))
    data = augcli.read(out)
    assert len(rows) == len(data)
    by_name = {row.sha256: path for row, path in zip(data.rows, data.paths, strict=True)}
    for row in rows:
        from pathlib import Path as Place

        assert np.array_equal(np.array(row["image"]), read(Place(by_name[row["sha256"]])))


def test_torchvision(out: Path) -> None:
    folders = pytest.importorskip("torchvision.datasets")
    data = folders.ImageFolder(str(out))
    assert data.classes == list(augcli.read(out).classes)
    assert len(data) == 13
