"""The tasks of an array job: any number of them, on a folder that they share, the same bytes."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import augcli
from augcli.data.output import LISTS, PARTS, PLAN, STATE, TASKS, OutputFolder
from augcli.errors import Stopped
from augcli.files import GONE_AFTER
from augcli.run.cluster.shared_plan import read_plan
from tests.command import start, wait_for
from tests.photos import class_folders, picture, save, tree

if TYPE_CHECKING:
    import subprocess

    from tests.command import Outcome
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


@dataclass(frozen=True)
class ArrayJob:
    """One command as prepare, tasks and finish.

    Attributes:
        cli: Runs commands.
        photos: INPUT.
        out: OUT, which the tasks share.
    """

    cli: Cli
    photos: Path
    out: Path

    def prepare(self) -> Outcome:
        return self.cli("prepare", *command(self.photos, self.out))

    def task(self, index: str, *options: object) -> Outcome:
        return self.cli(*command(self.photos, self.out, *options, "--shard", index))

    def started(self, index: str, *options: object) -> subprocess.Popen[str]:
        """Start a task as a process of its own."""
        line = command(self.photos, self.out, *options, "--workers", 0, "--shard", index)
        return start(*line)

    def tasks(self, count: int, *options: object) -> None:
        """Do all tasks, one after the other."""
        for number in range(count):
            assert self.task(f"{number}/{count}", *options).code == 0

    def finish(self, *options: object) -> Outcome:
        return self.cli("finish", self.out, *options)

    def alone(self, *options: object) -> dict[str, bytes]:
        """Return what one run on one machine leaves."""
        out = self.out.with_name("alone")
        self.cli(*command(self.photos, out, *options))
        return tree(out)


@pytest.fixture
def job(cli: Cli, photos: Path, tmp_path: Path) -> ArrayJob:
    """Over few pictures."""
    return ArrayJob(cli, photos, tmp_path / "out")


@pytest.fixture
def large_job(cli: Cli, many: Path, tmp_path: Path) -> ArrayJob:
    """Over many pictures, one of which can't be read."""
    return ArrayJob(cli, many, tmp_path / "out")


def all_done(processes: list[subprocess.Popen[str]]) -> list[str]:
    """Wait for processes that are to end well; return what they wrote for people."""
    texts = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), texts
    return texts


def test_the_plan_is_a_share_for_each_task_and_all_shards_together(large_job: ArrayJob) -> None:
    assert large_job.prepare().code == 0
    ends = [large_job.task(f"{number}/3", "--json") for number in range(3)]
    shares = [json.loads(end.out.splitlines()[-1]) for end in ends]
    assert {share["message_type"] for share in shares} == {"task"}
    assert sum(share["images"] for share in shares) == 302
    counts = [share["shards"] for share in shares]
    assert max(counts) - min(counts) <= 1
    assert min(counts) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_processes_that_start_at_once_give_the_bytes_of_one_run(
    large_job: ArrayJob, kind: str
) -> None:
    options, out = KINDS[kind], large_job.out
    all_done([large_job.started(f"{number}/4", *options) for number in range(4)])
    end = large_job.finish()
    assert (end.code, end.out) == (1, f"{out}/metadata.csv\n")
    assert tree(out) == large_job.alone(*options)
    assert not (out / STATE).exists()
    again = large_job.cli(*command(large_job.photos, out, *options))
    assert "nothing to do: everything is there already" in again.err


@pytest.mark.parametrize("count", [1, 7, 500])
def test_bytes_never_depend_on_the_number_of_tasks(job: ArrayJob, count: int) -> None:
    job.prepare()
    for number in range(count) if count < 10 else (0, 124, 249, 250, 374, 499):
        assert job.task(f"{number}/{count}").code == 0
    assert job.finish().code == 0
    assert tree(job.out) == job.alone()


