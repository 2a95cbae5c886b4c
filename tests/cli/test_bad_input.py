"""Bad input: one sentence that names it, the right exit code, nothing lost."""

from __future__ import annotations

import os
import shutil
import struct
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from augcli.errors import with_flags
from tests import models
from tests.command import Outcome
from tests.photos import class_folders, picture, rows, save, times

if TYPE_CHECKING:
    from tests.conftest import Cli


def refused(cli: Cli, out: Path, *arguments: object) -> str:
    """Run a command that must be refused before it writes; return what it says."""
    end = cli(*arguments, "--out", out)
    *before, last = end.err.splitlines()
    assert (end.code, end.out, out.exists()) == (2, "", False)
    # The line before, if there is one, says what was about to be made.
    assert [line.startswith("augcli c") for line in before] in ([], [True])
    return last


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_is_refused_when_input_is_missing(cli: Cli, tmp_path: Path, out: Path) -> None:
    error = refused(cli, out, "cutout", tmp_path / "absent")
    assert error == f"augcli: INPUT {tmp_path}/absent does not exist; give a folder of images"


@pytest.mark.parametrize("names", [[], ["notes.txt"]], ids=["empty", "no image"])
def test_is_refused_when_input_holds_no_image(
    cli: Cli, tmp_path: Path, out: Path, names: list[str]
) -> None:
    (tmp_path / "photos").mkdir()
    for name in names:
        (tmp_path / "photos" / name).write_text("hello")
    error = refused(cli, out, "cutout", tmp_path / "photos")
    assert error.startswith(f"augcli: INPUT {tmp_path}/photos holds no image; augcli reads ")


