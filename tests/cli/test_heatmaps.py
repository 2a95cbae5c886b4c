"""``augcli heatmaps`` and ``--heatmaps`` on the command line."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from augcli import HeatMaps
from tests import models
from tests.command import environment, start, wait_for
from tests.photos import class_folders, picture, read, save, tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scorer: Path) -> Path:
    """The current folder, and the tiny scorer for all commands."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUGCLI_MODEL", str(scorer))
    return tmp_path


def test_prints_the_path_of_the_file_and_writes_nothing_else(
    photos: Path, place: Path, cli: Cli
) -> None:
    end = cli("heatmaps", photos)
    assert (end.code, end.out) == (0, f"{place / 'heatmaps.npz'}\n")
    assert "9 heat maps of 3 classes" in end.err
    assert sorted(path.name for path in place.iterdir()) == ["heatmaps.npz", "photos"]
    assert len(HeatMaps.load("heatmaps.npz")) == 9


def test_writes_json_and_what_is_new(photos: Path, cli: Cli) -> None:
    events = [json.loads(line) for line in cli("heatmaps", photos, "--json").out.splitlines()]
    assert (events[0]["message_type"], events[-1]["message_type"]) == ("start", "summary")
    assert (events[-1]["images"], events[-1]["new"], events[-1]["failed"]) == (9, 9, 0)
    again = cli("heatmaps", photos, "--json").out.splitlines()
    assert json.loads(again[-1])["new"] == 0


def test_names_images_that_fail_and_stores_the_others(photos: Path, place: Path, cli: Cli) -> None:
    (photos / "cat/bad.jpg").write_bytes(b"no picture")
    end = cli("heatmaps", photos)
    assert end.code == 1
    assert "failed: cat/bad.jpg" in end.err
    assert "1 image failed, see" in end.err
    with (place / "heatmaps-errors.csv").open(newline="") as file:
        assert [row["source"] for row in csv.DictReader(file)] == ["cat/bad.jpg"]
    assert len(HeatMaps.load("heatmaps.npz")) == 9
    (photos / "cat/bad.jpg").unlink()
    assert cli("heatmaps", photos, "--quiet").err == ""
    assert not (place / "heatmaps-errors.csv").exists()


def test_takes_options_from_the_environment_and_a_file(
    photos: Path, place: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "c.toml").write_text('quality = 80\n[heatmaps]\ngrid = 5\nout = "five.npz"\n')
    assert cli("heatmaps", photos, "--config", "c.toml").code == 0
    assert HeatMaps.load("five.npz")["cat/000.jpg"].shape == (5, 5)
    monkeypatch.setenv("AUGCLI_OUT", "four.npz")
    assert cli("heatmaps", photos, "--grid", 4).code == 0
    assert HeatMaps.load("four.npz").about.grid == 4


def test_draws_every_image_under_its_map(photos: Path, place: Path, cli: Cli) -> None:
    save(photos / "emu/wide.png", picture(3, 70, 140))
    assert cli("heatmaps", photos, "--overlay", "shown", "--top-n", 1).code == 0
    assert len(list((place / "shown").rglob("*.jpg"))) == 10
    (wide,) = (place / "shown").glob("emu/wide-*.jpg")
    shown = read(wide).astype(int)
    assert shown.shape == (70, 140, 3)
    best = int(HeatMaps.load("heatmaps.npz")["emu/wide.png"].argmax())
    top, left = best // 7 * 10, best % 7 * 20
    edge = np.concatenate([shown[top, left + 3 : left + 17], shown[top + 9, left + 3 : left + 17]])
    assert (edge[:, 1] > edge[:, 0] + 40).mean() > 0.9


REFUSED: dict[str, tuple[list[object], str]] = {
    "no INPUT": (["nowhere"], "does not exist"),
    "no folder for it": (["photos", "-o", "none/m.npz"], "does not exist; make it"),
    "a folder": (["photos", "-o", "photos"], "is a folder; give a file"),
    "not ours": (["photos", "-o", "text.npz"], "is not a whole file of heat maps"),
    "another grid": (["photos", "-o", "maps.npz", "--grid", 5], "holds maps of another --grid"),
    "another scorer": (
        ["photos", "-o", "maps.npz", "--model", "other.onnx"],
        "holds maps of another scorer",
    ),
    "overlay in INPUT": (["photos", "--overlay", "photos/shown"], "lies in INPUT"),
    "too large a grid": (["photos", "--grid", 8], "too few for a grid of 8"),
    "no such device": (["photos", "--device", "tpu"], "--device is 'tpu', but this onnxruntime"),
    "no device": (["photos", "--device", "gpu 0"], "--device is 'gpu 0', but must be auto, cpu"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refuses_in_one_sentence_and_changes_nothing(
    photos: Path, place: Path, cli: Cli, what: str
) -> None:
    models.save_scorer(place / "other.onnx", factor=2.0)
    (place / "text.npz").write_text("mine")
    assert cli("heatmaps", photos, "-o", "maps.npz").code == 0
    before = tree(place)
    arguments, sentence = REFUSED[what]
    end = cli("heatmaps", *arguments)
    assert end.code == 2
    assert sentence in end.err
    assert tree(place) == before


def test_overwrite_replaces_maps_of_another_scorer(photos: Path, place: Path, cli: Cli) -> None:
    assert cli("heatmaps", photos).code == 0
    before = HeatMaps.load("heatmaps.npz").about.scorer
    models.save_scorer(place / "other.onnx", factor=2.0)
    assert cli("heatmaps", photos, "--model", "other.onnx", "--overwrite").code == 0
    assert HeatMaps.load("heatmaps.npz").about.scorer != before


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_a_run_refuses_maps_that_do_not_fit(
    photos: Path, place: Path, cli: Cli, dry: list[str]
) -> None:
    (place / "text.npz").write_text("mine")
    end = cli("cutmix", photos, "--heatmaps", "text.npz", *dry)
    assert end.code == 2
    assert "text.npz: is not a whole file of heat maps" in end.err
    assert not (place / "photos-cutmix").exists()


def test_stored_maps_belong_to_a_run_and_not_to_its_outputs(photos: Path, cli: Cli) -> None:
    assert cli("heatmaps", photos).code == 0
    assert cli("cutmix", photos, "--out", "out").code == 0
    again = cli("cutmix", photos, "--out", "out", "--heatmaps", "heatmaps.npz")
    assert again.code == 0
    assert "nothing to do" in again.err
    assert "heatmaps" not in cli("cutmix", photos, "--print-recipe", "--heatmaps", "m.npz").out


def test_continues_after_a_kill(place: Path, cli: Cli, scorer: Path) -> None:
    plain = environment(AUGCLI_MODEL=str(scorer))
    many = class_folders(place / "many", {"cat": 40, "dog": 40}, side=90)
    process = start("heatmaps", many, "--workers", 2, cwd=place, env=plain)
    # A quick machine may be done before it is looked at.
    wait_for(
        lambda: (
            any(path.stat().st_size for path in place.glob("heatmaps.npz.part-*"))
            or process.poll() is not None
        )
    )
    process.kill()
    process.communicate()
    if not (place / "heatmaps.npz").exists():
        events = cli("heatmaps", many, "--json").out.splitlines()
        assert json.loads(events[-1])["new"] < 80
    assert cli("heatmaps", many, "-o", "fresh.npz").code == 0
    assert (place / "fresh.npz").read_bytes() == (place / "heatmaps.npz").read_bytes()
    assert sorted(place.glob("heatmaps.npz*")) == [place / "heatmaps.npz"]
