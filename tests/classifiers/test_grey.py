"""Classifiers of grey images, such as those of X-rays: the scorer takes RGB and makes it grey."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from PIL import Image

from augcli import prepare_scorer
from augcli.attention.graph import Graph
from augcli.attention.scorer import Scorer
from augcli.classifiers.describe import describe_scorer
from augcli.errors import ParameterError, ScorerError
from tests import toy_classifiers
from tests.photos import class_folders, picture, rows
from tests.toy_classifiers import CLASSES, WEIGHTS, features_of_numbers, probabilities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from augcli.classifiers.prepare import PreparedScorer
    from tests.conftest import Cli

IMAGE = picture(1, 56, 56)
GREY = (IMAGE @ np.array([0.299, 0.587, 0.114]))[..., None]
"""float64 (56, 56, 1), 0 to 255: the weights are those of ITU-R BT.601."""


def prepared(classifier: Path, **options: Any) -> PreparedScorer:
    chosen: dict[str, Any] = {"preset": "unit", "raw": True, "overwrite": True, **options}
    return prepare_scorer(classifier, out=classifier.with_name("scorer.onnx"), **chosen)


def heat_map(classifier: Path, **options: Any) -> NDArray[np.float32]:
    """Prepare a scorer and return its map of the image."""
    made = prepared(classifier, **options)
    return np.asarray(Graph(Path(made.file)).scores([IMAGE])[0], np.float32)


def length(features: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt((features**2).sum(axis=0)))


@pytest.mark.parametrize("opset", [9, 13, 17, 20])
@pytest.mark.parametrize("head", ["gap", "nhwc"])
@pytest.mark.parametrize("kind", ["l2", "cam"])
def test_the_map_is_that_of_the_grey_image(
    tmp_path: Path, kind: str, head: str, opset: int
) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", head=head, opset=opset, channels=1)
    features = features_of_numbers(GREY / 255)
    expected = length(features)
    if kind == "cam":
        likely = probabilities(WEIGHTS @ features.mean(axis=(1, 2)) + np.arange(CLASSES) / 10)
        expected = np.einsum("k,kc,chw->hw", likely, WEIGHTS, features)
    assert heat_map(model, map=kind) == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_a_classifier_in_16_bits_gives_the_map_in_32(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(
        tmp_path / "c.onnx", kind=TensorProto.FLOAT16, channels=1
    )
    expected = length(features_of_numbers(GREY / 255))
    assert heat_map(model) == pytest.approx(expected, rel=5e-3, abs=5e-3)


@pytest.mark.parametrize("nhwc", [False, True])
def test_a_classifier_of_pixels_gets_the_levels_that_pillow_gives(
    tmp_path: Path, nhwc: bool
) -> None:
    net = toy_classifiers.Network(nhwc=nhwc, channels=1)
    net.image.type.tensor_type.elem_type = TensorProto.UINT8
    last = net.add("Cast", "image", name="numbers", to=TensorProto.FLOAT)
    if nhwc:
        last = net.add("Transpose", last, name="planes", perm=[0, 3, 1, 2])
    net.features(last)
    net.add("GlobalAveragePool", "features", name="pool")
    net.add("Flatten", "pool", name="scores")
    net.gives("scores", "N", toy_classifiers.CHANNELS)
    made = prepared(net.save(tmp_path / "c.onnx"), preset=None)
    assert describe_scorer(made.file).input == "uint8 (N, 56, 56, 3)"
    grey = np.asarray(Image.fromarray(IMAGE).convert("L"), np.float64)[..., None]
    (scores,) = Graph(tmp_path / "scorer.onnx").scores([IMAGE])
    assert scores == pytest.approx(length(features_of_numbers(grey)), rel=1e-5)


def test_mean_and_deviation_take_one_number_each(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", channels=1)
    expected = length(features_of_numbers((GREY / 255 * 2048 - 1024 - 30) / 250))
    options: dict[str, Any] = {"preset": None, "range": "-1024..1024", "mean": 30, "std": "250"}
    assert heat_map(model, **options) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_the_metadata_of_the_classifier_have_one_number_each(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(
        tmp_path / "c.onnx", channels=1, mean="[0.5]", std="0.25", channel_order="L"
    )
    made = prepared(model, preset=None)
    assert made.expects == {
        "input_size": [56, 56],
        "channel_order": "RGB",
        "range": [0, 1],
        "mean": [0.5] * 3,
        "std": [0.25] * 3,
    }


def test_the_file_and_the_recipe_say_how_the_image_becomes_grey(tmp_path: Path) -> None:
    made = prepared(toy_classifiers.save_classifier(tmp_path / "c.onnx", channels=1))
    words = "of grey images (0.299 red + 0.587 green + 0.114 blue), fitted to 7 x 7"
    assert words in made.recipe
    written = {entry.key: entry.value for entry in onnx.load(made.file).metadata_props}
    assert json.loads(written["augcli.recipe"]) == made.recipe
    assert describe_scorer(made.file).input == "float32 (N, 3, 56, 56)"
    onnx.checker.check_model(made.file, full_check=True)


@pytest.mark.parametrize("images", ["N", 1])
@pytest.mark.parametrize("head", ["gap", "nhwc"])
def test_several_images_are_scored_at_once(tmp_path: Path, head: str, images: int | str) -> None:
    model = toy_classifiers.save_classifier(
        tmp_path / "c.onnx", head=head, images=images, channels=1
    )
    assert prepared(model).batch == 0
    scorer = Scorer(tmp_path / "scorer.onnx")
    pictures = [picture(number, 56, 56) for number in range(3)]
    singly = [scorer.heat_map(image) for image in pictures]
    assert np.array(scorer.heat_maps(pictures)) == pytest.approx(np.array(singly), rel=1e-3)


def test_one_channel_last_is_grey_also_where_the_sides_are_free(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", head="nhwc", side="S", channels=1)
    assert prepared(model, size="64x56").expects["input_size"] == [56, 64]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"preset": "imagenet"},
            "preset is imagenet, with numbers for three channels, but the classifier takes grey "
            "images; give `mean` and `std` too, with one number each",
        ),
        ({"preset": "caffe"}, "preset is caffe, with numbers for three channels"),
        ({"mean": "1,2,3"}, "mean is '1,2,3', but must be one number: the classifier takes grey"),
        ({"std": (1, 1, 1)}, "std is '1,1,1', but must be one number: the classifier takes grey"),
        ({"order": "BGR"}, "order is BGR, but the classifier takes grey images"),
    ],
)
def test_options_for_three_channels_are_refused(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", channels=1)
    with pytest.raises(ParameterError) as error:
        prepared(model, **options)
    assert str(error.value).startswith(words)
    assert not (tmp_path / "scorer.onnx").exists()


def test_a_preset_of_three_channels_fits_with_a_mean_and_a_deviation_of_one(
    tmp_path: Path,
) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", channels=1)
    made = prepared(model, preset="imagenet", mean=0.449, std=0.226)
    assert (made.expects["mean"], made.expects["std"]) == ([0.449] * 3, [0.226] * 3)


@pytest.mark.parametrize("name", ["mean", "std"])
def test_one_number_is_refused_where_the_classifier_takes_colours(
    tmp_path: Path, name: str
) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    options: dict[str, Any] = {name: 0.5}
    with pytest.raises(ParameterError) as error:
        prepared(model, **options)
    assert str(error.value) == (
        f"{name} is '0.5', but must be three numbers: the classifier takes RGB images"
    )


def test_metadata_of_three_channels_are_refused(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", channels=1, mean="0,0,0")
    with pytest.raises(
        ScorerError, match=r"which is '0,0,0', but must be one number: .*set `mean`"
    ):
        prepared(model, preset=None)


def test_cutmix_runs_with_the_scorer(cli: Cli, tmp_path: Path) -> None:
    photos = class_folders(tmp_path / "photos", {"cat": 2, "dog": 2})
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", channels=1)
    scorer = tmp_path / "s.onnx"
    made = cli("scorer", "prepare", model, "--range", "0..1", "--mean", "0.5", "-o", scorer)
    assert (made.code, made.out) == (0, f"{scorer}\n")
    assert cli("cutmix", photos, "--model", scorer, "--out", tmp_path / "out").code == 0
    assert len(rows(tmp_path / "out")) == 4