def test_two_attempts_with_other_numbers_of_tasks_work_at_the_same_time(
    large_job: ArrayJob,
) -> None:
    large_job.prepare()
    indices = [f"{number}/3" for number in range(3)] + [f"{number}/2" for number in range(2)]
    all_done([large_job.started(index) for index in indices])
    assert large_job.finish().code == 1
    assert tree(large_job.out) == large_job.alone()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_task_that_was_killed_is_named_and_made_up_for(large_job: ArrayJob) -> None:
    cli, out = large_job.cli, large_job.out
    large_job.prepare()
    assert large_job.task("0/3").code == 0
    killed = large_job.started("1/3")
    wait_for(lambda: any("~1-of-3" in path.name for path in (out / TASKS).iterdir()))
    killed.kill()
    killed.communicate()
    end = large_job.finish()
    assert end.code == 3
    assert not (out / "metadata.csv").exists()
    assert ", of task 1/3 (gone on " in end.err
    assert ", 2/3 (has not begun)" in end.err
    told = cli("status", out).out
    assert "0 tasks at work" in told
    assert "shards are missing of task 1/3 (gone on " in told
    assert cli("status", out, "--resubmit").out == "1-2\n"
    for number in (1, 2):
        assert large_job.task(f"{number}/3").code == 0
    assert cli("status", out, "--resubmit").out == "\n"
    assert f"nothing is missing: augcli finish {out}\n" in cli("status", out).out
    assert large_job.finish().code == 1
    assert tree(out) == large_job.alone()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (("--patch", 8), "patch was 9 and is 8"),
        (("--fill", "black", "--seed", 1), "fill was mean and is black, seed was 0 and is 1"),
        (("--seed", 1), "seed was 0 and is 1"),
        (("--copies", 3), "copies was 2 and is 3"),
        (("--total", 9), "total was None and is 9"),
    ],
)
def test_a_task_with_other_options_is_refused(
    job: ArrayJob, changed: tuple[object, ...], words: str
) -> None:
    job.prepare()
    before = tree(job.out)
    end = job.task("0/2", *changed)
    assert end.code == 2
    assert f"OUT {job.out} is prepared for another command: {words}; give the same" in end.err
    assert tree(job.out) == before


def test_a_task_of_another_input_is_refused(job: ArrayJob, tmp_path: Path) -> None:
    job.prepare()
    other = shutil.copytree(job.photos, tmp_path / "other")
    end = replace(job, photos=other).task("0/2")
    assert end.code == 2
    assert f"INPUT was {job.photos} and is {other}" in end.err


