"""The tasks of an array job: any number of them, on a folder that they share, the same bytes."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import augcli
from augcli.data.output import LISTS, PLAN, STATE, TASKS
from augcli.errors import Stopped
from augcli.files import GONE_AFTER
from tests.command import start, wait_for
from tests.photos import class_folders, picture, save, tree

if TYPE_CHECKING:
    import subprocess

    from tests.conftest import Cli

METHOD = ("--patch", 9, "--copies", 2)
KINDS: dict[str, tuple[object, ...]] = {
    "folder": ("--originals", "copy"),
    "webdataset": ("--to", "webdataset", "--shard-size", "9KB"),
    "parquet": ("--to", "parquet", "--shard-size", "9KB"),
}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """INPUT: 150 pictures, which make several shards, and one that can't be read."""
    counts = {"cat": 60, "dog": 60, "emu": 30}
    folder = class_folders(tmp_path_factory.mktemp("many") / "photos", counts, side=12)
    (folder / "cat/broken.png").write_bytes(b"\x89PNG")
    return folder


def command(photos: Path, out: Path, *options: object) -> tuple[object, ...]:
    return ("cutout", photos, *METHOD, "--out", out, *options)


def started(photos: Path, out: Path, *options: object) -> subprocess.Popen[str]:
    return start(*command(photos, out, "--workers", 0, *options))


def all_done(processes: list[subprocess.Popen[str]]) -> list[str]:
    """Wait for processes that are to end well; return what they wrote for people."""
    texts = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), texts
    return texts


def test_the_plan_is_a_share_for_each_task_and_all_shards_together(
    cli: Cli, many: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert cli("prepare", *command(many, out)).code == 0
    shares = [
        json.loads(cli(*command(many, out, "--shard", f"{n}/3", "--json")).out.splitlines()[-1])
        for n in range(3)
    ]
    assert {share["message_type"] for share in shares} == {"task"}
    assert sum(share["images"] for share in shares) == 302
    counts = [share["shards"] for share in shares]
    assert max(counts) - min(counts) <= 1
    assert min(counts) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_processes_that_start_at_once_give_the_bytes_of_one_run(
    cli: Cli, many: Path, tmp_path: Path, kind: str
) -> None:
    options = KINDS[kind]
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    assert cli(*command(many, alone, *options)).code == 1
    all_done([started(many, shared, *options, "--shard", f"{n}/4") for n in range(4)])
    end = cli("finish", shared)
    assert (end.code, end.out) == (1, f"{shared}/metadata.csv\n")
    assert tree(shared) == tree(alone)
    assert not (shared / STATE).exists()
    again = cli(*command(many, shared, *options))
    assert "nothing to do: everything is there already" in again.err


@pytest.mark.parametrize("count", [1, 7, 500])
def test_bytes_never_depend_on_the_number_of_tasks(
    cli: Cli, photos: Path, tmp_path: Path, count: int
) -> None:
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    cli(*command(photos, alone))
    wanted = range(count) if count < 10 else (0, 124, 249, 250, 374, 499)
    cli("prepare", *command(photos, shared))
    for number in wanted:
        assert cli(*command(photos, shared, "--shard", f"{number}/{count}")).code == 0
    assert cli("finish", shared).code == 0
    assert tree(shared) == tree(alone)


def test_two_attempts_with_other_numbers_of_tasks_work_at_the_same_time(
    cli: Cli, many: Path, tmp_path: Path
) -> None:
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    cli(*command(many, alone))
    cli("prepare", *command(many, shared))
    indices = [f"{n}/3" for n in range(3)] + [f"{n}/2" for n in range(2)]
    all_done([started(many, shared, "--shard", index) for index in indices])
    assert cli("finish", shared).code == 1
    assert tree(shared) == tree(alone)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_task_that_was_killed_is_named_and_made_up_for(
    cli: Cli, many: Path, tmp_path: Path
) -> None:
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    cli(*command(many, alone))
    cli("prepare", *command(many, shared))
    assert cli(*command(many, shared, "--shard", "0/3")).code == 0
    killed = started(many, shared, "--shard", "1/3")
    wait_for(lambda: any("~1-of-3" in path.name for path in (shared / TASKS).iterdir()))
    killed.kill()
    killed.communicate()
    end = cli("finish", shared)
    assert end.code == 3
    assert "task 1/3 (gone on " in end.err
    assert ", 2/3 (has not begun)" in end.err
    told = cli("status", shared).out
    assert "0 tasks at work" in told
    assert "shards are missing of task 1/3 (gone on " in told
    assert cli("status", shared, "--resubmit").out == "1-2\n"
    for number in (1, 2):
        assert cli(*command(many, shared, "--shard", f"{number}/3")).code == 0
    assert cli("status", shared, "--resubmit").out == "\n"
    assert f"nothing is missing: augcli finish {shared}\n" in cli("status", shared).out
    assert cli("finish", shared).code == 1
    assert tree(shared) == tree(alone)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (("--patch", 8), "the options of the method are others"),
        (("--seed", 1), "seed was 0 and is 1"),
        (("--copies", 3), "copies was 2 and is 3"),
        (("--total", 9), "total was None and is 9"),
    ],
)
def test_a_task_with_other_options_is_refused(
    cli: Cli, photos: Path, tmp_path: Path, changed: tuple[object, ...], words: str
) -> None:
    out = tmp_path / "out"
    cli("prepare", *command(photos, out))
    before = tree(out)
    end = cli(*command(photos, out, *changed, "--shard", "0/2"))
    assert end.code == 2
    assert f"OUT {out} is prepared for another command: {words}; give the same options" in end.err
    assert tree(out) == before


