"""Hugging Face datasets reads every format and form of the manifest, with types and splits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import augcli
from augcli.data.manifest_formats.formats import FORMATS
from tests.photos import class_folders

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.loaders, pytest.mark.filterwarnings("default")]

COUNTS = {"train": 12, "val": 6}


@pytest.fixture
def data(tmp_path: Path) -> dict[str, Any]:
    """Pictures of classes with odd names in two splits, as arguments."""
    photos = class_folders(tmp_path / "photos", {"None": 6, "007": 6, "test": 6})
    lines = ["file_name,label,part"]
    for number, path in enumerate(sorted(photos.rglob("*.*"))):
        name = path.relative_to(photos)
        lines.append(f"{name},{path.parent.name},{'train' if number % 3 else 'val'}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    return {"folder": photos, "labels": tmp_path / "labels.csv", "split_column": "part"}


def targets(table: Any, classes: tuple[str, ...]) -> list[list[float]]:
    """Return the weights of all rows, from whichever columns there are."""
    if "soft_label" in table.column_names:
        return [list(map(float, row)) for row in table["soft_label"]]
    if f"{classes[0]}_weight" in table.column_names:
        return [[row[f"{name}_weight"] for name in classes] for row in table]
    vectors = []
    for row in table:
        vector = [0.0] * len(classes)
        for role in "ab":
            label = row[f"label_{role}"]
            if label not in (None, ""):
                at = label if isinstance(label, int) else classes.index(label)
                vector[at] += row[f"weight_{role}"]
        vectors.append(vector)
    return vectors


@pytest.mark.parametrize("manifest", FORMATS)
@pytest.mark.parametrize("form", ["pair", "json", "wide", "list"])
@pytest.mark.parametrize("to_splits", [False, True])
def test_datasets(
    data: dict[str, Any], tmp_path: Path, manifest: str, form: str, to_splits: bool
) -> None:
    datasets = pytest.importorskip("datasets")
    out = tmp_path / "out"
    if not to_splits:
        data = {"folder": data["folder"]}
    options: dict[str, Any] = {"manifest": manifest, "soft_label": form, "workers": 0, "out": out}
    augcli.augment(augmentation=augcli.MixUp(alpha=1), **data, **options)
    loaded = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    counts = COUNTS if to_splits else {"train": 18}
    assert {name: len(table) for name, table in loaded.items()} == counts
    for name, table in loaded.items():
        rows = augcli.read(out, split=name if to_splits else None)
        assert table["source_a"][:] == [row.source_a for row in rows.rows]
        assert table.features["copy"].dtype == "int64"
        assert table[0]["image"].size == (rows.rows[0].width, rows.rows[0].height)
        is_text = form == "json" or (form, manifest, to_splits) == ("list", "csv", False)
        is_lossy = (form, manifest, to_splits) == ("pair", "csv", False)  # "None" is missing there
        if not (is_text or is_lossy):
            found = targets(table, rows.classes)
            assert np.abs(np.array(found) - rows.targets).max() < 1e-6
        if form == "pair":
            assert table.features["label_a"].names == list(rows.classes)
