"""``prepare_scorer``: which feature map it takes, what it writes and returns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto

import augcli
from augcli import prepare_scorer
from augcli.attention.model_file import model_sha256
from augcli.attention.scorer import Scorer
from tests import toy_classifiers
from tests.photos import picture

if TYPE_CHECKING:
    from pathlib import Path

    from augcli.classifiers.prepare import PreparedScorer


def prepared(classifier: Path, **options: Any) -> PreparedScorer:
    chosen: dict[str, Any] = {"preset": "unit", "overwrite": True, **options}
    return prepare_scorer(classifier, out=classifier.with_name("scorer.onnx"), **chosen)


def metadata(made: PreparedScorer) -> dict[str, str]:
    return {one.key: one.value for one in onnx.load(made.file).metadata_props}


@pytest.mark.parametrize(
    ("head", "tensor", "layout"),
    [
        ("gap", "features", "NCHW"),
        ("mean", "features", "NCHW"),
        ("flat", "features", "NCHW"),
        ("hidden", "features", "NCHW"),
        ("map", "class_map", "NCHW"),
        ("nhwc", "channels_last", "NHWC"),
    ],
)
def test_the_last_feature_map_before_the_pooling_is_found(
    tmp_path: Path, head: str, tensor: str, layout: str
) -> None:
    made = prepared(toy_classifiers.save_classifier(tmp_path / "c.onnx", head=head))
    assert (made.tensor, made.layout) == (tensor, layout)
    channels = toy_classifiers.CLASSES if head == "map" else toy_classifiers.CHANNELS
    assert (made.channels, made.height, made.width, made.enlarged) == (channels, 7, 7, False)


def test_a_pooling_that_leaves_several_cells_is_passed(tmp_path: Path) -> None:
    net = toy_classifiers.Network()
    net.features()
    net.add("AveragePool", "features", name="few", kernel_shape=[6, 6])
    net.add("Flatten", "few", name="flat")
    net.constant("weights", np.ones((toy_classifiers.CLASSES, toy_classifiers.CHANNELS * 4)))
    net.add("Gemm", "flat", "weights", name="scores", transB=1)
    net.gives("scores", "N", toy_classifiers.CLASSES)
    assert prepared(net.save(tmp_path / "c.onnx")).tensor == "features"


def test_a_layer_can_be_named_by_its_tensor_or_its_node(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    assert prepared(model, layer="patches").tensor == "patches"
    content = onnx.load(model)
    content.graph.node[0].name = "first_convolution"
    onnx.save(content, model)
    assert prepared(model, layer="first_convolution").tensor == "patches"


def test_the_output_with_the_scores_is_named_where_there_are_several(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    content = onnx.load(model)
    content.graph.output.add().CopyFrom(
        onnx.helper.make_tensor_value_info("pool", TensorProto.FLOAT, None)
    )
    onnx.save(content, model)
    assert prepared(model, output="scores").tensor == "features"


def test_the_scorer_is_a_scorer_and_holds_no_more_than_it_needs(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    made = prepared(model)
    assert Scorer(tmp_path / "scorer.onnx").sha256 == made.sha256
    assert (tmp_path / "scorer.onnx").stat().st_size == made.bytes
    graph = onnx.load(made.file).graph
    assert "weights" not in [one.name for one in graph.initializer]
    assert "Gemm" not in [one.op_type for one in graph.node]
    onnx.checker.check_model(made.file, full_check=True)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["c.onnx", "scorer.onnx"]


def test_the_same_classifier_and_options_give_the_same_bytes(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    first = prepared(model, map="cam")
    assert prepared(model, map="cam") == first
    assert prepared(model, map="cam", smooth=1).sha256 != first.sha256


def test_the_file_says_what_it_was_made_of(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(
        tmp_path / "c.onnx", author="Ada", mean="0,0,0", layout="NCHW"
    )
    made = prepared(model, map="mean", smooth=0.5)
    written = metadata(made)
    assert json.loads(written["augcli.source"]) == {
        "file": "c.onnx",
        "bytes": model.stat().st_size,
        "sha256": model_sha256(model),
    }
    how = json.loads(written["augcli.prepared"])
    assert (how["map"], how["tensor"], how["smooth"]) == ("mean", "features", 0.5)
    assert how["version"] == augcli.__version__
    assert json.loads(written["augcli.recipe"]) == made.recipe
    # The author's metadata stay; those about the input are replaced by the scorer's own.
    assert written["author"] == "Ada"
    assert written.keys().isdisjoint({"mean", "layout"})


@pytest.mark.parametrize("prefix", ["", "augcli."])
def test_the_metadata_of_the_classifier_are_used(tmp_path: Path, prefix: str) -> None:
    metadata = {
        "input_size": "64" if not prefix else "[64, 64]",
        "range": "-1..1" if not prefix else "[-1, 1]",
        "mean": "0.1,0.2,0.3",
        "std": "0.5,0.25,2",
        "channel_order": "BGR" if not prefix else '"BGR"',
    }
    named: dict[str, Any] = {prefix + key: value for key, value in metadata.items()}
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", side="S", **named)
    assert prepared(model, preset=None).expects == {
        "input_size": [64, 64],
        "channel_order": "BGR",
        "range": [-1, 1],
        "mean": [0.1, 0.2, 0.3],
        "std": [0.5, 0.25, 2],
    }


def test_options_win_over_a_preset_and_that_over_the_file(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(
        tmp_path / "c.onnx", side="S", std="9,9,9", input_size="112", channel_order="BGR"
    )
    expects = prepared(model, preset="imagenet", mean="0.5,0.5,0.5", size="64x72").expects
    assert expects == {
        "input_size": [72, 64],
        "channel_order": "RGB",
        "range": [0, 1],
        "mean": [0.5, 0.5, 0.5],
        "std": [0.229, 0.224, 0.225],
    }


@pytest.mark.parametrize("images", ["N", 1, 4])
@pytest.mark.parametrize("head", ["gap", "view", "nhwc"])
def test_any_number_of_images_is_taken_where_possible(
    tmp_path: Path, head: str, images: int | str
) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", head=head, images=images)
    assert prepared(model).batch == 0
    loaded = Scorer(tmp_path / "scorer.onnx")
    pictures = [picture(number, 56, 56) for number in range(3)]
    together = loaded.heat_maps(pictures)
    assert np.array(together) == pytest.approx(
        np.array([loaded.heat_map(one) for one in pictures]), rel=1e-3
    )


def test_one_image_at_a_time_is_taken_where_no_other_number_works(tmp_path: Path) -> None:
    model = toy_classifiers.save_transformer(tmp_path / "c.onnx", images=1)
    assert prepared(model, map="tokens").batch == 1
    assert Scorer(tmp_path / "scorer.onnx").heat_map(picture(1, 56, 56)).shape == (7, 7)


@pytest.mark.parametrize("head", ["gap", "nhwc"])
def test_a_classifier_of_pixels_gives_a_scorer_of_pixels(tmp_path: Path, head: str) -> None:
    nhwc = head == "nhwc"
    net = toy_classifiers.Network(nhwc=nhwc)
    net.image.type.tensor_type.elem_type = TensorProto.UINT8
    net.add("Cast", "image", name="numbers", to=TensorProto.FLOAT)
    net.constant("levels", 255)
    last = net.add("Div", "numbers", "levels", name="scaled")
    if nhwc:
        last = net.add("Transpose", last, name="planes", perm=[0, 3, 1, 2])
    net.features(last)
    net.add("GlobalAveragePool", "features", name="pool")
    net.add("Flatten", "pool", name="scores")
    net.gives("scores", "N", toy_classifiers.CHANNELS)
    made = prepared(net.save(tmp_path / "c.onnx"), preset=None, raw=True)
    assert made.expects == {"input_size": [56, 56], "channel_order": "RGB"}
    image = picture(4, 56, 56)
    features = toy_classifiers.features_of(image)
    scores = Scorer(tmp_path / "scorer.onnx").heat_map(image)
    assert scores == pytest.approx(np.sqrt((features**2).sum(axis=0)), rel=1e-3, abs=1e-4)
