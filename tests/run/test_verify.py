"""Verifying: a whole folder has no problem, and each thing that is wrong has its sentence."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import augcli
from augcli.errors import InputError, OutputError
from augcli.run.verifying.audit import WRONG_HASH
from augcli.run.verifying.verify import verify
from tests.photos import class_folders, picture, read, rows, save

if TYPE_CHECKING:
    from tests.conftest import Cli


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, scorer: Path) -> Path:
    """A folder that holds INPUT, and an OUT for each file format."""
    folder = tmp_path_factory.mktemp("verified")
    source = class_folders(folder / "photos", {"cat": 4, "dog": 3})
    mix = augcli.AttentiveCutMix(top_n=9)
    for kind in ("png", "jpg", "webp"):
        out, originals = folder / kind, "encode"
        augcli.augment(
            source, mix, out=out, format=kind, model=scorer, originals=originals, workers=0
        )
    return folder


@pytest.fixture
def out(made: Path, tmp_path: Path) -> Path:
    """A copy of the folder of PNG files, to be damaged."""
    shutil.copytree(made / "png", tmp_path / "png")
    return tmp_path / "png"


def change(out: Path, **cells: object) -> str:
    """Change cells of the first mixed row; return its file name."""
    table = rows(out)
    row = next(row for row in table if row["label_b"])
    row.update({name: str(value) for name, value in cells.items()})
    with (out / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    return row["file_name"]


def problems(out: Path, against: Path | None = None) -> list[tuple[str, str]]:
    found = verify(out, against=against).problems
    return [(problem.file_name, problem.what) for problem in found]


@pytest.mark.parametrize("kind", ["png", "jpg", "webp"])
def test_whole_folder_has_no_problem_and_every_output_is_made_again_alike(
    made: Path, kind: str
) -> None:
    found = verify(made / kind, against=made / "photos")
    assert (found.rows, found.remade, found.identical, found.problems) == (14, 14, 14, [])


def test_nothing_is_made_again_when_input_is_not_given(made: Path) -> None:
    assert verify(made / "png").remade == 0


def test_missing_file_is_found(out: Path) -> None:
    name = rows(out)[0]["file_name"]
    (out / name).unlink()
    assert problems(out) == [(name, "can't be read (No such file or directory)")]


def test_flipped_bit_is_found(out: Path) -> None:
    path = out / rows(out)[3]["file_name"]
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    assert problems(out) == [(rows(out)[3]["file_name"], WRONG_HASH)]


def test_files_of_file_managers_and_trainers_are_no_strays(out: Path) -> None:
    for name in (".DS_Store", "cat/.DS_Store", "cat/Thumbs.db", "desktop.ini", "train.cache"):
        (out / name).touch()
    assert problems(out) == []


def test_hidden_picture_is_a_stray_file(out: Path) -> None:
    (out / "cat/._x.png").touch()
    assert problems(out) == [("cat/._x.png", "has no row")]


def test_stray_file_is_found(out: Path) -> None:
    (out / "cat/more/deeper").mkdir(parents=True)
    (out / "cat/more/deeper/x.png").touch()
    assert problems(out) == [("cat/more/deeper/x.png", "has no row")]


def test_row_twice_is_found(out: Path) -> None:
    lines = (out / "metadata.csv").read_bytes().splitlines(keepends=True)
    (out / "metadata.csv").write_bytes(b"".join([*lines, lines[1]]))
    assert problems(out) == [(rows(out)[0]["file_name"], "has two rows")]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"weight_a": 0.5, "weight_b": 0.4}, "the weights sum to 0.9, not 1"),
        ({"weight_a": 1.5, "weight_b": -0.5}, "a weight is not between 0 and 1"),
        ({"weight_a": "nan"}, "the weights sum to nan, not 1"),
        ({"label_b": ""}, "a weight has no class"),
        ({"label_a": "cow"}, "the class 'cow' is not in classes.txt"),
    ],
)
def test_wrong_labels_are_found(out: Path, cells: dict[str, object], words: str) -> None:
    name = change(out, **cells)
    assert (name, words) in problems(out)


def test_wrong_order_of_classes_is_found(out: Path) -> None:
    (out / "classes.txt").write_text("dog\ncat\n")
    found = ("classes.txt", "the classes are not in the order of code points")
    assert problems(out) == [found]


@pytest.mark.parametrize("labels", [["a\nb", "a!"], ["a\\b", "a"], ["\x85", "\u2028", "z\r"]])
def test_classes_of_any_name_are_no_problem(tmp_path: Path, labels: list[str]) -> None:
    for number in range(len(labels)):
        save(tmp_path / "flat" / f"{number}.png", picture(number, 9, 9))
    with (tmp_path / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file_name", "label"])
        table.writerows([f"{number}.png", label] for number, label in enumerate(labels))
    out = tmp_path / "out"
    method = augcli.Cutout(fill="black")
    labels_in = tmp_path / "labels.csv"
    augcli.augment(tmp_path / "flat", method, out=out, labels=labels_in, workers=0)
    assert problems(out) == []


def test_row_of_ten_thousand_boxes_is_read(tmp_path: Path) -> None:
    save(tmp_path / "photos/cat/a.png", picture(1, 99, 99))
    method = augcli.Cutout(patch=2, holes=10_000, fill="black")
    augcli.augment(tmp_path / "photos", method, out=tmp_path / "out", workers=0)
    limit = csv.field_size_limit()
    found = verify(tmp_path / "out", against=tmp_path / "photos")
    assert (found.identical, found.problems) == (1, [])
    assert csv.field_size_limit() == limit


def test_changed_draw_is_found(made: Path, out: Path) -> None:
    record = json.loads(next(row for row in rows(out) if row["label_b"])["draw"])
    cells = record["cells"]
    cells[0] = next(cell for cell in range(49) if cell not in cells)
    name = change(out, draw=json.dumps(record))
    ((found, words),) = problems(out, made / "photos")
    assert found == name
    assert words.startswith(("differs from what its sources give: ", "weight_b is "))


@pytest.mark.parametrize("draw", ["", "[]", "7", '{"grid": 7}', '{"grid": 0, "cells": []}', "{"])
def test_draw_that_is_none_is_found(made: Path, out: Path, draw: str) -> None:
    name = change(out, draw=draw)
    ((found, words),) = problems(out, made / "photos")
    assert (found, words.startswith("the draw can't be applied: ")) == (name, True)


def test_pixels_outside_the_patch_are_compared(made: Path, out: Path) -> None:
    import hashlib

    row = next(row for row in rows(out) if row["label_b"])
    pixels = read(out / row["file_name"])
    base = read(made / "photos" / row["source_a"])
    outside = next(zip(*(pixels == base).all(axis=2).nonzero(), strict=True))
    pixels[outside] ^= 1
    save(out / row["file_name"], pixels)
    name = change(out, sha256=hashlib.sha256((out / row["file_name"]).read_bytes()).hexdigest())
    ((found, words),) = problems(out, made / "photos")
    assert found == name
    assert words.startswith("differs from what its sources give: 0.00 levels on average, 1 at most")


def test_changed_and_missing_sources_are_found(made: Path, out: Path, tmp_path: Path) -> None:
    source = tmp_path / "photos"
    shutil.copytree(made / "photos", source)
    (source / "cat/000.jpg").unlink()
    (source / "dog/001.png").write_bytes(b"")
    save(source / "cat/002.jpg", picture(77, 40, 40))
    found = {words.partition(":")[0] for _, words in problems(out, source)}
    assert {
        "a source can't be read (No such file or directory)",
        "a source can't be used",
    } <= found
    assert len(found) > 2


def test_input_that_is_no_folder_is_refused(made: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        verify(made / "png", against=tmp_path / "nothing")


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\n", None])
def test_table_that_is_none_is_refused(out: Path, content: bytes | None) -> None:
    if content is None:
        (out / "metadata.csv").unlink()
    else:
        (out / "metadata.csv").write_bytes(content)
    if content == b"":
        assert {words for _, words in problems(out)} == {"has no row"}
    else:
        with pytest.raises(OutputError, match=r"metadata\.csv"):
            verify(out)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_pipe_in_the_place_of_an_output_is_found_and_not_waited_for(out: Path) -> None:
    name = rows(out)[0]["file_name"]
    (out / name).unlink()
    os.mkfifo(out / name)
    assert problems(out) == [(name, "can't be read (is not a regular file)")]


def test_run_that_is_not_complete_is_a_problem(out: Path) -> None:
    record = json.loads((out / "run.json").read_text())
    (out / "run.json").write_text(json.dumps({**record, "state": "running"}))
    assert problems(out) == [("run.json", "the run is not complete; run the command again")]


def test_command_says_what_is_wrong_and_ends_with_1(cli: Cli, made: Path, out: Path) -> None:
    name = rows(out)[0]["file_name"]
    (out / name).unlink()
    good, bad = cli("verify", made / "png", "--against", made / "photos"), cli("verify", out)
    assert (good.code, good.err) == (0, "")
    assert good.out == "14 rows checked, 0 problems\n14 made again, 14 of them identical\n"
    assert (bad.code, bad.out) == (1, "14 rows checked, 1 problem\n")
    assert bad.err == f"{name}: can't be read (No such file or directory)\n"
    told = json.loads(cli("verify", out, "--json").out)
    assert (told["message_type"], told["rows"], told["problems"][0]["file_name"]) == (
        "verified",
        14,
        name,
    )
