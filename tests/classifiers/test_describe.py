"""The description of a scorer is correct."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from augcli import prepare_scorer
from augcli.attention.model_file import model_sha256, shipped_model, shipped_small_model
from augcli.attention.scorer import Scorer
from augcli.classifiers.describe import describe_scorer
from augcli.errors import ScorerError
from tests import models, toy_classifiers

if TYPE_CHECKING:
    from pathlib import Path


def test_a_prepared_scorer_says_what_it_was_made_of(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    made = prepare_scorer(model, out=tmp_path / "s.onnx", preset="imagenet")
    facts = describe_scorer(made.file)
    assert (facts.file, facts.sha256, facts.bytes) == (made.file, made.sha256, made.bytes)
    assert (facts.recipe, facts.map, facts.small) == (made.recipe, [7, 7], "")
    assert facts.source["sha256"] == model_sha256(model)
    assert facts.input == "float32 (N, 3, 56, 56)"
    assert {"channel_order": facts.channel_order, "input_size": facts.input_size} | dict(
        facts.scaling
    ) == made.expects


def test_parameters_and_multiply_adds_are_those_of_the_layers(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    prepare_scorer(model, out=tmp_path / "s.onnx", preset="unit", raw=True)
    facts = describe_scorer(tmp_path / "s.onnx")
    convolution = math.prod(toy_classifiers.KERNEL.shape)
    fitting = 2 * 7 * 7  # the matrices to the left and to the right of the map
    assert facts.parameters == convolution + toy_classifiers.CHANNELS + fitting
    assert facts.multiply_adds == convolution * 49 + 2 * 7**3


def test_the_shipped_scorer_is_two_files_of_one_identity() -> None:
    facts = describe_scorer()
    assert (facts.file, facts.small) == (str(shipped_model()), str(shipped_small_model()))
    assert facts.sha256 == Scorer().sha256
    assert facts.milliseconds > 0


def test_counts_are_not_known_without_onnx(scorer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    facts = describe_scorer(scorer)
    assert (facts.parameters, facts.multiply_adds) == (None, None)
    assert facts.map == [7, 7]


def test_a_scorer_of_pixels_or_of_any_size_says_so(tmp_path: Path) -> None:
    pixels = describe_scorer(models.save_scorer(tmp_path / "p.onnx", pixels=True))
    assert (pixels.input, pixels.scaling) == ("uint8 (N, 56, 56, 3)", {})
    flexible = describe_scorer(
        models.save_scorer(tmp_path / "f.onnx", side=None, input_size=[64, 56])
    )
    assert (flexible.input, flexible.map) == ("float32 (N, 3, H, W)", [8, 7])


@pytest.mark.parametrize("text", ["7", '{"a": 1}', "not JSON", "[" * 100_000])
def test_metadata_of_other_tools_are_ignored(tmp_path: Path, text: str) -> None:
    model = models.save_scorer(tmp_path / "m.onnx", recipe=text, source=f'"{text}"')
    facts = describe_scorer(model)
    assert (facts.recipe, facts.source) == ("", {})


def test_the_message_names_a_file_that_is_no_scorer(tmp_path: Path) -> None:
    classifier = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    with pytest.raises(ScorerError) as error:
        describe_scorer(classifier)
    assert str(error.value).startswith(f"{classifier}: gives (1, 5), not (1, h, w)")
    assert "augcli scorer prepare makes a scorer of one" in str(error.value)
    with pytest.raises(ScorerError, match="can't be read"):
        describe_scorer(tmp_path / "absent.onnx")


def test_multiply_adds_are_counted_behind_shapes_that_are_computed(tmp_path: Path) -> None:
    net = toy_classifiers.Network()
    net.first_half(net.features())
    net.constant("weights", np.ones((1, 3, 1, 1)))
    net.gives(net.add("Conv", "half", "weights", name="map"), "N", 1, 7, 7)
    facts = describe_scorer(net.save(tmp_path / "s.onnx"))
    assert facts.multiply_adds == 49 * (6 * 3 * 64 + 3)
