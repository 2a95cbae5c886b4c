"""Shapes of graph that exporters make of usual architectures, each as small as it can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from augcli import prepare_scorer
from augcli.errors import ScorerError
from tests import classifiers
from tests.attention.preparing.test_maps import IMAGE, close, heat_map
from tests.classifiers import CHANNELS, CLASSES, WEIGHTS, Network, features_of

if TYPE_CHECKING:
    from pathlib import Path


def save_halved(path: Path) -> Path:
    """Save a classifier that computes where to cut its channels in two, as ShuffleNet does."""
    net = Network()
    net.features()
    net.add("Shape", "features", name="shape")
    for name, value in (("from", [0]), ("axis", [1]), ("one", [1]), ("two", [2])):
        net.constant(name, value, np.int64)
    net.add("Gather", "shape", "one", name="channels", axis=0)
    net.add("Add", "channels", "one", name="rounded_up")
    net.add("Div", "rounded_up", "two", name="middle")
    net.add("Slice", "features", "from", "middle", "axis", name="half")
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


def test_a_size_at_which_a_classifier_can_not_be_run(tmp_path: Path) -> None:
    model = classifiers.save_classifier(tmp_path / "c.onnx", head="flat", side="S")
    with pytest.raises(ScorerError, match=r"can't be run on 1 x 3 x 64 x 64 \(.*--size right\?"):
        heat_map(model, size="64x64")