def test_says_what_it_skipped_when_input_holds_other_images_only(
    cli: Cli, tmp_path: Path, out: Path
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.jxl").write_bytes(b"\xff\x0a")
    error = refused(cli, out, "cutout", tmp_path / "photos")
    assert "holds no image; skipped 1 JPEG XL image (not supported); augcli reads " in error


def test_is_refused_when_input_is_a_file(cli: Cli, photos: Path, out: Path) -> None:
    file = photos / "cat/000.jpg"
    error = refused(cli, out, "cutout", file)
    assert error.startswith(f"augcli: INPUT {file} is not a folder; ")


def test_is_refused_when_out_is_not_ours(cli: Cli, photos: Path, out: Path) -> None:
    out.mkdir()
    (out / "precious.txt").write_text("mine")
    for more in ([], ["--overwrite"]):
        before = times(out)
        end = cli("cutout", photos, "--out", out, *more)
        assert (end.code, end.out, times(out)) == (2, "", before)
        assert end.err == (
            f"augcli: OUT {out} holds files that augcli did not make; "
            "give another folder with --out, or an empty one\n"
        )


def test_is_refused_when_out_is_a_file(cli: Cli, photos: Path, out: Path) -> None:
    out.write_text("mine")
    end = cli("cutout", photos, "--out", out)
    assert (end.code, out.read_text()) == (2, "mine")
    assert end.err == f"augcli: OUT {out} is not a folder; give another with --out\n"


def test_is_refused_when_out_is_input(cli: Cli, photos: Path) -> None:
    before = times(photos)
    end = cli("cutout", photos, "--out", photos)
    assert (end.code, times(photos)) == (2, before)
    assert end.err == f"augcli: OUT {photos} is INPUT itself; give another folder with --out\n"


def test_is_refused_when_out_can_not_be_written(cli: Cli, photos: Path, tmp_path: Path) -> None:
    # A file where a folder is needed stops even the superuser, whom permissions don't.
    (tmp_path / "file").write_text("mine")
    end = cli("cutout", photos, "--out", tmp_path / "file/out")
    assert (end.code, end.out) == (2, "")
    assert f"augcli: OUT {tmp_path}/file/out can't be written (Not a directory); " in end.err


def test_never_reads_out_when_it_lies_inside_input(cli: Cli, photos: Path) -> None:
    first = cli("cutout", photos, "--out", photos / "results", "--copies", 2)
    second = cli("cutmix", photos, "--out", photos / "mixed")
    assert (first.code, len(rows(photos / "results"))) == (0, 18)
    assert (second.code, len(rows(photos / "mixed"))) == (0, 9)


def test_is_refused_when_different_classes_are_wanted_of_one(
    cli: Cli, tmp_path: Path, out: Path
) -> None:
    folder = class_folders(tmp_path / "photos", {"cat": 3})
    error = refused(cli, out, "cutmix", folder, "--pair", "different")
    assert error == (
        "augcli: --pair different needs images of two classes, but all are of 'cat'; use --pair any"
    )


def test_is_refused_when_a_single_image_is_to_be_mixed(cli: Cli, tmp_path: Path, out: Path) -> None:
    folder = class_folders(tmp_path / "photos", {"cat": 1})
    error = refused(cli, out, "cutmix", folder)
    assert error == ("augcli: cutmix mixes two images, but INPUT holds only one: 'cat/000.jpg'")


def test_says_how_to_give_labels_when_a_flat_folder_is_to_be_mixed(
    cli: Cli, photos: Path, out: Path
) -> None:
    error = refused(cli, out, "cutmix", photos / "cat")
    assert "'000.jpg' has none: put the images of each class into a folder" in error
    assert "or give --labels table.csv with the columns file_name,label" in error


def test_needs_no_labels_when_a_flat_folder_is_cut_out(cli: Cli, photos: Path, out: Path) -> None:
    assert cli("cutout", photos / "cat", "--out", out).code == 0
    assert [row["label_a"] for row in rows(out)] == [""] * 4


@pytest.mark.parametrize("count", [0, 50, -3, "x"])
def test_is_refused_when_top_n_is_out_of_bounds(
    cli: Cli, photos: Path, out: Path, count: object
) -> None:
    error = refused(cli, out, "cutmix", photos, "--top-n", count)
    assert error.startswith("augcli: --top-n is ")
    assert str(count) in error


def test_fills_the_image_and_says_so_when_the_patch_is_larger(
    cli: Cli, photos: Path, out: Path
) -> None:
    end = cli("cutout", photos, "--out", out, "--patch", 1000, "--fill", "white", "--inside")
    assert end.code == 0
    assert "note: a patch covers the whole image (9 images)\n" in end.err


def test_is_refused_when_the_model_is_missing(
    cli: Cli, photos: Path, tmp_path: Path, out: Path
) -> None:
    error = refused(cli, out, "cutmix", photos, "--model", tmp_path / "absent.onnx")
    assert f"augcli: --model {tmp_path}/absent.onnx: can't be read (No such file" in error


@pytest.mark.parametrize(
    ("kind", "workers", "words"),
    [
        ("text", 0, "is not an ONNX graph that onnxruntime can load"),
        ("input", 0, "takes tensor(float) ['N', 56, 56]; a scorer is"),
        ("output", 0, "gives (1, 3), not (1, h, w) or (1, 1, h, w)"),
        ("nan", 0, "gives heat maps with NaN or infinity"),
        ("nan", 1, "gives heat maps with NaN or infinity"),
    ],
)
def test_is_refused_when_the_model_is_no_scorer(
    cli: Cli, photos: Path, tmp_path: Path, out: Path, kind: str, workers: int, words: str
) -> None:
    path = tmp_path / "model.onnx"
    if kind == "text":
        path.write_text("no graph")
    elif kind == "input":
        models.save_identity(path, ["N", 56, 56])
    elif kind == "output":
        models.save_classifier(path)
    else:
        models.save_scorer(path, factor=np.nan)
    error = refused(cli, out, "cutmix", photos, "--model", path, "--workers", workers)
    assert error.startswith(f"augcli: --model {path}: {words}")


def test_is_refused_when_the_grid_is_finer_than_the_heat_map(
    cli: Cli, photos: Path, scorer: Path, out: Path
) -> None:
    error = refused(cli, out, "cutmix", photos, "--model", scorer, "--grid", 9)
    assert "gives 7 x 7 scores, too few for a grid of 9" in error


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file_name,label\n", "has no row for 2 images of INPUT, first 'a.png'"),
        ("file_name,label\na.png,x\nb.png,y\nc.png,z\n", "1 of its files are not images"),
        ("file_name,label\na.png,x\n", "has no row for 1 images of INPUT, first 'b.png'"),
        ("name,class\na.png,x\n", "has no column of files, such as file_name; the first line is"),
        ("file_name,label\na.png,x\na.png,y\n", "a.png has two different labels"),
        ("file_name,label\na.png\n", "line 2 has 1 cells, but the header has 2"),
        ("file_name,label\na.png,\n", "line 2 has no label"),
        ("\xff", "has no column of files, such as file_name; the first line is"),
    ],
)
def test_is_refused_when_the_label_table_is_wrong(
    cli: Cli, tmp_path: Path, out: Path, text: str, words: str
) -> None:
    for number, name in enumerate(["a.png", "b.png"]):
        save(tmp_path / "flat" / name, picture(number, 9, 9))
    table = tmp_path / "labels.csv"
    table.write_bytes(text.encode("latin-1"))
    error = refused(cli, out, "cutmix", tmp_path / "flat", "--labels", table)
    assert error.startswith(f"augcli: --labels {table}: {words}")


