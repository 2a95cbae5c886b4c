"""Every single call to the system may fail: what is committed stays, and the run goes on later."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import augcli
from augcli.errors import Stopped
from tests.command import call
from tests.guarantees import faults
from tests.guarantees.state import assert_committed_rows_are_true, photos
from tests.photos import tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.mark.parametrize(
    ("fsync", "forever", "to"),
    [
        ("none", False, "folder"),
        ("shard", True, "folder"),
        ("none", False, "webdataset"),
        ("file", True, "webdataset"),
        ("shard", False, "parquet"),
    ],
    ids=["none-once", "shard-forever", "webdataset-once", "webdataset-forever", "parquet-once"],
)
def test_nothing_is_lost_when_the_nth_call_fails(
    tmp_path: Path, fsync: str, forever: bool, to: str
) -> None:
    errors = faults.LASTING if forever else faults.ERRORS
    figures = faults.loop(tmp_path, errors, fsync, forever=forever, sources=2, to=to)
    assert figures["faults"] >= figures["stopped"] > 50


def test_all_is_written_when_the_system_takes_a_byte_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = photos(tmp_path / "photos", count=4)
    faults.run(source, tmp_path / "clean", "none")
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:1]))
    faults.run(source, tmp_path / "out", "none")
    monkeypatch.undo()
    assert tree(tmp_path / "out") == tree(tmp_path / "clean")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 200 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform != "linux" or not shutil.which("mount"):
        pytest.skip("needs Linux to mount a small disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_stops_when_the_disk_is_full_and_goes_on_when_there_is_room(
    tmp_path: Path, small_disk: Path
) -> None:
    source = photos(tmp_path / "photos", count=60, side=40)
    command = ["cutout", source, "--copies", 2, "--fill", "black", "--workers", 1, "--out"]
    assert call(*command, tmp_path / "clean").code == 0
    clean = tree(tmp_path / "clean", hidden=False)
    out = small_disk / "out"
    end = call(*command, out)
    assert (end.code, end.out) == (3, "")
    assert "augcli: the disk of OUT is full and about " in end.err
    assert end.err.endswith(" are needed; make room, then run the same command again to continue\n")
    assert assert_committed_rows_are_true(out) > 0
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    assert call(*command, out).code == 0
    assert tree(out, hidden=False) == clean


def stopped(source: Path, method: augcli.Cutout, out: Path, nth: int) -> str:
    """Let the disk be full once; return what the run says of it, if it ends."""
    try:
        with faults.faults(faults.Plan(nth, errno.ENOSPC, forever=False)):
            augcli.augment(source, method, out=out, copies=2, workers=0)
    except Stopped as error:
        return str(error)
    return ""


def test_space_that_is_needed_is_about_what_the_rest_takes(
    tmp_path: Path,
) -> None:
    source = photos(tmp_path / "photos", count=60, side=40)
    method = augcli.Cutout(patch=5, fill="black")
    augcli.augment(source, method, out=tmp_path / "clean", copies=2, workers=0)
    size = sum(len(data) for data in tree(tmp_path / "clean").values())
    for nth in range(300, 320):
        # A call that only reads or tidies up may fail without harm.
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        said = stopped(source, method, tmp_path / "out", nth)
        if said:
            break
    there = sum(len(data) for data in tree(tmp_path / "out").values())
    number, unit = said.partition("about ")[2].split()[:2]
    needed = float(number) * {"kB": 1e3, "MB": 1e6}[unit]
    assert 0.5 < needed / (size - there) < 2
