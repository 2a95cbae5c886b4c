"""Sorted rows: the same order whether they fit into memory or not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.data.labels import Label
from augcli.data.manifest import Row
from augcli.data.sorted_rows import SortedRows
from augcli.files import Folder
from tests import strategies  # noqa: F401 - the profile

names = st.lists(st.text(max_size=4), unique=True, max_size=40)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A folder for temporary files."""
    path = tmp_path_factory.mktemp("sorted")
    (path / "tmp").mkdir()
    return Folder(str(path), "tmp")


@given(names=names, most=st.integers(1, 50))
def test_rows_come_by_code_point_however_few_fit_into_memory(
    files: Folder, names: list[str], most: int
) -> None:
    rows = [
        Row(name, Label((("cat", 0.1 * number),)), "a", "", "cutout", "{}", 8, 8, number, "00")
        for number, name in enumerate(names)
    ]
    with SortedRows(files, most) as sorted_rows:
        for start in range(0, len(rows), 3):
            sorted_rows.add(rows[start : start + 3])
        assert list(sorted_rows) == sorted(rows, key=lambda row: row.file_name)
    assert list(Path(files.path, "tmp").iterdir()) == []
