"""Containers that are cut off or changed end in a sentence or in rows, never in a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guarantees.containers import judge as judged
from tests.guarantees.containers import loop, seeds

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_sound_containers_give_all_their_images(tmp_path: Path) -> None:
    for name, data in seeds():
        assert judged(tmp_path, name, data)["read"] == 3


def test_cut_and_changed_containers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    loop(tmp_path / "in" / "containers", 2000, each=31)
    assert list((tmp_path / "temporary").iterdir()) == []
