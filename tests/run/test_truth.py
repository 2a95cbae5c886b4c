"""The truth of every label: weights and boxes recomputed from the pixels that were written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from augcli.pixels.frame import Frame
from augcli.pixels.resize import fit, resize
from tests.command import ROOT, Outcome, call
from tests.photos import class_folders, read, rows, save, tree

if TYPE_CHECKING:
    from augcli.pixels.frame import Image
    from tests.conftest import Cli

SAMPLES = ROOT / "sample_images"
CLASSES = ["animal", "person", "space", "thing"]
MOST_CELLS = 6
SIDE = 16


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Outcome]]:
    """OUT of both commands on the sample images, and how they ended."""
    folder = tmp_path_factory.mktemp("made")
    options = {"cutout": ["--patch", SIDE, "--holes", 2], "cutmix": ["--top-n", MOST_CELLS]}
    return {
        name: (
            folder / name,
            call(name, SAMPLES, "--out", folder / name, "--format", "png", "--workers", 0, *more),
        )
        for name, more in options.items()
    }


def edges(side: int, grid: int) -> list[int]:
    """Return where the cells of a side begin and end: i * side / grid, rounded half up."""
    return [int(i * side / grid + 0.5) for i in range(grid + 1)]


def donated_cells(output: Image, base: Image, donor: Image, grid: int) -> tuple[set[int], float]:
    """Find by comparing pixels which cells show the donor, and their share of all pixels."""
    height, width = output.shape[:2]
    rows_at, columns_at = edges(height, grid), edges(width, grid)
    cells, pixels = set(), 0
    for cell in range(grid * grid):
        row, column = divmod(cell, grid)
        at = (
            slice(rows_at[row], rows_at[row + 1]),
            slice(columns_at[column], columns_at[column + 1]),
        )
        of_base = (output[at] == base[at]).all()
        if not of_base:
            # What is pasted was resized by itself, so it lies up to half a pixel beside the donor.
            apart = [np.abs(output[at].astype(int) - one[at]).mean() for one in (base, donor)]
            assert apart[1] < apart[0] / 4, apart
            cells.add(cell)
            pixels += output[at].shape[0] * output[at].shape[1]
    return cells, pixels / (height * width)


def test_ends_well_when_the_samples_are_augmented(
    made: dict[str, tuple[Path, Outcome]],
) -> None:
    for out, end in made.values():
        assert (end.code, end.out) == (0, f"{out}/metadata.csv\n")
        assert (out / "classes.txt").read_text() == "".join(f"{name}\n" for name in CLASSES)
        assert sorted(path.name for path in out.iterdir()) == sorted(
            [*CLASSES, "README.md", "classes.txt", "metadata.csv", "parts.jsonl.gz", "run.json"]
        )


@pytest.mark.parametrize("name", ["cutout", "cutmix"])
def test_has_a_row_for_every_picture_when_a_run_is_over(
    made: dict[str, tuple[Path, Outcome]], name: str
) -> None:
    out, _ = made[name]
    table = rows(out)
    sources = sorted(path.relative_to(SAMPLES).as_posix() for path in SAMPLES.glob("*/*"))
    pictures = sorted(path.relative_to(out).as_posix() for path in out.glob("*/*.*"))
    assert [row["file_name"] for row in table] == [
        one for one in pictures if not one.startswith(".")
    ]
    assert sorted(row["source_a"] for row in table) == sources
    assert [row["label_a"] for row in table] == [row["source_a"].split("/")[0] for row in table]
    assert {(row["method"], row["copy"]) for row in table} == {(name, "0")}


@pytest.mark.parametrize("name", ["cutout", "cutmix"])
def test_describes_itself_when_a_run_is_over(
    made: dict[str, tuple[Path, Outcome]], name: str
) -> None:
    out, _ = made[name]
    record = json.loads((out / "run.json").read_text())
    card = (out / "README.md").read_text()
    assert (record["state"], record["identity"]["command"]) == ("complete", name)
    assert (record["counts"]["images"], record["counts"]["failed"]) == (16, 0)
    assert [isinstance(record["versions"][one], str) for one in ("python", "numpy")] == [True] * 2
    assert card.startswith("---\nconfigs:\n  - config_name: default\n    description: ")
    assert f"16 images of 4 classes, made by `augcli {name}`." in card


def test_weighs_the_pixels_that_show_the_donor_when_it_mixes(
    made: dict[str, tuple[Path, Outcome]],
) -> None:
    out, _ = made["cutmix"]
    for row in rows(out):
        output, base = read(out / row["file_name"]), read(SAMPLES / row["source_a"])
        frame = Frame.of(base)
        assert (output.shape, (int(row["height"]), int(row["width"]))) == (base.shape, frame)
        cells, share = donated_cells(output, base, fit(read(SAMPLES / row["source_b"]), frame), 7)
        draw = json.loads(row["draw"])
        label_b = row["source_b"].split("/")[0]
        merged = label_b == row["label_a"]
        weights = (float(row["weight_a"]), float(row["weight_b"]))
        assert (draw["grid"], set(draw["cells"]), len(draw["cells"])) == (7, cells, MOST_CELLS)
        assert row["label_b"] == ("" if merged else label_b)
        assert weights == pytest.approx((1, 0) if merged else (1 - share, share), abs=1e-12)
        assert sum(weights) == pytest.approx(1, abs=1e-9)


def test_fills_exactly_the_boxes_of_the_row_when_it_cuts_out(
    made: dict[str, tuple[Path, Outcome]],
) -> None:
    out, _ = made["cutout"]
    colour = json.loads((out / "run.json").read_text())["mean_colour"]
    for row in rows(out):
        draw = json.loads(row["draw"])
        expected = read(SAMPLES / row["source_a"])
        sides = []
        for x0, y0, x1, y1 in draw["boxes"]:
            expected[y0:y1, x0:x1] = colour
            sides += [x1 - x0, y1 - y0]
        assert draw["fill"] == colour
        assert [1 <= side <= SIDE for side in sides] == [True] * 4
        assert (read(out / row["file_name"]) == expected).all() == np.True_
        assert (row["weight_a"], row["label_b"], row["weight_b"]) == ("1.0", "", "0.0")


def mean_of(folder: Path) -> list[int]:
    """Return the mean of the images' mean colours, each rounded."""
    means = [np.floor(read(one).mean(axis=(0, 1)) + 0.5) for one in folder.glob("*/*.*")]
    return [int(one) for one in np.floor(np.mean(means, axis=0) + 0.5)]


