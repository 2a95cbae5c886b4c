"""A file that onnxruntime can't load, or that is no scorer, is named as what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx
import onnxruntime as ort
import pytest

from augcli.attention.graph import Graph
from augcli.attention.model_file import ModelFileError
from tests import models, toy_classifiers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

NEWEST = 999


@pytest.fixture(params=["IR version", "opset"])
def newer(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A scorer whose file is newer than onnxruntime, and what is newer."""
    path = models.save_scorer(tmp_path / "newer.onnx")
    content = onnx.load(path)
    if request.param == "IR version":
        content.ir_version = NEWEST
    else:
        content.opset_import[0].version = NEWEST
    onnx.save(content, path)
    return path, request.param


@pytest.mark.parametrize(
    "command",
    [
        ("cutmix", "photos", "--out", "out", "--model", "newer.onnx"),
        ("cutmix", "photos", "--out", "out", "--workers", "1", "--model", "newer.onnx"),
        ("heatmaps", "photos", "-o", "maps.npz", "--model", "newer.onnx"),
        ("scorer", "show", "newer.onnx"),
        ("scorer", "prepare", "newer.onnx", "-o", "scorer.onnx", "--preset", "unit"),
    ],
)
def test_a_file_newer_than_onnxruntime_is_named_with_the_fix(
    cli: Cli,
    photos: Path,
    newer: tuple[Path, str],
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
) -> None:
    monkeypatch.chdir(photos.parent)
    before = {path.name for path in photos.parent.iterdir()}
    end = cli(*command)
    assert (end.code, end.out) == (2, "")
    domain = " of ai.onnx" if newer[1] == "opset" else ""
    *_, line = end.err.splitlines()
    assert (
        f"newer.onnx: has {newer[1]} {NEWEST}{domain}, but onnxruntime {ort.__version__} " in line
    )
    assert "supports at most " in line
    assert "; upgrade it (pip install -U onnxruntime), or export the file with " in line
    assert "onnxruntime_src" not in line
    assert {path.name for path in photos.parent.iterdir()} == before


@pytest.mark.parametrize(
    ("head", "channels", "words"),
    [
        ("gap", 1, "grey images"),
        ("nhwc", 1, "grey images with their channels last"),
        ("nhwc", 3, "images with their channels last"),
    ],
)
def test_a_classifier_of_other_images_is_named_as_what_it_is(
    tmp_path: Path, head: str, channels: int, words: str
) -> None:
    path = toy_classifiers.save_classifier(tmp_path / "c.onnx", head=head, channels=channels)
    with pytest.raises(ModelFileError) as error:
        Graph(path)
    assert str(error.value).endswith(
        f"; this file takes {words}: if it is a classifier, augcli scorer prepare makes a scorer "
        "of it"
    )


def test_an_input_that_is_no_image_gets_no_hint(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError) as error:
        Graph(models.save_identity(tmp_path / "m.onnx", ["N", 56, 56, 5]))
    assert str(error.value).endswith("and one heat map (N, h, w) as output")
