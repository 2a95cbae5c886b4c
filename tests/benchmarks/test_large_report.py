"""The benchmark of reports runs on a small folder and finds pictures in the page."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.command import PATIENCE, ROOT, environment


def test_it_measures_a_report() -> None:
    pytest.importorskip("jinja2")
    done = subprocess.run(
        [sys.executable, "benchmarks/large_report.py", "300"],
        cwd=ROOT,
        env=environment(),
        check=True,
        timeout=PATIENCE,
        capture_output=True,
    )
    found = json.loads(done.stdout)
    assert (found["rows"], found["pictures"]) == (300, 200)
    assert 0.1 < found["page_mb"] < 5
    assert found["seconds"] > 0
    assert found["peak_mb"] > 0
