"""The throughput benchmark runs on pictures of its own and writes its page."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.command import PATIENCE, ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path


def test_it_writes_its_page(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    command = ["benchmarks/throughput.py", "--quick", "--share", "0.05", "--scenarios", "small"]
    chosen = ["--only", "floor,augcli cutout", "--work", str(tmp_path / "work")]
    chosen += ["--out", str(page)]
    subprocess.run(
        [sys.executable, *command, *chosen],
        cwd=ROOT,
        env=environment(),
        check=True,
        timeout=PATIENCE,
        capture_output=True,
    )
    text = page.read_text(encoding="utf-8")
    for part in ("| floor |", "| augcli cutout |", "## Targets", "| cutout, 32x32 |", "10,000"):
        assert part in text
