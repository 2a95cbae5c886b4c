"""The throughput benchmark runs on pictures of its own, keeps its results and writes its page."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.command import PATIENCE, ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path


def ran(script: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, f"benchmarks/{script}", *map(str, arguments)],
        cwd=ROOT,
        env=environment(),
        check=True,
        timeout=4 * PATIENCE,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_it_keeps_its_results_and_makes_its_page_of_them(tmp_path: Path) -> None:
    page, again = tmp_path / "performance.md", tmp_path / "again.md"
    chosen = ["--quick", "--share", 0.01, "--rounds", 1, "--scenarios", "small"]
    only = ["--only", "floor,augcli cutout,WebDataset", "--work", tmp_path / "work"]
    ran("throughput.py", *chosen, *only, "--results", tmp_path / "results", "--out", page)
    text = page.read_text(encoding="utf-8")
    for part in (
        *("| floor |", "| augcli cutout |", "## Targets", "| cutout, 32x32 |", "10,000"),
        *("| augcli cutout, WebDataset to WebDataset |", "## Workers", "## More and more outputs"),
    ):
        assert part in text
    (results,) = (tmp_path / "results").iterdir()
    assert f"benchmarks/results/{results.name}" in text
    ran("throughput.py", "--from", results, "--out", again)
    # Of rounded numbers: a last digit may differ.
    assert [line.split("|")[:3] for line in again.read_text(encoding="utf-8").splitlines()] == [
        line.split("|")[:3] for line in text.splitlines()
    ]
    assert "| 32x32 | augcli cutout |" in ran("compare.py", results, results)
