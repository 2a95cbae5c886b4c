"""Runs on tar shards: everything that holds for folders holds for them."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from augcli.data.output import FOLDED_PARTS
from tests.photos import rows, times, tree
from tests.shards import samples, shards, tar, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli


@pytest.fixture(autouse=True)
def spools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that spools are made in."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """INPUT: a plain shard, a compressed one and one of another split."""
    return shards(tmp_path / "in", "train-0.tar", "train-1.tar.gz", "val-0.tar")


@pytest.fixture(params=["drop", "mix"])
def method(request: pytest.FixtureRequest, scorer: Path) -> list[object]:
    if request.param == "drop":
        return ["cutout", "--patch", 8, "--fill", "black"]
    return ["cutmix", "--model", scorer, "--top-n", 9]


def test_any_number_of_workers_makes_the_same(
    cli: Cli, method: list[object], place: Path, tmp_path: Path, spools: Path
) -> None:
    command = [method[0], place, *method[1:]]
    outs = []
    for workers in (0, 1, 2):
        outs.append(tmp_path / f"out-{workers}")
        found = cli(*command, "--workers", workers, "--out", outs[-1])
        assert found.code == 0, found.err
        gc.collect()
        assert list(spools.glob("augcli-*")) == []
    assert tree(outs[0]) == tree(outs[1]) == tree(outs[2])
    made = rows(outs[0])
    assert {row["split"] for row in made} == {"train", "val"}
    assert sum(row["method"] == method[0] for row in made) == 12
    assert made[0]["file_name"].startswith("train/0/00000-")
    assert all(row["source_a"].count(".tar") == 1 for row in made)
    before = times(outs[0])
    assert "nothing to do" in cli(*command, "--out", outs[0]).err
    assert times(outs[0]) == before
    for words in ([], ["--against", place]):
        found = cli("verify", outs[0], *words)
        assert (found.code, found.err) == (0, "")


def test_a_run_that_lost_outputs_is_resumed(
    cli: Cli, method: list[object], place: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = [method[0], place, *method[1:], "--out", out]
    cli(*command)
    whole = tree(out)
    for row in rows(out)[::3]:
        (out / row["file_name"]).unlink()
    (out / FOLDED_PARTS).unlink()
    assert cli(*command).code == 0
    assert tree(out) == whole


def test_another_shard_only_adds(
    cli: Cli, method: list[object], place: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = [method[0], place, *method[1:], "--out", out]
    cli(*command)
    before = times(out)
    write(place / "train-2.tar", tar(samples(50, 3)))
    assert cli(*command).code == 0
    made = rows(out)
    assert len(made) == 21
    for row in made:
        names = row["source_a"], row["source_b"]
        if not any(name.startswith("train-2") for name in names):
            assert times(out)[row["file_name"]] == before[row["file_name"]]
    fresh = tmp_path / "fresh"
    cli(method[0], place, *method[1:], "--out", fresh)
    there, anew = tree(out), tree(fresh)
    del there[FOLDED_PARTS], anew[FOLDED_PARTS]
    assert there == anew


def test_a_pattern_is_extended_in_the_same_output(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards(tmp_path / "in", "x-0.tar", "x-1.tar")
    monkeypatch.chdir(tmp_path)
    assert cli("cutout", "in/x-{0..0}.tar", "--fill", "black").code == 0
    out = tmp_path / "in" / "x-cutout"
    before = times(out)
    assert cli("cutout", "in/x-{0..1}.tar", "--fill", "black").code == 0
    assert len(rows(out)) == 12
    assert all(
        times(out)[row["file_name"]] == before[row["file_name"]]
        for row in rows(out)
        if row["source_a"].startswith("x-0")
    )
    # Outputs beside the shards are no sources.
    assert cli("cutout", "in", "--out", tmp_path / "all").code == 0
    assert len(rows(tmp_path / "all")) == 12


def test_a_shard_that_is_gone_stops_the_run(cli: Cli, place: Path) -> None:
    assert cli("cutout", place).code == 0
    (place / "train-0.tar").unlink()
    found = cli("cutout", place)
    assert found.code == 3
    assert "train-0.tar held images in the run before, but now is missing" in found.err
    assert cli("cutout", place, "--accept-missing").code == 0


def test_a_damaged_shard_is_a_row(cli: Cli, place: Path) -> None:
    data = tar(samples(90, 6))
    write(place / "train-9.tar", data[:4000])
    assert cli("cutout", place).code == 1
    (row,) = rows(place.with_name("in-cutout"), "errors.csv")
    assert (row["source"], row["stage"]) == ("train-9.tar", "list")
    assert row["reason"].startswith("it is cut off at byte 4,000; ")


@pytest.mark.skipif(sys.platform == "win32", reason="a process can't be killed like this")
def test_the_spool_of_a_killed_run_is_removed_by_the_next(place: Path, spools: Path) -> None:
    command = [sys.executable, "-P", "-m", "augcli", "cutout", str(place), "--copies", "500"]
    killed = subprocess.Popen(
        [*command, "--workers", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 60
        while not list(spools.glob("augcli-spool-*/*.tar")) and time.monotonic() < until:
            time.sleep(0.01)
    finally:
        killed.kill()
        killed.wait()
    (left,) = spools.glob("augcli-spool-*")
    assert subprocess.run([*command, "--dry-run"], capture_output=True, check=False).returncode == 0
    assert not left.exists()
    assert list(spools.glob("augcli-spool-*")) == []


def test_classes_that_are_no_folder_names(cli: Cli, tmp_path: Path) -> None:
    names = ["..", ".git", "a/b", "con", "/", "a\\b", "x" * 300]
    entries = []
    for number, name in enumerate(names):
        entries += [samples(number, 1)[0], (f"{number:05d}.cls", name.encode())]
    place = write(tmp_path / "in" / "a.tar", tar(entries))
    out = tmp_path / "deep" / "out"
    out.parent.mkdir()
    assert cli("cutout", place, "--out", out).code == 0
    assert {row["label_a"] for row in rows(out)} == set(names)
    assert sorted(os.listdir(out.parent)) == ["out"]
    assert all((out / row["file_name"]).is_file() for row in rows(out))
    assert not [name for name in os.listdir(out) if name.startswith(".")]
    assert cli("verify", out, "--against", place).code == 0


def test_heat_maps_of_shards(cli: Cli, place: Path, tmp_path: Path, scorer: Path) -> None:
    maps = tmp_path / "maps.npz"
    assert cli("heatmaps", place, "--model", scorer, "--out", maps).code == 0
    options = ["--model", scorer, "--top-n", 9]
    with_maps, without = tmp_path / "with", tmp_path / "without"
    cli("cutmix", place, *options, "--heatmaps", maps, "--out", with_maps)
    cli("cutmix", place, *options, "--out", without)
    assert tree(with_maps, hidden=False) == tree(without, hidden=False)
