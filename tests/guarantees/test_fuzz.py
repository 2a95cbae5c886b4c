"""Broken pictures end neither a run nor a worker, and nothing comes out of them unseen."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.command import PATIENCE, ROOT, environment
from tests.guarantees.fuzz import MAX_PIXELS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("count", "workers"), [(300, 0), (60, 1)], ids=["here", "in a worker"])
def test_each_is_decoded_as_pillow_decodes_it_or_refused(
    tmp_path: Path, count: int, workers: int
) -> None:
    # In a process of its own: a crash of a decoder is a failure here, and memory is measured.
    end = subprocess.run(
        [sys.executable, "-m", "tests.guarantees.fuzz", tmp_path, str(count), "3", str(workers)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=4 * PATIENCE,
        check=False,
    )
    assert end.returncode == 0, end.stderr[-3000:]
    figures = json.loads(end.stdout)
    assert figures["pictures"] == count == figures["made"] + figures["refused"]
    assert min(figures["made"], figures["refused"]) > count // 10
    # What the libraries themselves take, and some copies of a picture of MAX_PIXELS.
    assert figures["peak_mib"] < 250 + 20 * 3 * MAX_PIXELS / 2**20
