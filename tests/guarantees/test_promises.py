"""What is promised of signals, workers, locks, changed sources and syncing to the disk."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as Pillow

from augcli.data.output import OutputFolder
from augcli.data.stores.folder import FolderStore
from augcli.errors import Stopped
from tests.command import call, start, wait_for
from tests.guarantees.state import assert_committed_rows_are_true, photos, vary
from tests.photos import rows, tree

if TYPE_CHECKING:
    from augcli.data.stores.sources import Sources
    from tests.conftest import Cli

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
COMMAND = ("--fill", "black", "--patch", 5)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = photos(tmp_path / "photos", count=6)
    vary(folder, 0)
    return folder


def test_changed_new_and_vanished_sources_are_said_and_made_again(
    cli: Cli, source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = ["cutout", source, "--out", out, *COMMAND]
    cli(*command)
    vary(source, 2)
    end = cli(*command)
    told = "sources since the run before: 1 changed, 1 missing, 1 new; what they change is made"
    assert told in end.err
    assert "2 of them new" in end.err
    assert told not in cli(*command).err
    cli("cutout", source, "--out", tmp_path / "clean", *COMMAND)
    assert tree(out, hidden=False) == tree(tmp_path / "clean", hidden=False)


def test_source_that_changes_during_the_run_is_no_silent_mixture(
    cli: Cli, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_sources = FolderStore.list

    def then_change(store: FolderStore) -> Sources:
        found = list_sources(store)
        vary(source, 1)
        return found

    command = ["cutout", source, "--out", tmp_path / "out", *COMMAND]
    monkeypatch.setattr("augcli.data.stores.folder.FolderStore.list", then_change)
    assert cli(*command).code == 1
    reasons = {row["source"]: row["reason"] for row in rows(tmp_path / "out", "errors.csv")}
    assert reasons == {
        "cat/changed.png": "changed during the run; run again",
        "cat/gone.png": "No such file or directory",
    }
    monkeypatch.undo()
    monkeypatch.setenv("AUGCLI_WORKERS", "0")
    assert cli(*command).code == 0
    cli("cutout", source, "--out", tmp_path / "clean", *COMMAND)
    assert tree(tmp_path / "out", hidden=False) == tree(tmp_path / "clean", hidden=False)


def test_sources_are_never_touched(cli: Cli, source: Path, tmp_path: Path) -> None:
    def state() -> dict[str, tuple[int, int, bytes]]:
        return {
            path.name: (path.stat().st_mtime_ns, path.stat().st_mode, path.read_bytes())
            for path in source.rglob("*.png")
        }

    before = state()
    for path in source.rglob("*.png"):
        path.chmod(0o444)
    for options in ([], ["--originals", "copy"], ["--overwrite", "--seed", 1]):
        cli("cutout", source, "--out", tmp_path / "out", *COMMAND, *options)
    for path in source.rglob("*.png"):
        path.chmod(0o644)
    assert state() == before


def test_version_that_draws_differently_is_refused(cli: Cli, source: Path, tmp_path: Path) -> None:
    command = ["cutout", source, "--out", tmp_path / "out", *COMMAND]
    cli(*command)
    path = tmp_path / "out/run.json"
    record = json.loads(path.read_text("utf-8"))
    record["identity"]["steps"][0]["choices"][0]["version"] += 1
    path.write_text(json.dumps(record), "utf-8")
    before = tree(tmp_path / "out")
    end = cli(*command)
    assert (end.code, tree(tmp_path / "out")) == (2, before)
    assert "version of cutout's draws was " in end.err


def test_other_libraries_are_named_when_a_run_goes_on(
    cli: Cli, source: Path, tmp_path: Path
) -> None:
    command = ["cutout", source, "--out", tmp_path / "out", *COMMAND]
    cli(*command)
    path = tmp_path / "out/run.json"
    record = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**record, "versions": {**record["versions"], "numpy": "0.1"}}))
    vary(source, 1)
    assert "numpy was 0.1 and is " in cli(*command).err


@pytest.mark.parametrize("content", ["[]", "{}", "{", '{"identity": {}}', "\x00", '"x"'])
@pytest.mark.parametrize("verb", ["cutout", "status", "verify"])
def test_foreign_record_is_refused(
    cli: Cli, source: Path, tmp_path: Path, content: str, verb: str
) -> None:
    out = tmp_path / "out"
    command = ["cutout", source, "--out", out, *COMMAND]
    cli(*command)
    (out / "run.json").write_text(content)
    end = cli(*command) if verb == "cutout" else cli(verb, out)
    assert (end.code, "run.json" in end.err) == (2, True)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """INPUT with pictures that take a second or more."""
    (tmp_path / "large/cat").mkdir(parents=True)
    noise = np.random.default_rng(1).integers(0, 256, (1000, 8000, 3), np.uint8)
    picture = Pillow.fromarray(np.tile(noise, (8, 1, 1)))
    for number in range(3):
        picture.save(tmp_path / f"large/cat/{number}.jpg", quality=30)
    return tmp_path / "large"


def group_is_gone(leader: int) -> bool:
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return True
    return False


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ends_within_two_seconds_when_workers_are_in_a_long_image(
    large: Path, tmp_path: Path, number: int, code: int
) -> None:
    out = tmp_path / "out"
    process = start("cutout", large, "--out", out, *COMMAND, "--workers", 3)
    wait_for((out / "run.json").exists)
    time.sleep(0.1)
    begun = time.monotonic()
    process.send_signal(number)
    process.communicate()
    took = time.monotonic() - begun
    assert process.returncode == code
    assert group_is_gone(process.pid)
    # Two seconds on a quiet machine; the longest image takes longer than that.
    assert took < 4


@posix
def test_ends_at_once_when_a_second_signal_comes(large: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = start("cutout", large, "--out", out, *COMMAND, "--workers", 2)
    wait_for((out / "run.json").exists)
    process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 130
    wait_for(lambda: group_is_gone(process.pid))


@posix
def test_killed_worker_is_reported(source: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "def end(event, arguments):\n"
        "    if event == 'open' and str(arguments[0]).endswith('002.png'):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "sys.addaudithook(end)\n"
    )
    from tests.command import ROOT, environment

    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    command = ["cutout", source, "--out", tmp_path / "out", *COMMAND, "--workers", 1]
    end = call(*command, env=environment(PYTHONPATH=path))
    assert end.code == 1
    assert "a worker ended (SIGKILL) in shard 0-00000-of-00001, which is tried again\n" in end.err
    assert "failed: cat/002.png: a worker ended (SIGKILL) while it worked on this image" in end.err


@posix
def test_stops_with_a_sentence_when_no_worker_can_be_started(
    cli: Cli, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    end = cli("cutout", source, "--out", tmp_path / "out", *COMMAND, "--workers", 1)
    assert end.code == 3
    assert "a worker process can't be started (No such file or directory); " in end.err


def test_image_that_takes_too_much_memory_is_a_failed_image(
    cli: Cli, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from augcli.data.codecs.decoding import decode

    def starved(data: bytes, **options: Any) -> object:
        if data == (source / "cat/002.png").read_bytes():
            raise MemoryError
        return decode(data, **options)

    monkeypatch.setattr("augcli.work.reading.decode", starved)
    command = ["cutout", source, "--out", tmp_path / "out", *COMMAND]
    assert cli(*command).code == 1
    (row,) = rows(tmp_path / "out", "errors.csv")
    assert row["reason"] == "not enough memory for this image"
    monkeypatch.undo()
    monkeypatch.setenv("AUGCLI_WORKERS", "0")
    # It says more about the machine than about the image, so it is tried again.
    assert cli(*command).code == 0


def test_lock_is_free_when_status_looked_at_it(source: Path, tmp_path: Path, cli: Cli) -> None:
    out = tmp_path / "out"
    cli("cutout", source, "--out", out, *COMMAND)
    output = OutputFolder(out)
    assert not output.is_locked()
    output.open()
    assert OutputFolder(out).is_locked()
    output.close()
    assert not OutputFolder(out).is_locked()
    assert not (out / ".augcli").exists()


def test_part_forgets_an_output_before_it_is_replaced(
    cli: Cli, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every call to the system that changes OUT, each committed row is true."""
    out = tmp_path / "out"
    command = ["cutout", source, "--out", out, *COMMAND, "--copies", 2]
    cli(*command)
    checked = 0

    def checking(name: str) -> None:
        real = getattr(os, name)

        def call_it(*arguments: object, **options: object) -> object:
            nonlocal checked
            found = real(*arguments, **options)
            checked += assert_committed_rows_are_true(out)
            return found

        monkeypatch.setattr(os, name, call_it)

    for name in ("replace", "unlink"):
        checking(name)
    for variant, more in ((1, []), (2, []), (0, []), (0, ["--seed", 4, "--overwrite"])):
        vary(source, variant)
        assert cli(*command, *more).code == 0
    shutil.rmtree(source / "dog")
    assert cli(*command, "--seed", 4, "--accept-missing").code == 0
    assert checked > 500


def test_part_that_can_not_be_read_stops_the_run(cli: Cli, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["cutout", source, "--out", out, *COMMAND]
    cli(*command)
    (out / ".augcli/parts/0-00000-of-00001.json").mkdir(parents=True)
    end = cli(*command)
    assert (end.code, "can't be read (is not a regular file)" in end.err) == (
        Stopped.exit_code,
        True,
    )
