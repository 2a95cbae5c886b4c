"""Syncing to the disk: what a part records is there before the part is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.guarantees.state import assert_committed_rows_are_true, photos
from tests.guarantees.test_promises import COMMAND

if TYPE_CHECKING:
    from tests.conftest import Cli


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return photos(tmp_path / "photos", count=6)


@pytest.mark.parametrize(("fsync", "files"), [("none", 0), ("shard", 1), ("file", 1)])
def test_every_name_is_synced_after_what_it_names(
    cli: Cli,
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fsync: str,
    files: int,
) -> None:
    """With shard and file, what a part records is on the disk before the part is."""
    out = tmp_path / "out"
    synced: set[str] = set()
    early: list[str] = []
    fsync_, replace = os.fsync, os.replace

    def note(descriptor: int) -> None:
        synced.add(os.readlink(f"/proc/self/fd/{descriptor}") if files else "")
        fsync_(descriptor)

    def watch(unfinished: str, name: str, **places: Any) -> None:
        if name.startswith("0-") and name.endswith(".json") and files:
            pictures = {str(path) for path in out.glob("*/*.png")}
            # The first part of a shard only says what will be made: it needs nothing.
            folders = {str(out / "cat"), str(out / "dog"), str(out)} if pictures else set()
            early.extend(sorted(folders - synced))
            # With file, each was synced under the name that it had until it was whole.
            early.extend(sorted(pictures - synced) if fsync == "shard" else [])
        replace(unfinished, name, **places)

    if files and not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")
    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(os, "replace", watch)
    assert cli("cutout", source, "--out", out, *COMMAND, "--fsync", fsync).code == 0
    assert early == []
    assert bool(synced) == bool(files)
    if files:
        tables = {str(out / name) for name in ("metadata.csv", "run.json", "classes.txt")}
        folders = {str(out), str(out / "cat"), str(out / ".augcli/parts")}
        assert folders <= synced
        if fsync == "shard":
            assert tables <= synced


def test_file_that_can_not_be_synced_stops_the_run(
    cli: Cli, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    end = cli("cutout", source, "--out", tmp_path / "out", *COMMAND, "--fsync", "shard")
    assert (end.code, "(Input/output error)" in end.err) == (3, True)
    assert assert_committed_rows_are_true(tmp_path / "out") == 0