def test_records_the_mean_colour_of_all_images_when_there_are_few(
    made: dict[str, tuple[Path, Outcome]],
) -> None:
    record = json.loads((made["cutout"][0] / "run.json").read_text())
    assert record["mean_colour"] == mean_of(SAMPLES)


def run(cli: Cli, name: str, folder: Path, *options: object) -> tuple[Path, list[dict[str, str]]]:
    """Run a command over a folder; return OUT and its rows."""
    out = folder.with_name("out")
    assert cli(name, folder, "--out", out, *options).code == 0
    return out, rows(out)


def test_makes_as_many_of_each_when_copies_are_asked_for(
    cli: Cli, photos: Path, scorer: Path
) -> None:
    _, table = run(cli, "cutmix", photos, "--model", scorer, "--copies", 3)
    by_copy = [
        {row["source_a"]: row["source_b"] for row in table if row["copy"] == copy}
        for copy in ("0", "1", "2")
    ]
    assert [len(one) for one in by_copy] == [9, 9, 9]
    assert [sorted(one.values()) == sorted(one) for one in by_copy] == [True] * 3
    assert by_copy[0] != by_copy[1]


@pytest.mark.parametrize("name", ["cutout", "cutmix"])
def test_leaves_spared_images_as_they_are_when_prob_is_a_half(
    cli: Cli, tmp_path: Path, scorer: Path, name: str
) -> None:
    folder = class_folders(tmp_path / "photos", {"a": 20, "b": 20})
    more = ["--model", scorer] if name == "cutmix" else ["--patch", 9, "--inside"]
    out, table = run(cli, name, folder, "--prob", 0.5, "--format", "png", *more)
    spared = [row for row in table if row["draw"] == '{"spared": true}']
    assert 5 <= len(spared) <= 35
    for row in table:
        same = (read(out / row["file_name"]) == read(folder / row["source_a"])).all()
        assert same == (row in spared)
    assert {(one["weight_a"], one["label_b"], one["source_b"]) for one in spared} == {
        ("1.0", "", "")
    }


