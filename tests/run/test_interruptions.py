"""Runs that are killed, stopped, or lose a worker or OUT: whole at every instant."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.command import PATIENCE, ROOT, Outcome, call, environment, start, wait_for
from tests.photos import class_folders, picture, rows, save, tree

if TYPE_CHECKING:
    from tests.conftest import Cli

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
KILLS = 10


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """INPUT, larger than elsewhere: there must be time to interrupt."""
    return class_folders(tmp_path_factory.mktemp("input") / "photos", {"a": 40, "b": 40}, side=64)


@pytest.fixture
def command(photos: Path, scorer: Path) -> list[object]:
    options = ["--format", "png", "--copies", 4, "--top-n", 9]
    return ["cutmix", photos, "--model", scorer, *options]


@pytest.fixture(scope="module")
def clean(photos: Path, scorer: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The tree of a run that nothing disturbs."""
    out = tmp_path_factory.mktemp("clean") / "out"
    options = ["--format", "png", "--copies", 4, "--top-n", 9, "--workers", 0, "--out", out]
    assert call("cutmix", photos, "--model", scorer, *options).code == 0
    return tree(out)


HOLD = """
import os, sys, time

opened = []

def hold(event, arguments):
    if event == "open" and os.path.join("", "photos", "") in str(arguments[0]):
        opened.append(arguments[0])
        while len(opened) > 30 and os.path.exists({gate!r}):
            os.makedirs({gate!r} + "-reached", exist_ok=True)
            time.sleep(0.005)

sys.addaudithook(hold)
"""


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A file that keeps workers started with ``held(gate)`` from their 31st source."""
    gate = tmp_path / "gate"
    gate.touch()
    (tmp_path / "sitecustomize.py").write_text(HOLD.format(gate=str(gate)))
    return gate


def held(gate: Path) -> dict[str, str]:
    """Return the environment of a run that can't end before its gate is removed."""
    return environment(PYTHONPATH=os.pathsep.join([str(gate.parent), str(ROOT)]))


def at_work(out: Path) -> bool:
    """Return whether a first picture is there."""
    return next(out.glob("*/*.png"), None) is not None


def ended(process: subprocess.Popen[str]) -> Outcome:
    out, err = process.communicate(timeout=PATIENCE)
    return Outcome(process.returncode, out, err)


