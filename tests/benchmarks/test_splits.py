"""The benchmarks of leaked sources and of pairs run on small sets and write their tables."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.command import PATIENCE, ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [("leaks", "splits", "60"), ("pairs", "amounts", "20")]


@pytest.mark.parametrize(("script", "docs", "images"), PAGES)
def test_a_table_is_written_into_its_page(
    tmp_path: Path, script: str, docs: str, images: str
) -> None:
    text = (ROOT / "docs" / f"{docs}.md").read_text(encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    command = [f"benchmarks/{script}.py", "--images", images, "--page", str(page)]
    subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment(),
        check=True,
        timeout=PATIENCE,
        capture_output=True,
    )
    table = re.compile(rf"<!-- {script}: begin -->\n(.*)<!-- {script}: end -->\n", re.DOTALL)
    written = page.read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in table.findall(written)[0].splitlines()[2:]]
    there = [line.split(" | ") for line in table.findall(text)[0].splitlines()[2:]]
    assert [row[0] for row in rows] == [row[0] for row in there]
    assert table.sub("", written) == table.sub("", text)
    if script == "leaks":
        assert all(row[3].startswith("0.0 %") for row in rows)
        assert all(float(row[2].removesuffix(" %")) > 50 for row in rows)
