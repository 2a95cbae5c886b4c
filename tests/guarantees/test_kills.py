"""Runs that are killed at random instants lose nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.command import figures_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
KILLS = 30


@pytest.mark.parametrize("to", ["folder", "webdataset", "parquet", "npz"])
def test_nothing_is_lost_when_a_run_is_killed_again_and_again(tmp_path: Path, to: str) -> None:
    figures = figures_of("kills", tmp_path, KILLS, to)
    assert figures["kills"] == KILLS
    assert figures["complete"] >= 1
    assert figures["rows"] > 100
