"""An output folder that somebody else prepared or changed harms nothing outside it."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import struct
import sys
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from augcli.data.output import FOLDED_PARTS, MAPS, PARTS, STATE, TEMPORARY
from tests.photos import tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Cli

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """Files of somebody else, which no run may touch; one has a name as outputs have."""
    folder = tmp_path / "precious"
    for name in (
        "1",
        "cat-b2ae7f79-cutout-0.jpg",
        ".augcli/parts/0-00000-of-00001.json",
        "tmp/vm~1~00~0",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"mine")
    return folder


def line(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def signed(body: bytes) -> bytes:
    return body + line({"sha256": hashlib.sha256(body).hexdigest()})


def change_parts(out: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change every folded part, with a checksum that is right."""
    lines = gzip.decompress((out / FOLDED_PARTS).read_bytes()).splitlines()
    changed = []
    for body in lines[::2]:
        part = json.loads(body)
        change(part)
        changed.append(signed(line(part)))
    (out / FOLDED_PARTS).write_bytes(gzip.compress(b"".join(changed)))


NAMES = [
    "../precious/1",
    "../precious/cat-b2ae7f79-cutout-0.jpg",
    "/etc/hostname",
    "cat/../../precious/cat-b2ae7f79-cutout-0.jpg",
    "./cat/a-b2ae7f79-cutout-0.jpg",
    "cat//a-b2ae7f79-cutout-0.jpg",
    "cat/a\0-b2ae7f79-cutout-0.jpg",
    ".augcli/a-b2ae7f79-cutout-0.jpg",
    "notes.txt",
    "metadata.csv",
    "",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("field", ["obsolete", "made"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_part_that_names_other_files_removes_none(
    cli: Cli, photos: Path, precious: Path, tmp_path: Path, name: str, field: str, overwrite: bool
) -> None:
    out = tmp_path / "out"
    command = ("cutout", photos, "--fill", "black", "--workers", 0, "--out", out)
    assert cli(*command).code == 0
    clean = tree(out)

    def change(part: dict[str, Any]) -> None:
        if field == "obsolete":
            part["obsolete"] = [name]
        else:
            part["made"][0][3][0] = name

    change_parts(out, change)
    (out / "notes.txt").write_bytes(b"mine")
    before = tree(precious), tree(photos)
    assert cli(*command, *(["--overwrite"] if overwrite else [])).code == 0
    assert (tree(precious), tree(photos)) == before
    assert (out / "notes.txt").read_bytes() == b"mine"
    (out / "notes.txt").unlink()
    assert tree(out) == clean


@pytest.mark.parametrize("place", [STATE, TEMPORARY, PARTS, MAPS, "class"])
def test_a_link_in_place_of_a_folder_is_refused(
    cli: Cli, photos: Path, scorer: Path, precious: Path, tmp_path: Path, place: str
) -> None:
    out = tmp_path / "out"
    command = ("cutmix", photos, "--model", scorer, "--workers", 0, "--out", out)
    if place == "class":
        assert cli(*command).code == 0
        place = next(path.name for path in sorted(out.iterdir()) if path.is_dir())
        shutil.rmtree(out / place)
    (out / place).parent.mkdir(parents=True, exist_ok=True)
    (out / place).symlink_to(precious, target_is_directory=True)
    before = tree(precious)
    end = cli(*command)
    assert end.code in (2, 3)
    assert f"{place} is a symbolic link" in end.err
    assert tree(precious) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda part: part.update(made=5),
        lambda part: part.update(obsolete={"a": 1}),
        lambda part: part.update(obsolete=[7]),
        lambda part: part.update(sources=[["a", 1]]),
        lambda part: part.update(tried={"a": []}),
        lambda part: part.update(failed=[["job", ["a"]]]),
        lambda part: part.update(shard=["0-00000-of-00001"]),
        lambda part: part.update(shard="0-99999999999999"),
        lambda part: part["made"][0].__setitem__(1, "many"),
        lambda part: part["made"][0].__setitem__(1, -1),
        lambda part: part["made"][0].__setitem__(2, [{}]),
        lambda part: part["made"][0][3].__setitem__(1, {"cat": "much"}),
        lambda part: part["made"][0][3].__setitem__(1, ["cat"]),
        lambda part: part["made"][0][3].__setitem__(6, 1.5),
        lambda part: part["made"][0][3].append("more"),
        lambda part: part["made"][0][3].clear(),
    ],
)
def test_parts_with_wrong_types_are_damaged_and_made_anew(
    cli: Cli, photos: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    out = tmp_path / "out"
    command = ("cutout", photos, "--fill", "black", "--workers", 0, "--out", out)
    assert cli(*command).code == 0
    clean = tree(out)
    change_parts(out, change)
    assert cli(*command).code == 0
    assert tree(out) == clean


def test_deeply_nested_parts_are_damaged(cli: Cli, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ("cutout", photos, "--fill", "black", "--workers", 0, "--out", out)
    assert cli(*command).code == 0
    clean = tree(out)
    body = b"[" * 100_000 + b"]" * 100_000 + b"\n"
    (out / FOLDED_PARTS).write_bytes(gzip.compress(signed(body)))
    assert cli(*command).code == 0
    assert tree(out) == clean


def test_maps_replace_no_other_file(cli: Cli, photos: Path, scorer: Path, tmp_path: Path) -> None:
    thesis = tmp_path / "thesis.docx"
    thesis.write_bytes(b"PK\3\4 three years of work")
    (photo, *_) = sorted(path for path in photos.rglob("*") if path.is_file())
    before = tree(tmp_path)
    for out in (thesis, photo):
        end = cli("heatmaps", photos, "--model", scorer, "--overwrite", "--out", out)
        assert (end.code, end.out) == (2, "")
        assert "augcli replaces only a file of heat maps" in end.err
    assert tree(tmp_path) == before


def test_maps_remove_no_file_of_somebody_else(
    cli: Cli, photos: Path, scorer: Path, tmp_path: Path
) -> None:
    out = tmp_path / "m.npz"
    (tmp_path / "m.npz.part-notes.txt").write_bytes(b"mine")
    command = ("heatmaps", photos, "--model", scorer, "--workers", 0, "--out", out)
    assert cli(*command).code == 0
    (tmp_path / "m-errors.csv").write_bytes(b"my own errors\n")
    end = cli(*command)
    assert (end.code, end.out) == (2, "")
    assert f"{tmp_path}/m-errors.csv: is no table of errors that augcli made" in end.err
    assert (tmp_path / "m-errors.csv").read_bytes() == b"my own errors\n"
    assert (tmp_path / "m.npz.part-notes.txt").read_bytes() == b"mine"


def test_an_archive_that_unpacks_to_any_size_is_not_unpacked(
    cli: Cli, photos: Path, scorer: Path, tmp_path: Path
) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    size, checksum, packed = 64 << 20, 0, b""
    for _ in range(64):
        piece = bytes(1 << 20)
        packed += packer.compress(piece)
        checksum = zlib.crc32(piece, checksum)
    packed += packer.flush()
    fields = (20, 0, 8, 0, 0, checksum, len(packed), size, 1, 0)
    first = struct.pack("<4sHHHHHLLLHH", b"PK\3\4", *fields) + b"x" + packed
    entry = struct.pack("<4sHHHHHHLLLHHHHHLL", b"PK\1\2", 20, *fields, *[0] * 5) + b"x"
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 2000, 2000, 2000 * len(entry), len(first), 0)
    bomb = tmp_path / "bomb.npz"
    bomb.write_bytes(first + entry * 2000 + end)
    assert len(zipfile.ZipFile(bomb).namelist()) == 2000
    ended = cli("cutmix", photos, "--model", scorer, "--heatmaps", bomb, "--out", tmp_path / "out")
    assert (ended.code, ended.out) == (2, "")
    assert "is not a whole file of heat maps (it has other entries)" in ended.err
    assert not os.path.lexists(tmp_path / "out")


@pytest.mark.parametrize("name", ["run.json", FOLDED_PARTS, "metadata.csv", "classes.txt"])
def test_a_pipe_in_place_of_a_file_of_out_keeps_no_command_waiting(
    cli: Cli, photos: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    command = ("cutout", photos, "--fill", "black", "--workers", 0, "--out", out)
    assert cli(*command).code == 0
    (out / name).unlink()
    os.mkfifo(out / name)
    for words in (("verify", out, "--against", photos), ("status", out), command):
        assert cli(*words).code in (0, 1, 2, 3)


def test_a_pipe_in_place_of_a_source_is_a_problem_of_verify(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert cli("cutout", photos, "--workers", 0, "--out", out).code == 0
    source = next(path for path in sorted(photos.rglob("*")) if path.is_file())
    source.unlink()
    os.mkfifo(source)
    assert cli("verify", out, "--against", photos).code == 1
    shutil.rmtree(photos)


def test_an_output_without_its_record_is_not_mixed_with_another(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = ("cutout", photos, "--fill", "black", "--workers", 0, "--out", out)
    assert cli(*command).code == 0
    (out / "run.json").unlink()
    before = tree(out)
    for more in ((), ("--seed", 1), ("--overwrite",)):
        end = cli(*command, *more)
        assert (end.code, end.out) == (2, "")
        assert f"OUT {out} has no run.json, which says what command made its files" in end.err
    assert tree(out) == before
