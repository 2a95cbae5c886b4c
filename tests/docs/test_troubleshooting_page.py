"""docs/troubleshooting.md: its snippet converts photos that augcli skips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

from tests.docs.pages import ROOT, blocks
from tests.photos import picture, rows, save

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.conftest import Cli


def test_photos_of_other_formats_are_read_after_the_conversion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "images/cat/a.png", picture(1, 20, 30))
    Image.fromarray(picture(2, 20, 30)).save(tmp_path / "images/cat/a.TGA")
    (snippet,) = (
        one.text for one in blocks(ROOT / "docs" / "troubleshooting.md") if one.language == "python"
    )
    exec(snippet, {})
    assert cli("cutout", "images").code == 0
    sources = [row["source_a"] for row in rows(tmp_path / "images-cutout")]
    assert sorted(sources) == ["cat/a.TGA.jpg", "cat/a.png"]