def children(pid: int) -> list[int]:
    """Return the worker processes of a run."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_equals_the_clean_run_when_it_was_killed_again_and_again(
    cli: Cli, command: list[object], clean: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    moments = random.Random(7)
    codes = []
    for number in range(KILLS):
        lock = out / ".augcli/lock"
        lock.unlink(missing_ok=True)
        process = start(*command, "--out", out, "--workers", (2, 0, 0)[number % 3])
        wait_for(lambda path=lock, run=process: path.exists() or run.poll() is not None)  # type: ignore[misc]
        time.sleep(moments.uniform(0, 0.15))
        os.killpg(process.pid, signal.SIGKILL)
        codes.append(ended(process).code)
    assert codes[0] == -signal.SIGKILL
    assert cli(*command, "--out", out).code == 0
    assert tree(out) == clean
    assert not (out / ".augcli").exists()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["int", "term"]
)
def test_ends_in_order_and_goes_on_later_when_a_signal_comes(
    cli: Cli,
    command: list[object],
    clean: dict[str, bytes],
    gate: Path,
    tmp_path: Path,
    number: int,
    code: int,
) -> None:
    out = tmp_path / "out"
    process = start(*command, "--out", out, "--workers", 1, env=held(gate))
    wait_for(lambda: at_work(out))
    process.send_signal(number)
    end = ended(process)
    assert (end.code, end.out) == (code, "")
    # No counts where the signal came before the first message of the worker.
    last = r"augcli: interrupted(: \d+ of 320 made)?; run the same command to continue"
    assert re.fullmatch(last, end.err.splitlines()[-1])
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert cli(*command, "--out", out).code == 0
    assert tree(out) == clean


def test_leaves_no_worker_behind_when_the_parent_is_killed(
    command: list[object], gate: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = start(*command, "--out", out, "--workers", 2, env=held(gate))
    wait_for(lambda: at_work(out))
    process.kill()
    # The workers hold the other ends of these pipes: they close when the last one is gone.
    assert ended(process).code == -signal.SIGKILL

    def all_gone() -> bool:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    wait_for(all_gone)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_makes_all_when_a_worker_is_killed(
    command: list[object], clean: dict[str, bytes], gate: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = start(*command, "--out", out, "--workers", 2, env=held(gate))
    wait_for(lambda: at_work(out))
    before = children(process.pid)
    os.kill(before[0], signal.SIGKILL)
    gate.unlink()
    end = ended(process)
    assert (len(before), end.code, end.out) == (2, 0, f"{out}/metadata.csv\n")
    assert tree(out) == clean


@pytest.fixture
def halted(command: list[object], gate: Path, tmp_path: Path) -> subprocess.Popen[str]:
    """A run into ``tmp_path / "out"`` that stands still in the middle, until the gate is gone."""
    process = start(*command, "--out", tmp_path / "out", "--workers", 1, env=held(gate))
    wait_for((tmp_path / "gate-reached").exists)
    return process


def test_is_refused_when_another_run_is_at_work_in_out(
    cli: Cli,
    command: list[object],
    clean: dict[str, bytes],
    halted: subprocess.Popen[str],
    gate: Path,
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    second = cli(*command, "--out", out)
    other = cli(*command, "--out", out, "--top-n", 3, "--overwrite")
    gate.unlink()
    first = ended(halted)
    in_use = f"augcli: OUT {out} is in use by another run of augcli; wait for it to end\n"
    assert (second.code, second.err.endswith(in_use)) == (2, True)
    assert (other.code, other.err.endswith(in_use)) == (2, True)
    assert (first.code, tree(out)) == (0, clean)


def test_stops_and_can_start_anew_when_out_is_removed(
    cli: Cli,
    command: list[object],
    clean: dict[str, bytes],
    halted: subprocess.Popen[str],
    gate: Path,
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    shutil.rmtree(out)
    gate.unlink()
    end = ended(halted)
    assert (end.code, end.out) == (3, "")
    assert end.err.endswith(
        f"augcli: OUT {out} was removed while it was being written; "
        "run the same command again to continue\n"
    )
    assert cli(*command, "--out", out).code == 0
    assert tree(out) == clean


def test_stops_when_nothing_can_be_written_any_more(
    cli: Cli, command: list[object], photos: Path, tmp_path: Path
) -> None:
    # A file lies where the folder of a class must be.
    out = tmp_path / "out"
    cli(*command, "--out", out, "--limit", 2)
    shutil.rmtree(out / "a", ignore_errors=True)
    shutil.rmtree(out / "b", ignore_errors=True)
    (out / "a").write_bytes(b"")
    command = [*command, "--limit", 2]
    end = cli(*command, "--out", out)
    assert (end.code, end.out) == (3, "")
    message = f"augcli: OUT {out} was changed: a is a symbolic link, or is no folder; remove "
    assert message in end.err
    (out / "a").unlink()
    assert (cli(*command, "--out", out).code, len(rows(out))) == (0, 8)


@pytest.mark.parametrize("other", [[], ["--seed", 1]])
def test_a_run_whose_folder_was_replaced_writes_nothing_into_the_new_one(
    command: list[object], gate: Path, tmp_path: Path, other: list[object]
) -> None:
    out = tmp_path / "out"
    process = start(*command, "--out", out, "--workers", 1, env=held(gate))
    wait_for((tmp_path / "gate-reached").exists)
    shutil.rmtree(out)
    assert call(*command, *other, "--out", out).code == 0
    made = tree(out), (out / "run.json").read_bytes()
    gate.unlink()
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3
    assert f"augcli: OUT {out} was " in err
    assert (tree(out), (out / "run.json").read_bytes()) == made
    assert call("verify", out).code == 0


@pytest.mark.parametrize(
    "following",
    [
        ["cutout", "--format", "jpg", "--overwrite"],
        ["cutout", "--seed", 1, "--overwrite"],
        ["dropblock", "--overwrite"],
        ["cutout", "--format", "png", "--limit", 3, "--overwrite"],
    ],
)
def test_a_command_after_an_interrupted_one_leaves_no_stray_file(
    cli: Cli, photos: Path, gate: Path, tmp_path: Path, following: list[object]
) -> None:
    out, fresh = tmp_path / "out", tmp_path / "fresh"
    options = ["--copies", 2, "--fill", "black", "--format", "png", "--workers", 1]
    process = start("cutout", photos, *options, "--out", out, env=held(gate))
    wait_for((tmp_path / "gate-reached").exists)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert list(out.glob("*/*.png"))
    method, *rest = following
    command = [method, photos, "--copies", 2, "--fill", "black", *rest, "--workers", 0]
    assert cli(*command, "--out", out).code == 0
    assert cli(*command, "--out", fresh).code == 0
    assert tree(out) == tree(fresh)
    assert cli("verify", out).code == 0


def test_an_output_of_an_interrupted_run_goes_with_its_source(
    cli: Cli, photos: Path, gate: Path, tmp_path: Path
) -> None:
    source, out = tmp_path / "photos", tmp_path / "out"
    shutil.copytree(photos, source)
    command = ["cutout", source, "--fill", "black", "--format", "png", "--out", out]
    process = start(*command, "--workers", 1, env=held(gate))
    wait_for((tmp_path / "gate-reached").exists)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    # The last: its shard has no part yet.
    made = max(out.glob("*/*.png"), key=lambda path: path.stat().st_mtime_ns)
    stem = made.name.split("-")[0]
    next(source.glob(f"{made.parent.name}/{stem}.*")).unlink()
    assert cli(*command, "--workers", 0).code == 0
    assert not made.exists()
    assert cli("verify", out, "--against", source).code == 0


POISON = """
import os, signal, sys

