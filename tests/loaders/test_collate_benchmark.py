"""The benchmark of collating runs and writes its tables into the page."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.command import PATIENCE, ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.loaders

TABLES = re.compile(r"<!-- collate: begin -->\n(.*)<!-- collate: end -->\n", re.DOTALL)


def rows(text: str) -> list[str]:
    """The first cells of the tables."""
    lines = TABLES.findall(text)[0].splitlines()
    return [line.split(" | ")[0] for line in lines if line.startswith("| ")]


def test_it_writes_its_tables_into_the_page(torch: Any, tmp_path: Path) -> None:
    pytest.importorskip("timm")
    pytest.importorskip("torchvision")
    text = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    page = tmp_path / "training.md"
    page.write_text(text, encoding="utf-8")
    command = ["benchmarks/collate.py", "--rounds", "3", "--batch", "8", "--page", str(page)]
    subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment(),
        check=True,
        timeout=2 * PATIENCE,
        capture_output=True,
    )
    written = page.read_text(encoding="utf-8")
    assert len(rows(written)) == 14
    assert rows(written) == rows(text)
    assert TABLES.sub("", written) == TABLES.sub("", text)
