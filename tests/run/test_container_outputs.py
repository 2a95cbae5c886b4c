"""Outputs in containers: as true, as whole and as repeatable as files in a folder."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tarfile
from typing import TYPE_CHECKING

import pytest

from augcli.data.stores.sources import Sources
from augcli.plan.containers import containers_for
from augcli.plan.plan import Wanted
from tests.photos import class_folders, picture, rows, save, tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

PLAIN = ("cutout", "--patch", 9, "--fill", "black")
SINKS = ["webdataset", "parquet"]


@pytest.fixture(params=SINKS)
def to(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def containers(out: Path) -> list[str]:
    """Return the names of the files that hold outputs."""
    return sorted(path.name for path in out.iterdir() if path.name.startswith(("data-", "train-")))


def samples(file: Path) -> dict[str, bytes]:
    """Return the files in a tar."""
    with tarfile.open(file) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def shown(out: Path) -> dict[str, bytes]:
    """Return what a clean run gives: all but run.json, which has times."""
    assert not (out / ".augcli").exists()
    return tree(out)


@pytest.mark.parametrize("workers", [1, 2])
def test_bytes_are_the_same_for_any_number_of_workers(
    cli: Cli, photos: Path, tmp_path: Path, to: str, workers: int
) -> None:
    options = (*PLAIN, photos, "--to", to, "--shard-size", "2KB", "--originals", "copy")
    assert cli(*options, "--out", tmp_path / "a").code == 0
    assert cli(*options, "--out", tmp_path / "b", "--workers", workers).code == 0
    assert shown(tmp_path / "a") == shown(tmp_path / "b")
    assert len(containers(tmp_path / "a")) > 2


def test_verify_reads_and_remakes_what_containers_hold(
    cli: Cli, photos: Path, tmp_path: Path, to: str
) -> None:
    out = tmp_path / "out"
    assert cli(*PLAIN, photos, "--to", to, "--shard-size", "2KB", "--out", out).code == 0
    end = cli("verify", out, "--against", photos)
    assert end.code == 0, end.err
    assert "9 of them identical" in end.out + end.err
    file = out / containers(out)[0]
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    end = cli("verify", out)
    assert end.code == 1
    assert f"{file.name}: is not the file that was written" in end.err
    file.unlink()
    end = cli("verify", out)
    assert end.code == 1
    assert f"{file.name}: can't be read" in end.err
    (out / "train-00000-of-00001.tar").touch()
    assert "train-00000-of-00001.tar: has no row" in cli("verify", out).err


@pytest.mark.parametrize("damage", ["removed", "cut", "replaced"])
def test_a_container_that_is_damaged_is_made_again_whole(
    cli: Cli, photos: Path, tmp_path: Path, to: str, damage: str
) -> None:
    out = tmp_path / "out"
    options = (*PLAIN, photos, "--to", to, "--shard-size", "2KB", "--out", out)
    assert cli(*options).code == 0
    before = shown(out)
    first, second, *_ = containers(out)
    if damage == "removed":
        (out / first).unlink()
    elif damage == "cut":
        (out / first).write_bytes(before[first][:-512])
    else:
        shutil.copy(out / second, out / first)
        (out / first).write_bytes((out / first).read_bytes() + bytes(512))
    end = cli(*options)
    assert end.code == 0
    assert "made again, missing or damaged" in end.err
    assert shown(out) == before
    assert "nothing to do" in cli(*options).err


def test_extended_and_changed_sets_are_those_of_a_clean_run(
    cli: Cli, photos: Path, tmp_path: Path, to: str
) -> None:
    out, clean = tmp_path / "out", tmp_path / "clean"
    options = (*PLAIN, photos, "--to", to, "--shard-size", "3KB")

    def continued(*more: object) -> None:
        assert cli(*options, *more, "--out", out).code == 0
        shutil.rmtree(clean, ignore_errors=True)
        assert cli(*options, *more, "--out", clean).code == 0
        assert shown(out) == shown(clean)

    continued()
    continued("--copies", 3)
    continued("--copies", 2)
    # One source changes: the other files stay as they are.
    before = {name: (out / name).stat().st_ino for name in containers(out)}
    save(photos / "cat/000.jpg", picture(77, 25, 25))
    continued("--copies", 2)
    after = {name: (out / name).stat().st_ino for name in containers(out)}
    assert 1 <= sum(before[name] != after[name] for name in before) <= 4
    # Many more: their number changes, and with it all names.
    class_folders(photos, {"cat": 40, "dog": 30})
    continued("--copies", 2)
    shutil.rmtree(photos / "dog")
    class_folders(photos, {"cat": 4})
    continued("--accept-missing")
    # A new class changes the numbers of those after it.
    save(photos / "bee/000.jpg", picture(5, 24, 24))
    continued()
    assert not [name for name in containers(out) if name not in containers(clean)]


def test_the_number_of_files_follows_from_sources_and_options() -> None:
    def ranges(count: int, each: int, copies: int, size: int) -> int:
        sources = Sources("", [f"{number:07d}" for number in range(count)])
        sources.sizes.extend([each] * count)
        return containers_for(sources, Wanted.of(sources, copies), "tar", size).ranges[""]

    assert ranges(20, 1000, 1, 256_000_000) == 1
    assert ranges(255, 1000, 1, 256_000_000) == 1
    assert ranges(256, 1000, 1, 256_000_000) == 16
    assert ranges(128, 1000, 2, 256_000_000) == 8
    assert ranges(1000, 1_000_000, 1, 10_000_000) == 128
    assert ranges(3, 1000, 1, 1) == 4


def test_files_of_each_split_are_numbered_without_gaps(cli: Cli, tmp_path: Path, to: str) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    class_folders(data / "train", {"cat": 150, "dog": 150}, side=8)
    class_folders(data / "val", {"cat": 2, "dog": 1}, side=8)
    assert cli(*PLAIN, data, "--to", to, "--copies", 2, "--out", out).code == 0
    names = [path.name for path in sorted(out.glob("*-of-*"))]
    ending = names[0].rpartition(".")[2]
    wanted = [f"train-{number:05d}-of-00016.{ending}" for number in range(16)]
    assert names == [*wanted, f"val-00000-of-00001.{ending}"]
    table = rows(out)
    assert len(table) == 2 * 300 + 3
    for line in table:
        assert line["file_name"].startswith(f"{line['shard']}/")
        assert line["shard"].startswith(f"{line['split']}-")
    card = (out / "README.md").read_text()
    assert f'- split: train\n        path: "train-*.{ending}"' in card
    assert f'- split: val\n        path: "val-*.{ending}"' in card
    assert cli("verify", out, "--against", data).code == 0


def test_samples_say_what_the_manifest_says(cli: Cli, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert cli("mixup", photos, "--to", "webdataset", "--out", out).code == 0
    classes = (out / "classes.txt").read_text().split()
    (name,) = containers(out)
    files = samples(out / name)
    for line in rows(out):
        key = line["file_name"].removeprefix(f"{name}/").rpartition(".")[0]
        content = json.loads(files[f"{key}.json"])
        heaviest = max(zip(content["weights"], content["classes"], strict=True), key=lambda x: x[0])
        assert classes[int(files[f"{key}.cls"])] == heaviest[1]
        assert content["source_a"] == line["source_a"]
        assert content["sha256"] == line["sha256"]
        assert content["weights"][0] == float(line["weight_a"])
    info = json.loads((out / "_info.json").read_text())["splits"]["train"]
    assert info["filenames"] == [name]
    assert info["shard_lengths"] == [9]


def test_a_class_whose_pictures_all_fail_still_has_its_number(
    cli: Cli, photos: Path, tmp_path: Path, to: str
) -> None:
    for path in (photos / "dog").iterdir():
        path.write_bytes(b"\xff\xd8\xff\xe0 no picture")
    out = tmp_path / "out"
    assert cli(*PLAIN, photos, "--to", to, "--out", out).code == 1
    assert (out / "classes.txt").read_text() == "cat\ndog\nemu\n"
    assert cli("verify", out).code == 0
    before = shown(out)
    assert cli(*PLAIN, photos, "--to", to, "--out", out).code == 1
    assert shown(out) == before


def test_a_shard_whose_pictures_all_fail_is_an_empty_file(
    cli: Cli, tmp_path: Path, to: str
) -> None:
    photos = class_folders(tmp_path / "photos", {"cat": 3})
    for path in (photos / "cat").iterdir():
        path.write_bytes(b"\xff\xd8\xff\xe0 no picture")
    save(photos / "cat/whole.png", picture(1, 24, 24))
    out = tmp_path / "out"
    options = (*PLAIN, photos, "--to", to, "--shard-size", "1", "--out", out)
    assert cli(*options).code == 1
    assert len(containers(out)) > 1
    assert cli("verify", out).code == 0
    before = shown(out)
    assert cli(*options).code == 1
    assert shown(out) == before


def test_another_kind_of_output_is_another_command(
    cli: Cli, photos: Path, tmp_path: Path, to: str
) -> None:
    out, clean = tmp_path / "out", tmp_path / "clean"
    assert cli(*PLAIN, photos, "--out", out, "--to", to).code == 0
    end = cli(*PLAIN, photos, "--out", out)
    assert end.code == 2
    assert f"to was {to}" in end.err
    assert cli(*PLAIN, photos, "--out", out, "--overwrite").code == 0
    assert cli(*PLAIN, photos, "--out", clean).code == 0
    assert shown(out) == shown(clean)
    assert cli(*PLAIN, photos, "--out", out, "--to", to, "--overwrite").code == 0
    shutil.rmtree(clean)
    assert cli(*PLAIN, photos, "--out", clean, "--to", to).code == 0
    assert shown(out) == shown(clean)


@pytest.mark.parametrize("size", ["0", "12XB", "MB", "-1MB"])
def test_a_wrong_size_is_named(cli: Cli, photos: Path, size: str) -> None:
    end = cli(*PLAIN, photos, f"--shard-size={size}")
    assert end.code == 2
    assert "--shard-size" in end.err
    assert "256MB" in end.err


def test_the_manifest_is_the_one_of_a_folder_but_for_the_names(
    cli: Cli, photos: Path, tmp_path: Path, to: str
) -> None:
    assert cli(*PLAIN, photos, "--out", tmp_path / "folder").code == 0
    assert cli(*PLAIN, photos, "--out", tmp_path / "out", "--to", to).code == 0
    text = (tmp_path / "out/metadata.csv").read_text()
    table = list(csv.DictReader(io.StringIO(text)))
    for ours, theirs in zip(table, rows(tmp_path / "folder"), strict=True):
        assert ours.pop("shard") + "/" + theirs.pop("file_name") == ours.pop("file_name")
        assert ours == theirs
