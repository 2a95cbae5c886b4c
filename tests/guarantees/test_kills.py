"""Runs that are killed at random instants lose nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.command import PATIENCE, ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
KILLS = 30


@pytest.mark.parametrize("to", ["folder", "webdataset", "parquet"])
def test_nothing_is_lost_when_a_run_is_killed_again_and_again(tmp_path: Path, to: str) -> None:
    end = subprocess.run(
        [sys.executable, "-m", "tests.guarantees.kills", str(tmp_path), str(KILLS), to],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
        check=False,
    )
    assert end.returncode == 0, end.stderr
    figures = json.loads(end.stdout)
    assert figures["kills"] == KILLS
    assert figures["complete"] >= 1
    assert figures["rows"] > 100
