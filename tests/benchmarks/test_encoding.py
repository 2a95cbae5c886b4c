"""The benchmark of the encoders runs on pictures of its own and writes its table."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.command import PATIENCE, ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path


def test_it_writes_its_table_into_a_page(tmp_path: Path) -> None:
    page = tmp_path / "images.md"
    begin, end = "<!-- encoding: begin -->\n", "<!-- encoding: end -->\n"
    page.write_text(f"before\n{begin}an old table\n{end}after\n", encoding="utf-8")
    command = ["benchmarks/encoding.py", "--images", "2", "--rounds", "1", "--page", str(page)]
    subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment(),
        check=True,
        timeout=PATIENCE,
        capture_output=True,
    )
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{begin}")
    assert text.endswith(f"{end}after\n")
    assert "an old table" not in text
    sizes = {level: int(kb) for level, kb in re.findall(r"png-level (\d)` \| ([\d,]+)", text)}
    assert list(sizes) == [str(level) for level in range(10)]
    assert sizes["9"] < sizes["0"]


def test_the_page_of_the_docs_has_a_place_for_it() -> None:
    text = (ROOT / "docs" / "images.md").read_text(encoding="utf-8")
    head, _, rest = text.partition("<!-- encoding: begin -->\n")
    assert head != text
    assert "| PNG, `--png-level 9` |" in rest.partition("<!-- encoding: end -->\n")[0]
