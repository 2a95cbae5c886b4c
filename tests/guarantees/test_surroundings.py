"""The same bytes whatever surrounds a run: clock, locale, folders, and where its output goes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.command import PATIENCE, ROOT, Outcome, call, environment
from tests.guarantees.state import photos as make_photos
from tests.photos import picture, save, tree

if TYPE_CHECKING:
    from tests.conftest import Cli

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
OPTIONS = ("--fill", "black", "--workers", "0")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = make_photos(tmp_path_factory.mktemp("input") / "photos", count=4)
    save(source / "é ñ" / "ü.png", picture(7, 9, 9))
    return source


@pytest.fixture(scope="module")
def clean(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("clean") / "out"
    assert call("cutout", photos, "--out", out, *OPTIONS).code == 0
    return tree(out)


def in_shell(script: str, photos: Path, out: Path, **options: Any) -> Outcome:
    """Run a script in which ``"$@"`` is the whole command."""
    command = [sys.executable, "-m", "augcli", "cutout", str(photos), "--out", str(out), *OPTIONS]
    end = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *command],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        **{"cwd": ROOT, "env": environment(), **options},
    )
    return Outcome(end.returncode, end.stdout, end.stderr)


@pytest.mark.parametrize(
    "script",
    [
        'LC_ALL=C LANG=C TZ=Pacific/Kiritimati "$@"',
        'LC_ALL=tr_TR.UTF-8 TZ=nonsense TERM=dumb "$@"',
        'unset HOME PATH; TMPDIR=/nowhere "$@"',
        'umask 077; "$@" < /dev/null',
        '"$@" 0<&-',
        '"$@" 1>&-',
        '"$@" 2>&-',
        '"$@" 0<&- 1>&- 2>&-',
        '"$@" > /dev/full',
        '"$@" 2> /dev/full',
        '"$@" --json | head -c 1 > /dev/null',
        'mkdir "$0.gone" && cd "$0.gone" && rmdir "$0.gone"; "$@"',
    ],
)
def test_output_is_the_same(
    photos: Path, clean: dict[str, bytes], tmp_path: Path, script: str
) -> None:
    script = script.replace("$0.gone", f"{tmp_path}/gone")
    end = in_shell(script, photos, tmp_path / "out")
    assert end.code == 0, end.err
    assert tree(tmp_path / "out") == clean
    assert "Traceback" not in end.err


def test_a_full_disk_behind_standard_output_is_told(photos: Path, tmp_path: Path) -> None:
    end = in_shell('"$@" --quiet > /dev/full', photos, tmp_path / "out")
    words = "augcli: standard output can't be written (No space left on device)\n"
    assert (end.code, end.err) == (0, words)


def test_what_decoders_warn_of_never_ends_up_in_an_output(tmp_path: Path) -> None:
    """Standard error is closed, so that the first file would get its number."""
    source = tmp_path / "photos"
    data = save(source / "cat" / "bad.png", picture(1, 60, 60)).read_bytes()
    (source / "cat" / "bad.png").write_bytes(data[:-40] + bytes(40))
    for number in range(3):
        save(source / "cat" / f"{number}.png", picture(number, 60, 60))
    for name, script in (("open", '"$@"'), ("closed", '"$@" 2>&- 1>&- 0<&-')):
        assert in_shell(script, source, tmp_path / name).code == 1
    assert tree(tmp_path / "closed") == tree(tmp_path / "open")


def test_whole_paths_are_asked_for_when_the_current_folder_is_gone(tmp_path: Path) -> None:
    script = f"mkdir {tmp_path}/gone && cd {tmp_path}/gone && rmdir {tmp_path}/gone; "
    end = in_shell(script + '"$@"', Path("photos"), tmp_path / "out")
    assert end.code == 2
    assert "the current folder was removed; go to another one, or give whole paths" in end.err


def test_run_is_refused_when_names_are_not_read_as_utf8(photos: Path, tmp_path: Path) -> None:
    script = 'LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 "$@"'
    end = in_shell(script, photos, tmp_path / "out")
    assert (end.code, (tmp_path / "out").exists()) == (2, False)
    assert "set LC_ALL=C.UTF-8 or PYTHONUTF8=1" in end.err


def test_umask_is_kept(photos: Path, tmp_path: Path) -> None:
    assert in_shell('umask 027; "$@"', photos, tmp_path / "out").code == 0
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "out").rglob("*.*g")}
    assert modes == {0o640}


@pytest.mark.parametrize("clock", ["backwards", "stopped", "1970"])
def test_output_is_the_same_when_the_clock_is_wrong(
    cli: Cli,
    photos: Path,
    clean: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clock: str,
) -> None:
    now = iter(range(10**9, 0, -1000))
    times = {"backwards": lambda: float(next(now)), "stopped": lambda: 5.0, "1970": lambda: -1.0}
    monkeypatch.setattr(time, "time", times[clock])
    assert cli("cutout", photos, "--out", tmp_path / "out", *OPTIONS).code == 0
    assert tree(tmp_path / "out") == clean


@pytest.mark.parametrize("seconds", [-(2**31), 2**33, 2**40], ids=["1901", "2242", "far"])
def test_sources_of_any_time_are_read(cli: Cli, tmp_path: Path, seconds: int) -> None:
    source = make_photos(tmp_path / "photos", count=2)
    os.utime(source / "cat/000.png", (seconds, seconds))
    command = ["cutout", source, "--out", tmp_path / "out", *OPTIONS]
    assert cli(*command).code == 0
    assert "nothing to do: everything is there already\n" in cli(*command).err
