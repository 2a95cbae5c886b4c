"""Status: what is done, failed and left, and whether a run is alive."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from augcli.data.output import PARTS, OutputFolder, output_files
from augcli.errors import OutputError
from augcli.plan.parts import Parts
from augcli.run.status import Status, status
from augcli.run.verifying.verify import verify
from tests.photos import class_folders

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Cli


@pytest.fixture
def out(cli: Cli, tmp_path: Path) -> Path:
    """OUT of 33 images in two shards, one of which can't be read; with originals."""
    source = class_folders(tmp_path / "photos", {"cat": 32})
    (source / "cat/bad.png").write_bytes(b"")
    assert cli("cutout", source, "--out", tmp_path / "out", "--originals", "copy").code == 1
    return tmp_path / "out"


def test_complete_run_has_nothing_left(out: Path) -> None:
    assert status(out) == Status("cutout", "complete", False, 33, 32, 1, 0)
    assert status(out).left == 0


@pytest.fixture
def interrupted(out: Path) -> Path:
    """The same, whose parts are not folded yet, as when it was killed."""
    (out / PARTS).mkdir(parents=True)
    for stored in Parts(output_files(str(out))).read():
        (out / PARTS / f"{stored.shard}.json").write_bytes(stored.content)
    (out / "parts.jsonl.gz").unlink()
    return out


def test_what_a_lost_part_held_is_left(interrupted: Path) -> None:
    out = interrupted
    paths = sorted((out / PARTS).iterdir())
    part = json.loads(paths[0].read_bytes().splitlines()[0])
    held = len(part["made"]) + len(part["failed"])
    paths[0].unlink()
    found = status(out)
    # Each job that was made has two entries: the output and the original.
    assert 0 < found.left < 33
    assert found.left in (held // 2, held // 2 + 1)


def test_damaged_part_is_counted(interrupted: Path) -> None:
    out = interrupted
    path = sorted((out / PARTS).iterdir())[0]
    path.write_bytes(path.read_bytes()[:-5])
    found = status(out)
    assert found.damaged == 1
    assert found.left > 0


def test_run_is_alive_while_it_holds_the_lock(out: Path) -> None:
    output = OutputFolder(out)
    assert not status(out).alive
    output.open()
    assert status(out).alive
    output.close()
    assert not status(out).alive


@pytest.mark.parametrize("look", [status, verify], ids=["status", "verify"])
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "does not exist; give a folder that a run of augcli has made"),
        ("file", "is not a folder; give a folder that a run of augcli has made"),
        ("empty", "it holds no run.json, which every run writes; give"),
        ("foreign", "it holds no run.json, which every run writes; give"),
        ("other record", "its run.json can't be read (it is not what augcli wrote)"),
    ],
)
def test_folder_that_is_not_ours_is_refused(
    tmp_path: Path, look: Callable[[Path], object], kind: str, words: str
) -> None:
    out = tmp_path / "out"
    if kind == "file":
        out.write_text("mine")
    elif kind != "missing":
        out.mkdir()
    if kind == "foreign":
        (out / "photo.jpg").write_text("mine")
    if kind == "other record":
        (out / "run.json").write_text("{}")
    with pytest.raises(OutputError) as refused:
        look(out)
    assert str(refused.value).startswith(f"OUT {out} ")
    assert words in str(refused.value)
    # The folder was given to be read: another one for results is no fix.
    assert "`out`" not in str(refused.value)


def test_command_tells_it_in_words_and_in_json(cli: Cli, out: Path) -> None:
    end = cli("status", out)
    assert (end.code, end.out) == (
        0,
        "cutout: complete, no run is at work\n32 of 33 made, 1 failed, 0 left\n",
    )
    told = json.loads(cli("status", out, "--json").out)
    assert told == {
        "message_type": "status",
        "command": "cutout",
        "state": "complete",
        "alive": False,
        "jobs": 33,
        "made": 32,
        "failed": 1,
        "damaged": 0,
        "left": 0,
        "array": None,
    }


def test_command_says_what_a_damaged_part_means(cli: Cli, interrupted: Path) -> None:
    out = interrupted
    path = sorted((out / PARTS).iterdir())[0]
    path.write_bytes(b"")
    assert "1 damaged part; run the same command again to repair\n" in cli("status", out).out
