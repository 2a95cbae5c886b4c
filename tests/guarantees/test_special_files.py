"""Pipes, devices, sockets and folders in the place of files keep no command waiting."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from augcli.data.output import FOLDED_PARTS, LOCK, PARTS, STATE
from augcli.files import TOML_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Cli

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs special files")

SECONDS = 60
"""A busy machine may need many times the usual."""


class Hangs(BaseException):
    """A command did not end."""


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """End what hangs."""

    def end(*_: object) -> None:
        raise Hangs

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def make_socket(path: Path) -> None:
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(path.parent)  # the path of a socket must be short
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.fchdir(here)
        os.close(here)


KINDS: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "socket": make_socket,
    "folder": lambda path: path.mkdir(),
}
each_kind = pytest.mark.parametrize("kind", KINDS)

OF_OUT = ["run.json", "metadata.csv", "classes.txt", "errors.csv", "README.md", FOLDED_PARTS]


@each_kind
@pytest.mark.parametrize("name", [*OF_OUT, STATE, LOCK, PARTS, f"{PARTS}/0-00000.json"])
def test_in_place_of_a_file_of_out(
    cli: Cli, photos: Path, tmp_path: Path, name: str, kind: str
) -> None:
    out = tmp_path / "out"
    command = ("cutout", photos, "--fill", "black", "--workers", 0, "--out", out)
    assert cli(*command).code == 0
    (out / name).unlink(missing_ok=True)
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    KINDS[kind](out / name)
    again = (command, (*command, "--seed", 1), (*command, "--overwrite"))
    for words in (("status", out), ("verify", out), ("verify", out, "--against", photos), *again):
        end = cli(*words)
        assert end.code in (0, 1, 2, 3), end.err
        assert "Traceback" not in end.err


@each_kind
def test_in_place_of_an_output(cli: Cli, photos: Path, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    command = ("cutout", photos, "--fill", "black", "--workers", 0, "--out", out)
    assert cli(*command).code == 0
    output = next(path for path in sorted(out.rglob("*")) if path.suffix == ".png")
    output.unlink()
    KINDS[kind](output)
    assert cli("verify", out, "--against", photos).code == 1
    for words in (command, (*command, "--overwrite")):
        assert cli(*words).code in (0, 1, 2, 3)


@each_kind
@pytest.mark.parametrize("option", ["--heatmaps", "--model", "--labels", "--config", "recipe"])
def test_in_place_of_a_file_that_is_given(
    cli: Cli, photos: Path, tmp_path: Path, option: str, kind: str
) -> None:
    place = tmp_path / "given"
    KINDS[kind](place)
    out = ("--out", tmp_path / "out")
    words = ("run", place, photos, *out) if option == "recipe" else ("cutmix", photos, *out)
    if kind == "pipe" and option in ("--labels", "--config", "recipe"):
        # It is read to its end, as shells pass on what a command gives.
        threading.Thread(target=place.write_bytes, args=(b"\0" * 100,), daemon=True).start()
    end = cli(*words, *(() if option == "recipe" else (option, place)))
    assert (end.code, end.out) == (2, "")
    assert str(place) in end.err
    assert not (tmp_path / "out").exists()


@each_kind
@pytest.mark.parametrize("words", [("scorer", "show"), ("scorer", "prepare"), ("recipe", "check")])
def test_in_place_of_a_file_that_other_verbs_read(
    cli: Cli, tmp_path: Path, words: tuple[str, ...], kind: str
) -> None:
    place = tmp_path / "given"
    KINDS[kind](place)
    if kind == "pipe" and words[0] == "recipe":
        threading.Thread(target=place.write_bytes, args=(b"\0" * 100,), daemon=True).start()
    more = ("--out", tmp_path / "made.onnx") if words[1] == "prepare" else ()
    end = cli(*words, place, *more)
    assert (end.code, end.out) == (2, "")
    assert str(place) in end.err


@each_kind
def test_in_place_of_a_file_of_heat_maps_and_beside_it(
    cli: Cli, photos: Path, scorer: Path, tmp_path: Path, kind: str
) -> None:
    command = ("heatmaps", photos, "--model", scorer, "--out")
    for name in ("maps.npz", "other-errors.csv"):
        KINDS[kind](tmp_path / name)
    for out in ("maps.npz", "other.npz"):
        for more in ((), ("--overwrite",)):
            end = cli(*command, tmp_path / out, *more)
            assert (end.code, end.out) == (2, "")
            assert str(tmp_path) in end.err


@each_kind
def test_in_place_of_a_source(
    cli: Cli, photos: Path, scorer: Path, tmp_path: Path, kind: str
) -> None:
    out = tmp_path / "out"
    assert cli("cutmix", photos, "--model", scorer, "--out", out).code == 0
    (photos / "cat/000.jpg").unlink()
    KINDS[kind](photos / "cat/000.jpg")
    assert cli("verify", out, "--against", photos).code == 1
    assert cli("cutmix", photos, "--model", scorer, "--out", out).code in (0, 1)
    maps = ("--out", tmp_path / "maps.npz", "--overlay", tmp_path / "shown")
    assert cli("heatmaps", photos, "--model", scorer, *maps).code in (0, 1)
    shutil.rmtree(photos / "cat")


@pytest.mark.parametrize("words", [("cutout", "--config"), ("run",), ("recipe", "check")])
def test_a_text_of_any_size_is_not_read(
    cli: Cli, photos: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    huge = tmp_path / "huge.toml"
    huge.touch()
    os.truncate(huge, 20 << 30)
    end = cli(*words, huge, *(() if words[0] == "recipe" else (photos,)))
    assert (end.code, end.out) == (2, "")
    assert f"{huge}" in end.err
    assert f"has {20 << 30:,} bytes, more than {TOML_LIMIT:,}" in end.err