def end_of(event, arguments):
    if event == "open" and str(arguments[0]).endswith("poison.jpg"):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(end_of)
"""


def test_names_the_image_and_goes_on_when_it_ends_every_worker(
    tmp_path: Path,
) -> None:
    folder = class_folders(tmp_path / "photos", {"a": 4, "b": 4})
    (folder / "a/poison.jpg").write_bytes(b"reading me is deadly")
    (tmp_path / "sitecustomize.py").write_text(POISON)
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    # The mean colour is estimated first: that must survive as well.
    arguments = ["cutout", folder, "--out", tmp_path / "out", "--workers", 1]
    end = call(*arguments, env=environment(PYTHONPATH=path))
    assert (end.code, len(rows(tmp_path / "out"))) == (1, 8)
    assert rows(tmp_path / "out", "errors.csv") == [
        {
            "source": "a/poison.jpg",
            "stage": "worker",
            "reason": "a worker ended (SIGKILL) while it worked on this image",
        }
    ]


def test_a_run_without_the_limit_that_ended_workers_gives_a_clean_runs_bytes(
    cli: Cli, scorer: Path, tmp_path: Path
) -> None:
    """As where memory is short: the image that ends its worker is sound, and may be a donor."""
    folder = class_folders(tmp_path / "photos", {"a": 5, "b": 5})
    save(folder / "a/poison.jpg", picture(77, 30, 40))
    (tmp_path / "sitecustomize.py").write_text(POISON)
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    out, clean = tmp_path / "out", tmp_path / "clean"
    command = ["cutmix", folder, "--model", scorer, "--top-n", 9, "--format", "png"]
    limited = call(*command, "--out", out, "--workers", 1, env=environment(PYTHONPATH=path))
    assert limited.code == 1
    assert [row["source"] for row in rows(out, "errors.csv")] == ["a/poison.jpg"]
    assert "a/poison.jpg" not in {row["source_b"] for row in rows(out)}
    assert cli(*command, "--out", out).code == 0
    assert cli(*command, "--out", clean).code == 0
    assert tree(out, hidden=False) == tree(clean, hidden=False)


@pytest.mark.parametrize("longest", [300, 4000], ids=["run.json", "picture"])
def test_stops_and_goes_on_later_when_files_can_not_be_written_whole(
    cli: Cli, command: list[object], clean: dict[str, bytes], tmp_path: Path, longest: int
) -> None:
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (longest, longest))

    out = tmp_path / "out"
    process = start(*command, "--out", out, "--workers", 1, preexec_fn=limit)
    end = ended(process)
    words = f"augcli: writing to OUT {out} failed (File too large); fix that, then run the same "
    assert (end.code, end.out, words in end.err) == (3, "", True)
    assert [path for path in out.glob("*/*.png") if path.stat().st_size >= longest] == []
    if longest == 300:
        assert cli(*command, "--out", out).code == 0
        assert tree(out) == clean
