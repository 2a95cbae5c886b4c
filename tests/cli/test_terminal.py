"""The command line in processes of its own: a terminal, closed pipes, scripts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import PATIENCE, call, environment, start
from tests.photos import rows


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo terminals are POSIX")
def test_moves_a_bar_when_there_is_a_terminal(photos: Path, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    name = "[red]x.jpg"
    (photos / "cat" / name).touch()
    out = tmp_path / "out"
    process = start(
        "cutout", photos, "--out", out, "--workers", 0, stderr=theirs, env=environment(TERM="xterm")
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:
        pass  # Linux says so when the other end is closed
    os.close(ours)
    printed, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, printed) == (1, f"{out}/metadata.csv\n")
    assert b"\x1b[" in shown
    assert b"\xe2\x94\x81" in shown
    assert f"failed: cat/{name}: an empty file".encode() in shown


def test_ends_without_a_traceback_when_the_reader_of_its_output_goes(
    photos: Path, tmp_path: Path
) -> None:
    process = start("cutout", photos, "--out", tmp_path / "out", "--json", "--workers", 0)
    assert process.stdout
    process.stdout.close()
    assert process.stderr
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(PATIENCE), errors) == (0, "")
    assert len(rows(tmp_path / "out")) == 9


def test_runs_as_a_module_when_called_from_elsewhere(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('the wrong numpy')")
    end = call(
        "cutmix", "photos", "--workers", 1, cwd=tmp_path, env=environment(PYTHONSAFEPATH="1")
    )
    assert end[:2] == (0, f"{tmp_path}/photos-cutmix/metadata.csv\n")


def test_runs_from_a_script_without_main_when_workers_are_asked_for(
    photos: Path, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import augcli\n"
        "seen = []\n"
        "summary = augcli.augment('photos', augcli.Cutout(patch=5), out='mixed', seed=1,\n"
        "    workers=2, listener=lambda message: seen.append(message.message_type))\n"
        "print(summary.images, summary.failed, seen[0], seen[-1])\n"
    )
    end = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (end.returncode, end.stdout, end.stderr) == (0, "9 0 start summary\n", "")
