"""Runs: the same bytes however they are made, and nothing done twice."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from augcli.data.names import output_name
from augcli.data.output import output_files
from augcli.plan.parts import Parts
from tests.photos import class_folders, picture, read, rows, save, times, tree

if TYPE_CHECKING:
    from tests.conftest import Cli

COUNTS = {"cat": 30, "dog": 28, "emu": 22}
"""Enough for eight shards."""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return class_folders(tmp_path_factory.mktemp("input") / "photos", COUNTS, side=12)


def commands(scorer: Path) -> list[list[object]]:
    return [
        ["cutmix", "--model", scorer, "--top-n", 20, "--copies", 2],
        ["cutout", "--patch", 5, "--copies", 2, "--originals", "encode", "--prob", 0.8],
    ]


@pytest.mark.parametrize("number", [0, 1])
def test_writes_the_same_bytes_when_other_numbers_of_workers_work(
    cli: Cli, many: Path, scorer: Path, tmp_path: Path, number: int
) -> None:
    command, *options = commands(scorer)[number]
    found = {}
    for workers in (0, 1, 2):
        out = tmp_path / str(workers)
        end = cli(command, many, "--out", out, "--workers", workers, *options)
        assert (end.code, end.out) == (0, f"{out}/metadata.csv\n")
        found[workers] = tree(out)
    assert len(list(Parts(output_files(str(tmp_path / "0"))).read())) == 16
    assert found[1] == found[0]
    assert found[2] == found[0]


def test_writes_the_same_bytes_when_input_and_out_lie_elsewhere(
    cli: Cli, many: Path, scorer: Path, tmp_path: Path
) -> None:
    # The files are made in the opposite order, so the folder lists them in another.
    elsewhere = class_folders(tmp_path / "else where", COUNTS, side=12, backwards=True)
    for name, folder in [("one", many), ("two", elsewhere)]:
        cli("cutmix", folder, "--out", tmp_path / name / "out", "--model", scorer)
    assert tree(tmp_path / "two/out") == tree(tmp_path / "one/out")


def test_writes_other_pictures_when_the_seed_is_another(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    for seed in (0, 1):
        cli("cutout", photos, "--out", tmp_path / str(seed), "--seed", seed, "--patch", 8)
    draws = [[row["draw"] for row in rows(tmp_path / str(seed))] for seed in (0, 1)]
    assert [a != b for a, b in zip(*draws, strict=True)] == [True] * 9


def test_does_nothing_and_says_so_when_it_is_run_again(
    cli: Cli, photos: Path, scorer: Path, tmp_path: Path
) -> None:
    arguments = ["cutmix", photos, "--out", tmp_path / "out", "--model", scorer]
    cli(*arguments)
    before = times(tmp_path / "out")
    before_of_out = (tmp_path / "out").stat().st_mtime_ns
    again = cli(*arguments)
    assert times(tmp_path / "out") == before
    assert (tmp_path / "out").stat().st_mtime_ns == before_of_out
    assert again.code == 0
    assert again.out == f"{tmp_path}/out/metadata.csv\n"
    assert "nothing to do: everything is there already\n" in again.err
    assert "9 images of 3 classes; average" in again.err


@pytest.fixture
def mixed(cli: Cli, photos: Path, scorer: Path) -> list[object]:
    """A command that was run once over ``photos``, into ``photos-cutmix``."""
    arguments = ["cutmix", photos, "--model", scorer, "--top-n", 9]
    assert cli(*arguments).code == 0
    return arguments


def pictures(out: Path) -> dict[str, int]:
    return {name: when for name, when in times(out).items() if name.endswith((".jpg", ".png"))}


def written(before: dict[str, int], out: Path) -> set[str]:
    return {name for name, when in pictures(out).items() if before.get(name) != when}


def output(source: str) -> str:
    return output_name(source, "cutmix", 0, source.rpartition(".")[2])


def base_of(out: Path, donor: str) -> str:
    return next(row["source_a"] for row in rows(out) if row["source_b"] == donor)


def test_writes_only_it_and_its_base_when_an_image_is_added(
    cli: Cli, photos: Path, mixed: list[object]
) -> None:
    out = photos.with_name("photos-cutmix")
    before = pictures(out)
    save(photos / "emu/new.png", picture(77, 20, 20))
    end = cli(*mixed)
    base = base_of(out, "emu/new.png")
    assert written(before, out) == {output("emu/new.png"), output(base)}
    assert "10 images of 3 classes, 2 of them new" in end.err


def test_writes_all_as_at_once_when_images_were_added_later(
    cli: Cli, photos: Path, mixed: list[object], tmp_path: Path
) -> None:
    for number in range(5):
        save(photos / f"cat/new{number}.jpg", picture(number, 30, 20))
    cli(*mixed)
    cli(*mixed, "--out", tmp_path / "fresh")
    kept = tree(photos.with_name("photos-cutmix"), hidden=False)
    assert kept == tree(tmp_path / "fresh", hidden=False)


def test_removes_its_output_and_mends_its_base_when_an_image_is_removed(
    cli: Cli, photos: Path, mixed: list[object]
) -> None:
    out = photos.with_name("photos-cutmix")
    before = pictures(out)
    base = base_of(out, "cat/002.jpg")
    (photos / "cat/002.jpg").unlink()
    end = cli(*mixed)
    assert written(before, out) == {output(base)}
    assert before.keys() - pictures(out).keys() == {output("cat/002.jpg")}
    assert "8 images of 3 classes, 1 of them new" in end.err


def test_removes_the_folder_when_a_whole_class_is_removed(
    cli: Cli, photos: Path, mixed: list[object], tmp_path: Path
) -> None:
    out = photos.with_name("photos-cutmix")
    before = tree(out)
    shutil.rmtree(photos / "emu")
    stopped = cli(*mixed)
    assert stopped.code == 3
    assert (
        f"folder {photos / 'emu'} held images in the run before, but now is missing" in stopped.err
    )
    assert tree(out) == before
    cli(*mixed, "--accept-missing")
    cli(*mixed, "--out", tmp_path / "fresh")
    assert tree(out, hidden=False) == tree(tmp_path / "fresh", hidden=False)
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == ["cat", "dog"]


def test_writes_it_and_its_base_anew_when_a_source_is_changed(
    cli: Cli, photos: Path, mixed: list[object]
) -> None:
    out = photos.with_name("photos-cutmix")
    before = pictures(out)
    base = base_of(out, "dog/001.png")
    save(photos / "dog/001.png", picture(99, 31, 33))
    cli(*mixed)
    assert written(before, out) == {output("dog/001.png"), output(base)}
    assert read(out / output("dog/001.png")).shape == (31, 33, 3)


def test_removes_its_output_when_a_source_was_damaged_later(
    cli: Cli, photos: Path, mixed: list[object], tmp_path: Path
) -> None:
    (photos / "dog/001.png").write_bytes(b"no picture")
    assert cli(*mixed).code == 1
    assert cli(*mixed, "--out", tmp_path / "fresh").code == 1
    kept = tree(photos.with_name("photos-cutmix"), hidden=False)
    assert kept == tree(tmp_path / "fresh", hidden=False)


def test_makes_outputs_again_when_they_are_missing_or_damaged(
    cli: Cli, photos: Path, mixed: list[object]
) -> None:
    out = photos.with_name("photos-cutmix")
    before, whole = pictures(out), tree(out, hidden=False)
    missing, damaged = out / output("cat/000.jpg"), out / output("cat/001.png")
    missing.unlink()
    damaged.write_bytes(damaged.read_bytes()[:-1])
    end = cli(*mixed)
    assert written(before, out) == {output("cat/000.jpg"), output("cat/001.png")}
    assert tree(out, hidden=False) == whole
    assert "made again, missing or damaged: 2 outputs\n" in end.err


def test_makes_a_shard_again_when_its_part_is_damaged(
    cli: Cli, photos: Path, mixed: list[object]
) -> None:
    out = photos.with_name("photos-cutmix")
    whole = tree(out)
    parts = out / "parts.jsonl.gz"
    parts.write_bytes(gzip.compress(gzip.decompress(parts.read_bytes()).replace(b"cat", b"dog", 1)))
    assert cli(*mixed).code == 0
    assert tree(out) == whole


def test_refuses_with_the_difference_when_out_is_of_another_command(
    cli: Cli, photos: Path, mixed: list[object]
) -> None:
    out = photos.with_name("photos-cutmix")
    before = times(out)
    other = cli(*mixed, "--top-n", 4, "--seed", 3)
    assert (other.code, other.out) == (2, "")
    assert f"OUT {out} was made by another command: top_n was 9 and is 4, " in other.err
    assert "seed was 0 and is 3; " in other.err
    cutout = cli("cutout", photos, "--out", out)
    assert (cutout.code, cutout.out) == (2, "")
    assert "command was cutmix and is cutout" in cutout.err
    assert times(out) == before


def test_removes_only_what_it_made_when_it_overwrites(
    cli: Cli, photos: Path, mixed: list[object], tmp_path: Path
) -> None:
    out = photos.with_name("photos-cutmix")
    mine = out / "cat/mine.txt"
    mine.write_text("a note")
    other = ["cutout", photos, "--patch", 3, "--format", "png"]
    assert cli(*other, "--out", out, "--overwrite").code == 0
    assert cli(*other, "--out", tmp_path / "fresh").code == 0
    assert {**tree(tmp_path / "fresh"), "cat/mine.txt": b"a note"} == tree(out)


def test_keeps_what_is_there_when_the_overwriting_run_can_not_begin(
    cli: Cli, photos: Path, mixed: list[object], tmp_path: Path
) -> None:
    out = photos.with_name("photos-cutmix")
    before = times(out)
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"no graph")
    end = cli("cutmix", photos, "--out", out, "--overwrite", "--model", bad)
    assert (end.code, times(out)) == (2, before)