def test_takes_sources_along_as_they_are_when_originals_are_copied(cli: Cli, photos: Path) -> None:
    out, table = run(cli, "cutout", photos, "--originals", "copy", "--copies", 2)
    originals = [row for row in table if row["method"] == "original"]
    assert (len(table), len(originals)) == (27, 9)
    for row in originals:
        assert (row["draw"], row["weight_a"], row["copy"]) == ("{}", "1.0", "0")
        assert (out / row["file_name"]).read_bytes() == (photos / row["source_a"]).read_bytes()


def test_encodes_sources_like_outputs_when_originals_are_encoded(cli: Cli, photos: Path) -> None:
    options = ["--format", "webp", "--quality", 40, "--size", "30x20", "--prob", 0]
    out, table = run(cli, "cutout", photos, "--originals", "encode", *options)
    content: dict[str, set[bytes]] = {}
    for row in table:
        content.setdefault(row["source_a"], set()).add((out / row["file_name"]).read_bytes())
    # Nothing is augmented here: compression must not tell which is the original.
    assert [len(one) for one in content.values()] == [1] * 9
    assert len(table) == 18


def test_resizes_before_it_augments_when_a_size_is_given(cli: Cli, photos: Path) -> None:
    options = ["--size", "33x21", "--format", "png", "--patch", 5, "--fill", "#ff0000"]
    out, table = run(cli, "cutout", photos, *options)
    for row in table:
        expected = resize(read(photos / row["source_a"]), Frame(21, 33)).copy()
        x0, y0, x1, y1 = json.loads(row["draw"])["boxes"][0]
        expected[y0:y1, x0:x1] = (255, 0, 0)
        assert (row["width"], row["height"]) == ("33", "21")
        assert (read(out / row["file_name"]) == expected).all() == np.True_


def test_keeps_or_changes_the_format_when_one_is_asked_for(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    save(photos / "cat/extra.bmp", read(photos / "cat/000.jpg"))
    save(photos / "cat/extra.tif", read(photos / "cat/000.jpg"))
    found: dict[str, Any] = {}
    for wanted in ("same", "jpg", "png", "webp"):
        cli("cutout", photos, "--out", tmp_path / wanted, "--format", wanted)
        endings = [row["file_name"].rpartition(".")[2] for row in rows(tmp_path / wanted)]
        found[wanted] = {one: endings.count(one) for one in sorted(set(endings))}
    assert found == {
        "same": {"jpg": 5, "png": 6},
        "jpg": {"jpg": 11},
        "png": {"png": 11},
        "webp": {"webp": 11},
    }


def test_writes_smaller_files_when_the_quality_is_lower(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    sizes = []
    for quality in (20, 95):
        out = tmp_path / str(quality)
        cli("cutout", photos, "--out", out, "--format", "jpg", "--quality", quality)
        sizes.append(sum(len(data) for name, data in tree(out).items() if name.endswith("jpg")))
    assert sizes == sorted(set(sizes))


def test_takes_a_part_of_all_classes_when_a_limit_is_given(cli: Cli, tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "photos", {"a": 20, "b": 20})
    _, table = run(cli, "cutout", folder, "--limit", 12)
    labels = [row["label_a"] for row in table]
    assert (len(table), sorted(set(labels))) == (12, ["a", "b"])
