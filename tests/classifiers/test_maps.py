"""Prepared scorers give the numbers that NumPy and OpenCV compute from the features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from onnx import TensorProto

from augcli import prepare_scorer
from augcli.attention.graph import Graph
from augcli.pixels.heat_maps import pool_map
from tests import toy_classifiers
from tests.photos import picture
from tests.toy_classifiers import CLASSES, WEIGHTS, features_of, probabilities

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

IMAGE = picture(1, 56, 56)


def close(expected: Any, *, half: bool = False) -> Any:
    """Return a comparison that allows for rounding in float32, or with ``half`` in 16 bits."""
    tolerance = 5e-3 if half else 1e-5
    return pytest.approx(expected, rel=tolerance, abs=tolerance)


def heat_map(classifier: Path, image: NDArray[np.uint8] = IMAGE, **options: Any) -> Any:
    """Prepare a scorer and return its map of an image of its size, float32."""
    chosen: dict[str, Any] = {"preset": "unit", "raw": True, **options}
    out = classifier.with_name("scorer.onnx")
    made = prepare_scorer(classifier, out=out, overwrite=True, **chosen)
    scorer = Graph(out)
    assert scorer.input_spec.frame == image.shape[:2]
    (scores,) = scorer.scores([image])
    assert (scores.dtype, scores.shape) == (np.float32, (made.grid, made.grid))
    return scores


def activation(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the class activation map of the heads that pool."""
    scores = WEIGHTS @ features.mean(axis=(1, 2)) + np.arange(CLASSES) / 10
    return np.asarray(np.einsum("k,kc,chw->hw", probabilities(scores), WEIGHTS, features))


PLAIN = {
    "l2": lambda features: np.sqrt((features**2).sum(axis=0)),
    "mean": lambda features: features.mean(axis=0),
    "cam": activation,
}

HEADS = ["gap", "mean", "view", "nhwc"]


@pytest.mark.parametrize("opset", [9, 13, 17, 18, 20])
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("kind", PLAIN)
def test_a_raw_map_is_that_of_the_features(
    tmp_path: Path, kind: str, head: str, opset: int
) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", head=head, opset=opset)
    expected = PLAIN[kind](features_of(IMAGE))
    assert heat_map(model, map=kind) == close(expected)


@pytest.mark.parametrize("head", HEADS)
def test_probabilities_as_output_give_the_same_map_as_scores(tmp_path: Path, head: str) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", head=head, softmax=True)
    expected = activation(features_of(IMAGE))
    assert heat_map(model, map="cam") == close(expected)


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("head", ["gap", "nhwc"])
def test_a_classifier_in_16_bits_gives_the_map_in_32(tmp_path: Path, head: str, kind: str) -> None:
    model = toy_classifiers.save_classifier(
        tmp_path / "c.onnx", head=head, kind=TensorProto.FLOAT16
    )
    expected = PLAIN[kind](features_of(IMAGE))
    assert heat_map(model, map=kind) == close(expected, half=True)


def test_a_class_layer_that_sees_every_place_weighs_every_place(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", head="flat")
    features = features_of(IMAGE)
    weights = toy_classifiers.flat_weights().reshape(CLASSES, *features.shape)
    scores = np.einsum("kchw,chw->k", weights, features)
    expected = np.einsum("k,kchw,chw->hw", probabilities(scores), weights, features)
    assert heat_map(model, map="cam") == close(expected)


def test_a_class_layer_may_be_a_convolution_after_the_pooling(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", head="conv")
    features = features_of(IMAGE)
    likely = probabilities(WEIGHTS @ features.mean(axis=(1, 2)))
    expected = np.einsum("k,kc,chw->hw", likely, WEIGHTS, features)
    assert heat_map(model, map="cam") == close(expected)


def test_maps_of_classes_that_are_pooled_are_weighed_by_the_classes(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", head="map")
    maps = np.einsum("kc,chw->khw", WEIGHTS, features_of(IMAGE))
    expected = np.einsum("k,khw->hw", probabilities(maps.mean(axis=(1, 2))), maps)
    assert heat_map(model, map="cam") == close(expected)


@pytest.mark.parametrize("class_token", [True, False])
def test_tokens_are_compared_with_the_class_token_or_their_mean(
    tmp_path: Path, class_token: bool
) -> None:
    model = toy_classifiers.save_transformer(tmp_path / "c.onnx", class_token=class_token)
    patches = features_of(IMAGE).reshape(toy_classifiers.CHANNELS, 49).T
    tokens = np.concatenate([patches.max(axis=0)[None], patches]) if class_token else patches
    attention = np.stack([probabilities(row) for row in tokens @ tokens.T])
    tokens = tokens + attention @ tokens
    whole = tokens[0] if class_token else tokens.mean(axis=0)
    patches = tokens[-49:]
    lengths = np.linalg.norm(patches, axis=1) * np.linalg.norm(whole)
    expected = (patches @ whole / lengths).reshape(7, 7)
    assert heat_map(model, map="tokens") == close(expected)


def smoothed(plain: NDArray[np.float64], sigma: float, centre: float) -> NDArray[np.float64]:
    """Blur a map of 7 x 7 with OpenCV, scale it and add the weight of the middle."""
    blurred = cv2.GaussianBlur(plain, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    rows, columns = np.mgrid[:7, :7] - 3
    gaussian = np.exp(-(rows**2 + columns**2) / (2 * 2**2))
    return np.asarray(blurred / np.abs(blurred).max() + centre * gaussian)


@pytest.mark.parametrize("kind", PLAIN)
def test_by_default_a_map_is_blurred_scaled_and_weighted(tmp_path: Path, kind: str) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    expected = smoothed(PLAIN[kind](features_of(IMAGE)), 1.2, 0.2)
    assert heat_map(model, map=kind, raw=False) == close(expected)


def test_blur_and_weight_of_the_middle_follow_the_options(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    plain = PLAIN["l2"](features_of(IMAGE))
    scores = heat_map(model, raw=False, smooth=0.7, centre=0.5)
    assert scores == close(smoothed(plain, 0.7, 0.5))
    alone = heat_map(model, raw=False, smooth=0, centre=0)
    assert alone == close(plain / plain.max())


@pytest.mark.parametrize(("side", "grid"), [(64, 7), (112, 7), (56, 3), (112, 5)])
def test_a_larger_map_is_averaged_as_stored_maps_are(tmp_path: Path, side: int, grid: int) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", side=side)
    image = picture(2, side, side)
    plain = PLAIN["l2"](features_of(image)).astype(np.float32)
    scores = heat_map(model, image, grid=grid)
    assert scores == close(pool_map(plain, grid))


@pytest.mark.parametrize(("side", "grid"), [(32, 7), (40, 7), (56, 14)])
def test_a_smaller_map_is_enlarged_as_opencv_does(tmp_path: Path, side: int, grid: int) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", side=side)
    image = picture(3, side, side)
    plain = PLAIN["l2"](features_of(image))
    expected = cv2.resize(plain, (grid, grid), interpolation=cv2.INTER_LINEAR)
    assert heat_map(model, image, grid=grid) == close(expected)


def test_images_are_scaled_as_the_preset_says(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    features = toy_classifiers.features_of_numbers(
        (IMAGE / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    )
    scores = heat_map(model, preset="imagenet")
    assert scores == close(PLAIN["l2"](features))


def test_channels_are_swapped_before_they_are_scaled(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    features = toy_classifiers.features_of_numbers(IMAGE[..., ::-1] - (103.939, 116.779, 123.68))
    scores = heat_map(model, preset="caffe")
    assert scores == close(PLAIN["l2"](features))
