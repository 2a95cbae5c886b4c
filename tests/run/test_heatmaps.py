"""Stored heat maps: no image is scored twice, and no output depends on them.

Over 300 lines, because files, tables, chains and GPUs are tried in all combinations that matter.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import pytest

from augcli import AttentiveCutMix, Cutout, HeatMaps, augment
from augcli.attention.graph import Graph
from augcli.attention.scorer import Scorer
from augcli.errors import HeatMapsError, ParameterError
from augcli.recipes.recipe import Recipe
from augcli.run.heatmaps import make_heat_maps
from augcli.run.messages import Notice
from augcli.run.options import HeatMapOptions
from tests import models
from tests.devices import pretend
from tests.photos import class_folders, picture, save, tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.pixels.frame import Image

FIRST_STEP = '[[step]]\nuse = "{first}"\n\n[[step]]\nuse = "cutmix"\n'


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> Counter[bytes]:
    """How often each picture was scored in this process, by what the scorer was fed."""
    counts: Counter[bytes] = Counter()
    real = Graph.scores

    def counted(graph: Graph, fitted: list[Image]) -> Any:
        counts.update(one.tobytes() for one in fitted)
        return real(graph, fitted)

    monkeypatch.setattr(Graph, "scores", counted)
    return counts


@pytest.fixture
def maps(photos: Path, scorer: Path, tmp_path: Path) -> Path:
    """The heat maps of the photos."""
    return stored(photos, scorer, tmp_path / "maps.npz")


def stored(photos: Path, scorer: Path | None, out: Path, **options: Any) -> Path:
    make_heat_maps(photos, HeatMapOptions(out=out, model=scorer, workers=0, **options))
    return out


def mixed(photos: Path, out: Path, **options: Any) -> tuple[dict[str, bytes], list[str]]:
    """Return what a run writes, and its notices."""
    notices: list[str] = []

    def listen(message: Any) -> None:
        if isinstance(message, Notice):
            notices.append(message.text)

    method = options.pop("method", None) or AttentiveCutMix(top_n=5)
    augment(photos, method, out=out, listener=listen, **{"workers": 0, **options})
    return tree(out), notices


def test_outputs_are_the_same_and_nothing_is_scored_with_stored_maps(
    photos: Path, scorer: Path, maps: Path, tmp_path: Path, scored: Counter[bytes]
) -> None:
    plain, _ = mixed(photos, tmp_path / "plain", model=scorer)
    assert len(scored) == 9
    scored.clear()
    known, notices = mixed(photos, tmp_path / "known", model=scorer, heatmaps=maps)
    assert known == plain
    assert (dict(scored), notices) == ({}, [])


@pytest.mark.parametrize("side", [112, None], ids=["larger map", "any size"])
@pytest.mark.parametrize("label_mode", ["area", "attention"])
def test_outputs_are_the_same_with_maps_of_any_scorer(
    photos: Path, tmp_path: Path, side: int | None, label_mode: Any, scored: Counter[bytes]
) -> None:
    model = models.save_scorer(tmp_path / "m.onnx", side=side, weights=(0.4, 0.3, 0.299))
    maps = stored(photos, model, tmp_path / "maps.npz")
    method = AttentiveCutMix(top_n=5, label_mode=label_mode)
    plain, _ = mixed(photos, tmp_path / "plain", model=model, method=method)
    scored.clear()
    found, _ = mixed(photos, tmp_path / "known", model=model, method=method, heatmaps=maps)
    assert found == plain
    assert not scored


def test_a_large_jpeg_is_not_decoded_whole_where_only_its_map_is_wanted(
    scorer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[tuple[int, ...]] = []
    real: Any = cv2.imdecode

    def watched(*arguments: Any) -> Any:
        image = real(*arguments)
        decoded.append(image.shape)
        return image

    folder = tmp_path / "large"
    for name, frame in {"a.jpg": (900, 1800), "b.jpg": (440, 1800), "c.png": (900, 1800)}.items():
        save(folder / "cat" / name, picture(1, *frame))
    monkeypatch.setattr(cv2, "imdecode", watched)
    maps = HeatMaps.load(stored(folder, scorer, tmp_path / "maps.npz"))
    # Four times the 56 rows and columns that the scorer looks at are enough.
    assert sorted(decoded) == [(225, 450, 3), (440, 1800, 3), (900, 1800, 3)]
    assert maps["cat/a.jpg"] == pytest.approx(maps["cat/c.png"], abs=0.01)


def test_worker_processes_use_stored_maps_alike(
    photos: Path, scorer: Path, maps: Path, tmp_path: Path
) -> None:
    made = stored(photos, scorer, tmp_path / "two.npz")
    make_heat_maps(photos, HeatMapOptions(out=tmp_path / "w.npz", model=scorer, workers=2))
    assert (tmp_path / "w.npz").read_bytes() == made.read_bytes() == maps.read_bytes()
    plain, _ = mixed(photos, tmp_path / "plain", model=scorer, copies=2)
    options = {"model": scorer, "heatmaps": maps, "copies": 2, "workers": 2}
    assert mixed(photos, tmp_path / "known", **options)[0] == plain


def test_a_missing_or_changed_image_is_scored_and_counted(
    photos: Path, scorer: Path, maps: Path, tmp_path: Path, scored: Counter[bytes]
) -> None:
    save(photos / "cat/000.jpg", picture(77, 30, 30))
    save(photos / "dog/new.png", picture(78, 30, 30))
    (photos / "emu/000.jpg").rename(photos / "emu/renamed.jpg")
    scored.clear()
    known, notices = mixed(photos, tmp_path / "known", model=scorer, heatmaps=maps, copies=2)
    assert len(scored) == 2
    (told,) = notices
    assert told.startswith("2 images are not in ")
    plain, _ = mixed(photos, tmp_path / "plain", model=scorer, copies=2)
    assert known == plain


def test_maps_of_another_data_set_serve_nothing_and_harm_nothing(
    photos: Path, scorer: Path, tmp_path: Path
) -> None:
    others = class_folders(tmp_path / "others", {"cat": 4}, side=40)
    maps = stored(others, scorer, tmp_path / "m.npz")
    known, notices = mixed(photos, tmp_path / "known", model=scorer, heatmaps=maps)
    assert notices[0].startswith("9 images are not in ")
    assert known == mixed(photos, tmp_path / "plain", model=scorer)[0]


@pytest.mark.parametrize("size", [None, "20x30"])
def test_an_image_is_scored_once_for_all_copies(
    photos: Path, scorer: Path, tmp_path: Path, scored: Counter[bytes], size: str | None
) -> None:
    mixed(photos, tmp_path / "out", model=scorer, copies=3, size=size)
    assert set(scored.values()) == {1}
    assert len(scored) == 9
    assert not (tmp_path / "out/.augcli/heatmaps").exists()


def test_maps_of_a_run_that_was_stopped_are_used_when_it_goes_on(
    photos: Path, scorer: Path, tmp_path: Path, scored: Counter[bytes]
) -> None:
    (photos / "emu/001.png").write_bytes(b"no picture")
    with pytest.raises(Exception, match="at most 0 may"):
        mixed(photos, tmp_path / "out", model=scorer, copies=3, fail_fast=True)
    before = len(scored)
    mixed(photos, tmp_path / "out", model=scorer, copies=3)
    assert before > 0
    assert set(scored.values()) == {1}


def test_steps_before_the_mixer_are_scored_as_they_are(
    photos: Path, scorer: Path, maps: Path, tmp_path: Path, scored: Counter[bytes]
) -> None:
    recipe = Recipe.parse(FIRST_STEP.format(first="flip"), "flipped")
    options = {"model": scorer, "method": recipe, "copies": 2}
    plain, _ = mixed(photos, tmp_path / "plain", **options)
    known, notices = mixed(photos, tmp_path / "known", heatmaps=maps, **options)
    assert known == plain
    assert notices[0] == "`heatmaps` is of no use here: no image is scored as it lies in INPUT"


def test_images_that_a_step_spared_are_scored_as_sources(
    photos: Path, scorer: Path, maps: Path, tmp_path: Path, scored: Counter[bytes]
) -> None:
    text = FIRST_STEP.format(first="flip").replace('"flip"', '"flip"\nprob = 0.5')
    options = {"model": scorer, "method": Recipe.parse(text, "some")}
    plain, _ = mixed(photos, tmp_path / "plain", **options)
    all_of_them = len(scored)
    scored.clear()
    known, _ = mixed(photos, tmp_path / "known", heatmaps=maps, **options)
    assert known == plain
    assert 0 < len(scored) < all_of_them


def other_scorer(photos: Path, folder: Path) -> Path:
    model = models.save_scorer(folder / "other.onnx", factor=2.0)
    return stored(photos, model, folder / "m.npz")


def smaller(photos: Path, folder: Path) -> Path:
    model = models.save_scorer(folder / "m.onnx", side=None)
    return stored(photos, model, folder / "m.npz", grid=5)


def damaged(photos: Path, folder: Path) -> Path:
    (folder / "m.npz").write_bytes(b"PK\3\4 no npz")
    return folder / "m.npz"


REFUSED: dict[str, tuple[Callable[[Path, Path], Path], str]] = {
    "other scorer": (other_scorer, "was made with another scorer"),
    "too small a grid": (smaller, "holds maps for a grid of 5, and a grid of 7 is needed"),
    "damaged": (damaged, "is not a whole file of heat maps"),
    "missing": (lambda _, folder: folder / "none.npz", "can't be read"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refuses_a_file_that_does_not_fit_and_writes_nothing(
    photos: Path, scorer: Path, tmp_path: Path, what: str
) -> None:
    make, sentence = REFUSED[what]
    path = make(photos, tmp_path)
    model = tmp_path / "m.onnx" if what == "too small a grid" else scorer
    with pytest.raises(HeatMapsError, match=sentence):
        mixed(photos, tmp_path / "out", model=model, heatmaps=path)
    assert not (tmp_path / "out").exists()


def device_of(out: Path) -> str | None:
    found: str | None = json.loads((out / "run.json").read_text())["device"]
    return found


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("side", [56, None], ids=["fixed", "any size"])
def test_a_gpu_makes_the_same_outputs(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    workers: int,
    side: int | None,
) -> None:
    save(photos / "cat/large.png", picture(5, 90, 80))
    (photos / "dog/broken.jpg").write_bytes(b"no picture")
    model = models.save_scorer(tmp_path / "m.onnx", side=side, input_size=[56, 56])
    plain, _ = mixed(photos, tmp_path / "plain", model=model)
    pretend(monkeypatch, "cuda")
    options = {"model": model, "device": "auto", "workers": workers}
    found, notices = mixed(photos, tmp_path / "gpu", **options)
    assert found == plain
    count = len(list(photos.glob("*/*.*")))
    assert notices[:2] == ["scoring on cuda", f"scoring {count} images on cuda first"]
    assert (device_of(tmp_path / "plain"), device_of(tmp_path / "gpu")) == ("cpu", "cuda")


def test_a_gpu_scores_in_one_session_and_the_workers_in_none(
    photos: Path, scorer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = pretend(monkeypatch, "cuda")
    loaded: list[str] = []
    real = Scorer.__init__

    def noted(one: Scorer, *arguments: Any, **named: Any) -> None:
        loaded.append(named.get("device", "cpu"))
        real(one, *arguments, **named)

    monkeypatch.setattr(Scorer, "__init__", noted)
    mixed(photos, tmp_path / "out", model=scorer, device="cuda", size="24x24", copies=2)
    assert (len(asked), loaded) == (1, ["cuda"])


def test_a_gpu_fills_a_file_of_heat_maps(
    photos: Path, scorer: Path, maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, "cuda")
    found = stored(photos, scorer, tmp_path / "gpu.npz", device="cuda")
    assert found.read_bytes() == maps.read_bytes()


@pytest.mark.parametrize("first", ["flip", "cutout"])
def test_refuses_a_device_that_nothing_would_use(
    photos: Path, scorer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    pretend(monkeypatch, "cuda")
    method: Any = Cutout()
    if first == "flip":
        method = Recipe.parse(FIRST_STEP.format(first=first), "flipped")
    with pytest.raises(ParameterError, match="scores no image as it lies in INPUT"):
        mixed(photos, tmp_path / "out", model=scorer, device="cuda", method=method)
    assert not (tmp_path / "out").exists()


def test_only_what_is_new_or_changed_is_scored(
    photos: Path, scorer: Path, maps: Path, tmp_path: Path, scored: Counter[bytes]
) -> None:
    save(photos / "cat/000.jpg", picture(77, 30, 30))
    save(photos / "dog/new.png", picture(78, 30, 30))
    (photos / "emu/000.jpg").rename(photos / "emu/renamed.jpg")
    (photos / "emu/001.png").unlink()
    scored.clear()
    stored(photos, scorer, maps)
    assert len(scored) == 2
    found = HeatMaps.load(maps)
    assert sorted(found) == sorted(
        path.relative_to(photos).as_posix() for path in photos.rglob("*.*")
    )
    fresh = stored(photos, scorer, tmp_path / "fresh.npz")
    assert fresh.read_bytes() == maps.read_bytes()


def test_a_run_for_maps_that_was_killed_is_gone_on_with(
    photos: Path,
    scorer: Path,
    maps: Path,
    tmp_path: Path,
    scored: Counter[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "again.npz"
    with monkeypatch.context() as patch:
        patch.setattr("augcli.run.heatmaps.save_maps", killed)
        with pytest.raises(KeyboardInterrupt):
            stored(photos, scorer, out)
    assert not out.exists()
    scored.clear()
    stored(photos, scorer, out)
    assert not scored
    assert out.read_bytes() == maps.read_bytes()
    assert [one.name for one in tmp_path.glob("again*")] == ["again.npz"]


def test_two_folders_with_the_same_images_share_a_file(
    photos: Path, scorer: Path, maps: Path, tmp_path: Path, scored: Counter[bytes]
) -> None:
    shutil.copytree(photos, tmp_path / "copy")
    stored(tmp_path / "copy", scorer, maps)
    assert not scored