def failing(cli: Cli, photos: Path, out: Path) -> tuple[Outcome, list[str]]:
    """Run over nine good images and one bad one; return its end and the row of the bad one."""
    end = cli("cutout", photos, "--out", out, "--patch", 3)
    assert (end.code, end.out, len(rows(out))) == (1, f"{out}/metadata.csv\n", 9)
    assert f"1 image failed, see {out}/errors.csv\n" in end.err
    (row,) = rows(out, "errors.csv")
    assert [line for line in end.err.splitlines() if line.startswith("failed: ")] == [
        f"failed: {row['source']}: {with_flags(row['reason'])} ({row['stage']})"
    ]
    return end, [row["source"], row["stage"], row["reason"]]


def test_continues_when_a_file_is_empty(cli: Cli, photos: Path, out: Path) -> None:
    (photos / "cat/bad.jpg").touch()
    source, stage, reason = failing(cli, photos, out)[1]
    assert (source, stage, reason.partition(",")[0]) == ("cat/bad.jpg", "decode", "an empty file")


def test_continues_when_a_text_is_called_jpg(cli: Cli, photos: Path, out: Path) -> None:
    (photos / "cat/bad.jpg").write_text("<html>404</html>")
    assert failing(cli, photos, out)[1][:2] == ["cat/bad.jpg", "decode"]


def test_continues_when_a_photo_is_cut_short(cli: Cli, photos: Path, out: Path) -> None:
    whole = save(photos / "cat/bad.jpg", picture(5, 200, 200)).read_bytes()
    (photos / "cat/bad.jpg").write_bytes(whole[: len(whole) // 2])
    source, stage, reason = failing(cli, photos, out)[1]
    assert (source, stage, "cut short" in reason) == ("cat/bad.jpg", "decode", True)


def test_refuses_it_before_decoding_when_a_header_declares_huge_pixels(
    cli: Cli, photos: Path, out: Path
) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))
    (photos / "cat/bad.png").write_bytes(data + chunk(b"IEND", b""))
    reason = failing(cli, photos, out)[1][2]
    assert "declares 50,000 x 50,000 pixels; at most 100,000,000 are allowed" in reason
    # The file says the same, wherever the run was started from; the terminal names the flag.
    assert reason.endswith("(`max_pixels`)")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_continues_when_a_file_name_is_not_utf8(cli: Cli, photos: Path, out: Path) -> None:
    os.link(photos / "cat/000.jpg", os.fsencode(photos) + b"/cat/\xff\xfe.jpg")
    assert failing(cli, photos, out)[1] == [
        "cat/\\udcff\\udcfe.jpg",
        "list",
        "the file name is not UTF-8, so no manifest can hold it; rename it",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows refuses such names")
def test_keeps_the_name_when_it_holds_a_newline(cli: Cli, photos: Path, out: Path) -> None:
    name = 'a "b",\nc.jpg'
    shutil.copy(photos / "cat/000.jpg", photos / "cat" / name)
    assert cli("cutout", photos, "--out", out).code == 0
    row = next(row for row in rows(out) if row["source_a"] == f"cat/{name}")
    assert (out / row["file_name"]).is_file() == ("\n" not in row["file_name"])


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
@pytest.mark.parametrize("follow", [[], ["--follow-links"]], ids=["not followed", "followed"])
def test_reads_all_once_when_links_make_a_loop(
    cli: Cli, photos: Path, out: Path, follow: list[str]
) -> None:
    (photos / "cat/loop").symlink_to(photos)
    end = cli("cutout", photos, "--out", out, *follow)
    folders = [row["source_a"].rpartition("/")[0] for row in rows(out)]
    assert (end.code, folders) == (0, ["cat"] * 4 + ["dog"] * 3 + ["emu"] * 2)
    assert "skipped " in end.err
