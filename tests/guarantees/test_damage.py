"""Damaged parts are found, said and made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from augcli.data.output import PARTS
from tests.guarantees import damage
from tests.guarantees.state import photos
from tests.photos import tree

if TYPE_CHECKING:
    from pathlib import Path


def test_no_damaged_part_is_read(tmp_path: Path) -> None:
    assert damage.read_all(tmp_path) > 2_000


def test_its_shard_is_made_again_when_a_part_is_damaged(tmp_path: Path) -> None:
    assert damage.resume_all(tmp_path, most=25) >= 25


def test_outputs_are_made_again_when_the_folded_parts_are_damaged(tmp_path: Path) -> None:
    assert damage.fold_all(tmp_path, most=25) >= 25


def test_its_shard_is_made_again_when_a_part_is_a_copy_of_another(tmp_path: Path) -> None:
    source = photos(tmp_path / "photos", count=32)
    damage.run(source, tmp_path / "clean")
    clean = tree(tmp_path / "clean")
    first = damage.interrupted(source, tmp_path / "out")
    (second,) = set((tmp_path / "out" / PARTS).iterdir()) - {first}
    second.write_bytes(first.read_bytes())
    assert damage.SAID in damage.run(source, tmp_path / "out")
    assert tree(tmp_path / "out") == clean


def test_nothing_is_said_when_nothing_is_damaged(tmp_path: Path) -> None:
    source = photos(tmp_path / "photos", count=32)
    assert damage.run(source, tmp_path / "out") == []
    assert damage.run(source, tmp_path / "out") == ["nothing to do: everything is there already"]
