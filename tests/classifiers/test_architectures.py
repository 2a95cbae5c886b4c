"""Graphs as exporters make them of common architectures, each as small as possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from augcli import prepare_scorer
from augcli.errors import ScorerError
from tests import toy_classifiers
from tests.classifiers.test_maps import IMAGE, PLAIN, close, heat_map
from tests.toy_classifiers import CHANNELS, CLASSES, WEIGHTS, Network, features_of, probabilities

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

EPSILON = 1e-5
SCALE = np.linspace(0.5, 2, CHANNELS)
SHIFT = np.linspace(-1, 1, CHANNELS)


def save_halved(path: Path) -> Path:
    """Save a classifier that computes where to split its channels, as ShuffleNet does."""
    net = Network()
    net.first_half(net.features())
    net.constant("negative", -np.eye(CHANNELS // 2)[..., None, None])
    net.add("Conv", "half", "negative", name="last")
    net.add("GlobalAveragePool", "last", name="pool")
    net.add("Flatten", "pool", name="flat")
    net.constant("weights", WEIGHTS[:, : CHANNELS // 2])
    net.gives(net.add("Gemm", "flat", "weights", name="scores", transB=1), "N", CLASSES)
    return net.save(path)


def test_the_last_layer_is_found_behind_shapes_that_are_computed(tmp_path: Path) -> None:
    model = save_halved(tmp_path / "c.onnx")
    assert heat_map(model, map="mean") == close(-features_of(IMAGE)[:3].mean(axis=0))
    assert prepare_scorer(model, out=tmp_path / "s.onnx", preset="unit").tensor == "last"


def save_normed(path: Path, *, after: str) -> Path:
    """Save a classifier that ends in a layer norm with channels last.

    Args:
        path: Where to.
        after: Layout of the features after it: channels ``last`` (Swin of timm), channels
            ``first`` (Swin of torchvision), or ``tokens`` that become a map afterwards (PVT).
    """
    net = Network()
    net.features()
    last = net.add("Transpose", "features", name="channels_last", perm=[0, 2, 3, 1])
    if after == "tokens":
        net.constant("row", [0, -1, CHANNELS], np.int64)
        last = net.add("Reshape", last, "row", name="embedded")
    net.constant("scale", SCALE)
    net.constant("shift", SHIFT)
    net.add("LayerNormalization", last, "scale", "shift", name="normed", axis=-1)
    if after != "last":
        net.constant("map", [0, 7, 7, CHANNELS], np.int64)
        net.add("Reshape", "normed", "map", name="places")
        net.add("Transpose", "places", name="channels_first", perm=[0, 3, 1, 2])
        net.add("GlobalAveragePool", "channels_first", name="pool")
        net.add("Flatten", "pool", name="pooled")
    else:
        net.reduce("ReduceMean", "normed", [1, 2], name="pooled", keep=0)
    net.constant("weights", WEIGHTS)
    net.gives(net.add("Gemm", "pooled", "weights", name="scores", transB=1), "N", CLASSES)
    return net.save(path)


def normed(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return features (6, h, w) after the layer norm."""
    centred = features - features.mean(axis=0)
    even = centred / np.sqrt((centred**2).mean(axis=0) + EPSILON)
    return np.asarray(even * SCALE[:, None, None] + SHIFT[:, None, None])


@pytest.mark.parametrize("after", ["last", "first", "tokens"])
@pytest.mark.parametrize("kind", ["l2", "mean"])
def test_lengths_are_those_before_a_layer_norm_makes_them_alike(
    tmp_path: Path, kind: str, after: str
) -> None:
    model = save_normed(tmp_path / "c.onnx", after=after)
    assert heat_map(model, map=kind) == close(PLAIN[kind](features_of(IMAGE)))


@pytest.mark.parametrize("after", ["last", "first", "tokens"])
def test_classes_are_those_of_the_features_after_the_layer_norm(tmp_path: Path, after: str) -> None:
    model = save_normed(tmp_path / "c.onnx", after=after)
    features = normed(features_of(IMAGE))
    likely = probabilities(WEIGHTS @ features.mean(axis=(1, 2)))
    expected: Any = np.einsum("k,kc,chw->hw", likely, WEIGHTS, features)
    assert heat_map(model, map="cam") == close(expected)


def save_transposed(path: Path, *, norm: bool) -> Path:
    """Save a classifier that transposes the pooled features, as ConvNeXt does for a norm."""
    net = Network()
    net.features()
    net.add("GlobalAveragePool", "features", name="pool")
    last = net.add("Transpose", "pool", name="channels_last", perm=[0, 2, 3, 1])
    if norm:
        net.constant("scale", SCALE)
        last = net.add("LayerNormalization", last, "scale", name="normed", axis=-1)
        last = net.add("Transpose", last, name="channels_first", perm=[0, 3, 1, 2])
    net.add("Flatten", last, name="flat")
    net.constant("weights", WEIGHTS)
    net.gives(net.add("Gemm", "flat", "weights", name="scores", transB=1), "N", CLASSES)
    return net.save(path)


def test_pooled_features_may_be_transposed(tmp_path: Path) -> None:
    model = save_transposed(tmp_path / "c.onnx", norm=False)
    features = features_of(IMAGE)
    likely = probabilities(WEIGHTS @ features.mean(axis=(1, 2)))
    expected: Any = np.einsum("k,kc,chw->hw", likely, WEIGHTS, features)
    assert heat_map(model, map="cam") == close(expected)


def test_a_norm_of_pooled_features_leaves_lengths_and_no_classes(tmp_path: Path) -> None:
    model = save_transposed(tmp_path / "c.onnx", norm=True)
    assert heat_map(model) == close(PLAIN["l2"](features_of(IMAGE)))
    with pytest.raises(ScorerError, match="has LayerNormalization between its feature map"):
        heat_map(model, map="cam")


def test_a_size_at_which_a_classifier_can_not_be_run(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", head="flat", side="S")
    with pytest.raises(ScorerError, match=r"can't be run on 64 x 64 \(.*; another `size` may work"):
        heat_map(model, size="64x64")
