"""Trying a folder as a run would use it, without leaving anything in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from augcli.doctor.folder_trial import FolderTrial, try_folder
from augcli.files import Folder

if TYPE_CHECKING:
    from pathlib import Path


def test_a_good_folder_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("unchanged")
    trial = try_folder(str(tmp_path))
    assert (trial.failure, trial.locks) == ("", True)
    assert trial.free > 0
    assert [one.name for one in tmp_path.iterdir()] == ["mine.txt"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert try_folder(str(tmp_path / "no")) == FolderTrial("No such file or directory", 0, False)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root can write")
def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    trial = try_folder(str(tmp_path))
    tmp_path.chmod(0o700)
    assert trial.failure == "Permission denied"


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Folder, "publish", full)
    assert try_folder(str(tmp_path)).failure == "No space left on device"
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_whose_locks_have_no_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("augcli.files.folder.try_lock", lambda _: True)
    assert not try_folder(str(tmp_path)).locks


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("augcli.files.folder.try_lock", lambda _: False)
    trial = try_folder(str(tmp_path))
    assert "in use by another run" in trial.failure
    assert list(tmp_path.iterdir()) == []