def test_a_task_of_another_version_is_refused(
    job: ArrayJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.prepare()
    monkeypatch.setattr("augcli.run.cluster.shared_plan.VERSION", "99.0")
    end = job.task("0/2")
    assert end.code == 2
    assert f"version of augcli was {augcli.__version__} and is 99.0" in end.err


def test_every_shard_carries_the_hash_of_the_plan(job: ArrayJob) -> None:
    """So that a shard of another plan is never taken for one of this."""
    job.prepare()
    plan = read_plan(OutputFolder(job.out))
    assert plan
    job.tasks(2)
    parts = sorted((job.out / PARTS).iterdir())
    assert len(parts) == 2
    for part in parts:
        assert json.loads(part.read_bytes().splitlines()[-1]) == {"plan": plan.sha256}


def test_a_task_lists_nothing(job: ArrayJob) -> None:
    alone = job.alone()
    job.prepare()
    save(job.photos / "cat/new.png", picture(99, 24, 24))
    job.tasks(2)
    assert job.finish().code == 0
    assert tree(job.out) == alone


def test_a_set_that_grew_is_prepared_again_and_extended(job: ArrayJob) -> None:
    # The mean colour would be that of the first run.
    black = ("--fill", "black")
    job.alone(*black)
    job.cli(*command(job.photos, job.out, *black))
    save(job.photos / "cat/new.png", picture(99, 24, 24))
    shutil.rmtree(job.photos / "emu")
    options = (*black, "--accept-missing")
    job.tasks(2, *options)
    assert job.finish().code == 0
    assert tree(job.out) == job.alone(*options)
    assert not (job.out / "emu").exists()


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


def test_a_plan_is_made_once(job: ArrayJob) -> None:
    job.prepare()
    before = (job.out / PLAN).stat()
    assert "prepared already: the sources and the options are the same" in job.prepare().err
    assert (job.out / PLAN).stat().st_mtime_ns == before.st_mtime_ns
    save(job.photos / "cat/new.png", picture(99, 24, 24))
    assert job.prepare().code == 0
    assert "20 outputs" in job.prepare().err


def pretend(out: Path, age: float = 0, host: str = "elsewhere") -> Path:
    """Let a task of another computer have shown its presence some seconds ago."""
    path = out / TASKS / f"{host}~1~00000000~7-of-9.json"
    path.parent.mkdir(exist_ok=True)
    task = {"number": 7, "count": 9, "plan": "", "host": host, "state": "at work"}
    path.write_text(json.dumps(task), encoding="utf-8")
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_what_tasks_rely_on_is_not_changed_while_they_are_at_work(job: ArrayJob) -> None:
    photos, out = job.photos, job.out
    job.prepare()
    job.tasks(1)
    pretend(out)
    save(photos / "cat/new.png", picture(99, 24, 24))
    for words in (("finish", out), command(photos, out), ("prepare", *command(photos, out))):
        end = job.cli(*words)
        assert end.code == 2, words
        assert f"OUT {out} is in use by task 7/9 on elsewhere, last seen " in end.err
        assert "or give --force if it is gone" in end.err
    assert "at work: 7/9 on elsewhere, seen " in job.cli("status", out).out
    assert job.finish("--force").code == 0


def test_a_task_that_was_silent_for_five_minutes_is_gone(job: ArrayJob) -> None:
    job.prepare()
    job.tasks(1)
    pretend(job.out, GONE_AFTER + 1)
    assert "0 tasks at work" in job.cli("status", job.out).out
    assert job.finish().code == 0


def test_a_local_run_takes_over_what_tasks_left(large_job: ArrayJob) -> None:
    large_job.prepare()
    large_job.task("1/4")
    assert large_job.cli(*command(large_job.photos, large_job.out)).code == 1
    assert tree(large_job.out) == large_job.alone()
    assert not (large_job.out / STATE).exists()


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
def test_a_damaged_plan_is_one_sentence(job: ArrayJob, damage: str) -> None:
    job.prepare()
    (index,) = (job.out / LISTS).glob("*.json.gz")
    files = {"plan": job.out / PLAN, "index": index}
    files["list"] = index.with_name(index.name.partition(".")[0])
    file = files[damage.removeprefix("cut ")]
    if damage == "plan":
        file.write_bytes(b"{}")
    elif damage.startswith("cut"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    else:
        file.unlink()
    for end in (job.task("0/2"), job.finish()):
        assert end.code == 2
        assert len(end.err.splitlines()) <= 2
        assert f"the plan in OUT {job.out} can't be used" in end.err


def test_a_damaged_order_of_a_ring_is_one_sentence(job: ArrayJob) -> None:
    """It lies at the end of the list, and is read when the first shard is planned."""
    job.prepare()
    (file,) = (path for path in (job.out / LISTS).iterdir() if not path.suffix)
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    # The last copy is in the share of the last task.
    end = job.task("1/2")
    assert end.code == 2
    assert f"the plan in OUT {job.out} can't be used (it is not the list of this plan)" in end.err


def test_finish_needs_no_input(job: ArrayJob, tmp_path: Path) -> None:
    alone = job.alone()
    job.prepare()
    job.tasks(1)
    job.photos.rename(tmp_path / "elsewhere")
    assert job.finish().code == 0
    assert tree(job.out) == alone
