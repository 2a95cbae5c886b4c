"""Any kind of INPUT: tasks read what another process listed."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.photos import picture, tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

KINDS = ("table", "tar", "tar.gz", "parquet", "npz")


@pytest.fixture(params=KINDS)
def given(request: pytest.FixtureRequest, cli: Cli, photos: Path, tmp_path: Path) -> Path:
    """INPUT of a kind."""
    kind, place = request.param, tmp_path / "given"
    if kind == "table":
        names = sorted(path.relative_to(tmp_path) for path in photos.glob("*/*"))
        table = tmp_path / "table.csv"
        lines = [f"{name.as_posix()},{name.parts[1]}" for name in names]
        table.write_text("\n".join(["file_name,label", *lines]), encoding="utf-8")
        return table
    if kind == "npz":
        place.mkdir()
        pictures = np.stack([picture(number, 16, 16) for number in range(9)])
        np.savez_compressed(place / "set.npz", x=pictures, y=np.arange(9) % 3)
        return place
    to = "parquet" if kind == "parquet" else "webdataset"
    assert cli("export", photos, "--to", to, "--out", tmp_path / "exported").code == 0
    place.mkdir()
    for path in sorted(
        (tmp_path / "exported").glob("*.tar" if to == "webdataset" else "*.parquet")
    ):
        data = path.read_bytes()
        name = f"{path.name}.gz" if kind == "tar.gz" else path.name
        (place / name).write_bytes(gzip.compress(data) if kind == "tar.gz" else data)
    return place


def test_tasks_give_the_bytes_of_one_run(cli: Cli, given: Path, tmp_path: Path) -> None:
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    command = ("cutmix", given, "--region", "box", "--copies", 2)
    end = cli(*command, "--out", alone)
    assert end.code == 0, end.err
    assert cli("prepare", *command, "--out", shared).code == 0
    for number in range(2):
        end = cli(*command, "--out", shared, "--shard", f"{number}/2")
        assert end.code == 0, end.err
        assert " failed" not in end.err
    assert cli("finish", shared).code == 0
    assert tree(shared) == tree(alone)