def test_a_task_of_another_input_is_refused(cli: Cli, photos: Path, tmp_path: Path) -> None:
    cli("prepare", *command(photos, tmp_path / "out"))
    other = shutil.copytree(photos, tmp_path / "other")
    end = cli(*command(other, tmp_path / "out", "--shard", "0/2"))
    assert end.code == 2
    assert f"INPUT was {photos} and is {other}" in end.err


def test_a_task_lists_nothing(cli: Cli, photos: Path, tmp_path: Path) -> None:
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    cli(*command(photos, alone))
    cli("prepare", *command(photos, shared))
    save(photos / "cat/new.png", picture(99, 24, 24))
    for number in range(2):
        assert cli(*command(photos, shared, "--shard", f"{number}/2")).code == 0
    assert cli("finish", shared).code == 0
    assert tree(shared) == tree(alone)


def test_a_set_that_grew_is_prepared_again_and_extended(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    # The mean colour would be that of the first run.
    black = ("--fill", "black")
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    for out in (shared, alone):
        cli(*command(photos, out, *black))
    save(photos / "cat/new.png", picture(99, 24, 24))
    shutil.rmtree(photos / "emu")
    options = (*black, "--accept-missing")
    cli(*command(photos, alone, *options))
    for number in range(2):
        assert cli(*command(photos, shared, *options, "--shard", f"{number}/2")).code == 0
    assert cli("finish", shared).code == 0
    assert tree(shared) == tree(alone)
    assert not (shared / "emu").exists()


def test_what_is_complete_needs_no_plan(cli: Cli, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    cli(*command(photos, out))
    before = tree(out)
    for words in (("prepare", *command(photos, out)), command(photos, out, "--shard", "0/2")):
        end = cli(*words)
        assert end.code == 0
        assert "nothing to do: everything is there already" in end.err
        assert tree(out) == before
    end = cli("finish", out)
    assert (end.code, end.out) == (0, f"{out}/metadata.csv\n")
    assert "nothing to do: everything is there already" in end.err
    assert tree(out) == before


def test_a_plan_is_made_once(cli: Cli, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    cli("prepare", *command(photos, out))
    before = (out / PLAN).stat()
    end = cli("prepare", *command(photos, out))
    assert "prepared already: the sources and the options are the same" in end.err
    assert (out / PLAN).stat().st_mtime_ns == before.st_mtime_ns
    save(photos / "cat/new.png", picture(99, 24, 24))
    assert cli("prepare", *command(photos, out)).code == 0
    assert "20 outputs" in cli("prepare", *command(photos, out)).err


def pretend(out: Path, age: float = 0, host: str = "elsewhere") -> Path:
    """Let a task of another computer have shown its presence some seconds ago."""
    path = out / TASKS / f"{host}~1~00000000~7-of-9.json"
    path.parent.mkdir(exist_ok=True)
    task = {"number": 7, "count": 9, "plan": "", "host": host, "state": "at work"}
    path.write_text(json.dumps(task), encoding="utf-8")
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_what_tasks_rely_on_is_not_changed_while_they_are_at_work(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    cli("prepare", *command(photos, out))
    cli(*command(photos, out, "--shard", "0/1"))
    pretend(out)
    save(photos / "cat/new.png", picture(99, 24, 24))
    for words in (("finish", out), command(photos, out), ("prepare", *command(photos, out))):
        end = cli(*words)
        assert end.code == 2, words
        assert f"OUT {out} is in use by task 7/9 on elsewhere, last seen " in end.err
        assert "or give --force if it is gone" in end.err
    assert "at work: 7/9 on elsewhere, seen " in cli("status", out).out
    assert cli("finish", out, "--force").code == 0


def test_a_task_that_was_silent_for_five_minutes_is_gone(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    cli("prepare", *command(photos, out))
    cli(*command(photos, out, "--shard", "0/1"))
    pretend(out, GONE_AFTER + 1)
    assert "0 tasks at work" in cli("status", out).out
    assert cli("finish", out).code == 0


def test_a_local_run_takes_over_what_tasks_left(cli: Cli, many: Path, tmp_path: Path) -> None:
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    cli(*command(many, alone))
    cli("prepare", *command(many, shared))
    cli(*command(many, shared, "--shard", "1/4"))
    assert cli(*command(many, shared)).code == 1
    assert tree(shared) == tree(alone)
    assert not (shared / STATE).exists()


def test_a_task_ends_where_the_plan_was_changed_meanwhile(many: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    augcli.prepare(many, augcli.Cutout(patch=9), out=out, workers=0)

    def forget(message: object) -> None:
        if type(message).__name__ == "Progress":
            (out / PLAN).unlink(missing_ok=True)

    with pytest.raises(Stopped, match="was changed or finished while this task"):
        augcli.augment(
            many, augcli.Cutout(patch=9), out=out, workers=0, shard="0/1", listener=forget
        )


@pytest.mark.parametrize("index", ["3", "3/3", "-1/3", "1/0", "a/b", "", "1/2/3"])
def test_a_share_that_there_is_not_is_refused(
    cli: Cli, photos: Path, tmp_path: Path, index: str
) -> None:
    end = cli(*command(photos, tmp_path / "out", f"--shard={index}"))
    assert end.code == 2
    assert "--shard is" in end.err
    assert not (tmp_path / "out").exists()


def test_wrong_input_leaves_nothing_behind(cli: Cli, tmp_path: Path) -> None:
    for words in (("--shard", "0/2"), ()):
        before = () if words else ("prepare",)
        end = cli(*before, *command(tmp_path / "nowhere", tmp_path / "out", *words))
        assert end.code == 2
        assert "nowhere does not exist" in end.err
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("damage", ["plan", "list", "index", "cut list", "cut index"])
def test_a_damaged_plan_is_one_sentence(
    cli: Cli, photos: Path, tmp_path: Path, damage: str
) -> None:
    out = tmp_path / "out"
    cli("prepare", *command(photos, out))
    (index,) = (out / LISTS).glob("*.json.gz")
    file = {"list": index.with_name(index.name.partition(".")[0]), "index": index}.get(
        damage.removeprefix("cut "), out / PLAN
    )
    if damage == "plan":
        file.write_bytes(b"{}")
    elif damage.startswith("cut"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    else:
        file.unlink()
    for words in (command(photos, out, "--shard", "0/2"), ("finish", out)):
        end = cli(*words)
        assert end.code == 2
        assert len(end.err.splitlines()) <= 2
        assert f"the plan in OUT {out} can't be used" in end.err


def test_finish_needs_no_input(cli: Cli, photos: Path, tmp_path: Path) -> None:
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    cli(*command(photos, alone))
    cli("prepare", *command(photos, shared))
    cli(*command(photos, shared, "--shard", "0/1"))
    photos.rename(tmp_path / "elsewhere")
    assert cli("finish", shared).code == 0
    assert tree(shared) == tree(alone)
