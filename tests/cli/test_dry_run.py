"""``--dry-run``: OUT is tried, what is wrong with it is said, and nothing is left behind."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.photos import times

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli


def names(folder: Path) -> list[str]:
    """Return all that lies in a folder, at any depth."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("out", ["out", "deep/er/out", "there", "photos/results"])
def test_says_that_out_can_be_written_and_leaves_nothing(
    cli: Cli, photos: Path, tmp_path: Path, out: str
) -> None:
    (tmp_path / "there").mkdir()
    before = names(tmp_path)
    end = cli("cutout", photos, "--out", tmp_path / out, "--dry-run")
    assert (end.code, end.err) == (0, "")
    assert f"out      {tmp_path / out}, which can be written\n" in end.out
    assert names(tmp_path) == before


def test_changes_nothing_where_a_run_was_made(cli: Cli, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["cutout", photos, "--out", out]
    assert cli(*arguments).code == 0
    before = times(out)
    assert "9 images, 9 already made" in cli(*arguments, "--dry-run").out
    assert times(out) == before


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("file", "is not a folder; give another with --out"),
        ("below a file", "can't be written (Not a directory); give write permission, or another"),
        ("foreign", "holds files that augcli did not make; give another folder with --out"),
        ("long", "(File name too long); "),
        ("other command", "was made by another command: "),
    ],
)
@pytest.mark.parametrize("as_json", [[], ["--json"]], ids=["text", "json"])
def test_is_refused_as_the_run_would_be(
    cli: Cli, photos: Path, tmp_path: Path, kind: str, words: str, as_json: list[str]
) -> None:
    out = tmp_path / ("n" * 300 if kind == "long" else "out")
    if kind in ("file", "below a file"):
        out.write_text("mine")
    if kind == "below a file":
        out /= "deep"
    if kind == "foreign":
        out.mkdir()
        (out / "photo.jpg").write_text("mine")
    if kind == "other command":
        assert cli("cutout", photos, "--out", out, "--seed", 7).code == 0
    before = names(tmp_path)
    dry = cli("cutout", photos, "--out", out, "--dry-run", *as_json)
    assert (dry.code, words in dry.err, names(tmp_path)) == (2, True, before)
    run = cli("cutout", photos, "--out", out, *as_json)
    assert (run.code, run.err.splitlines()[-1:]) == (2, dry.err.splitlines()[-1:])


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (errno.EACCES, 2, "can't be written (Permission denied); give write permission, or an"),
        (errno.EROFS, 2, "can't be written (Read-only file system); give write permission"),
        (errno.ENOSPC, 3, "the disk of OUT is full; make room"),
    ],
)
@pytest.mark.parametrize("is_there", [False, True], ids=["new", "there"])
def test_says_so_when_the_system_does_not_allow_it(
    cli: Cli,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    code: int,
    words: str,
    is_there: bool,
) -> None:
    """The superuser may write everywhere, so the system is told to refuse."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    out = tmp_path / "deep" / "out"
    if is_there:
        out.mkdir(parents=True)
        monkeypatch.setattr("augcli.files.trial.create_file", refuse)
    else:
        monkeypatch.setattr("augcli.files.trial.os.mkdir", refuse)
    end = cli("cutout", photos, "--out", out, "--dry-run")
    assert (end.code, end.out) == (code, "")
    assert words in end.err
    assert out.exists() == is_there


def test_says_so_when_the_disk_is_too_small(
    cli: Cli, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free=5))
    end = cli("cutout", photos, "--dry-run")
    assert end.code == 0
    assert "only 5 bytes free: make room, or give another folder with --out\n" in end.out


def test_names_the_flag_when_an_image_would_be_refused(cli: Cli, photos: Path) -> None:
    end = cli("cutmix", photos, "--dry-run", "--max-pixels", 900)
    assert "at most 900 are allowed (--max-pixels)\n" in end.out
    assert "`" not in end.out
