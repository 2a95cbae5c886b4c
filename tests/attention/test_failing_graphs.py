"""Scorers that fail for some pictures, and weights in other files."""

from __future__ import annotations

import csv
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from augcli import heat_map
from augcli.attention.graph import Graph
from augcli.attention.model_file import model_sha256, weight_names
from augcli.attention.scorer import Scorer
from augcli.classifiers.describe import describe_scorer
from augcli.data.codecs.encoding import encode
from augcli.errors import NotScored, ScorerError
from tests import models
from tests.devices import pretend
from tests.photos import picture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Cli

SIDE = 56
DARK = np.zeros((SIDE, SIDE, 3), np.uint8)


def save_failing(path: Path, how: str) -> Path:
    """Save a scorer of brightness that fails for pictures whose first pixel is black.

    Args:
        path: Where to.
        how: ``expand`` fails, ``columns`` gives one column fewer, ``rows`` gives a second map,
            ``nan`` gives NaN.
    """
    nodes = [
        helper.make_node("Slice", ["image", "zeros", "ones", "axes"], ["pixel"]),
        helper.make_node("ReduceMax", ["pixel"], ["each"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("ReduceMin", ["each"], ["brightness"], keepdims=0),
        helper.make_node("Greater", ["brightness", "half"], ["is_light"]),
        helper.make_node("Cast", ["is_light"], ["light"], to=TensorProto.INT64),
        helper.make_node("ReduceMean", ["image"], ["grey"], axes=[1], keepdims=1),
        helper.make_node("AveragePool", ["grey"], ["map"], kernel_shape=[8, 8], strides=[8, 8]),
    ]
    constants: dict[str, Any] = {
        "zeros": np.zeros(4, np.int64),
        "ones": np.array([2**31, 2**31, 1, 1], np.int64),
        "axes": np.arange(4),
        "half": np.float32(0.01),
        "six": np.int64(6),
        "one": np.int64(1),
        "two": np.int64(2),
        "flat": np.array([1], np.int64),
        "third": np.array([3], np.int64),
        "none": np.array([0], np.int64),
    }
    if how == "expand":
        # To 7 columns for a light picture; 7 can't become 6.
        nodes += [
            helper.make_node("Add", ["light", "six"], ["columns"]),
            helper.make_node("Reshape", ["columns", "flat"], ["wide"]),
            helper.make_node("Concat", ["shape", "wide"], ["whole"], axis=0),
            helper.make_node("Expand", ["map", "whole"], ["result"]),
        ]
        constants["shape"] = np.array([1, 1, 7], np.int64)
    elif how == "columns":
        nodes += [
            helper.make_node("Add", ["light", "six"], ["columns"]),
            helper.make_node("Reshape", ["columns", "flat"], ["wide"]),
            helper.make_node("Slice", ["map", "none", "wide", "third"], ["result"]),
        ]
    elif how == "rows":
        nodes += [
            helper.make_node("Sub", ["two", "light"], ["times"]),
            helper.make_node("Reshape", ["times", "flat"], ["often"]),
            helper.make_node("Concat", ["often", "rest"], ["repeats"], axis=0),
            helper.make_node("Tile", ["map", "repeats"], ["result"]),
        ]
        constants["rest"] = np.array([1, 1, 1], np.int64)
    else:
        nodes += [
            helper.make_node("Greater", ["each", "half"], ["are_light"]),
            helper.make_node("Cast", ["are_light"], ["number"], to=TensorProto.FLOAT),
            helper.make_node("Log", ["number"], ["weight"]),
            helper.make_node("Add", ["map", "weight"], ["result"]),
        ]
    graph = helper.make_graph(
        nodes,
        "scorer",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("result", TensorProto.FLOAT, [None, 1, None, None])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", models.OPSET)])
    model.ir_version = models.IR_VERSION
    onnx.save(model, str(path))
    return path


WAYS = ["expand", "columns", "rows", "nan"]


def light(seed: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    image = picture(seed, SIDE, SIDE)
    image[0, 0] = 255
    return image


@pytest.fixture(autouse=True)
def light_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scorer is tried with a picture that is black at its first pixel; here it is not."""

    def ramp(frame: Any) -> Any:
        return (
            np.linspace(255, 0, frame.height * frame.width * 3).astype(np.uint8).reshape(*frame, 3)
        )

    monkeypatch.setattr("augcli.attention.graph.ramp", ramp)


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """INPUT: four light pictures and a dark one."""
    for number in range(5):
        image = DARK if number == 2 else light(number)
        path = tmp_path / "mixed" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(image, "png", quality=90))
    return tmp_path / "mixed"


def failures(table: Path) -> list[tuple[str, str]]:
    with table.open(newline="") as file:
        return [(row["source"], row["stage"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("how", WAYS)
def test_a_graph_that_fails_for_a_picture_fails_that_picture_only(
    cli: Cli, mixed: Path, tmp_path: Path, how: str
) -> None:
    model = save_failing(tmp_path / "m.onnx", how)
    scorer = Scorer(model)
    assert scorer.heat_map(light(1)).shape == (7, 7)
    with pytest.raises(NotScored, match=r"the scorer m\.onnx (fails|gives) "):
        scorer.heat_map(DARK)
    out = tmp_path / "maps.npz"
    assert cli("heatmaps", mixed, "--model", model, "--out", out).code == 1
    assert failures(tmp_path / "maps-errors.csv") == [("a/2.png", "score")]
    # It can't give; as a base it needs no map.
    assert cli("cutmix", mixed, "--model", model, "--out", tmp_path / "cutmix").code == 0
    assert cli("verify", tmp_path / "cutmix").code == 0
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('[[step]]\nuse = "cutout"\nat = "attended"\npatch = 8\n')
    assert cli("run", recipe, mixed, "--model", model, "--out", tmp_path / "cutout").code == 1
    assert failures(tmp_path / "cutout/errors.csv") == [("a/2.png", "score")]


@pytest.mark.parametrize("how", WAYS)
def test_a_batch_with_such_a_picture_is_scored_one_by_one(
    cli: Cli, mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    model = save_failing(tmp_path / "m.onnx", how)
    pretend(monkeypatch, "cuda")
    out = tmp_path / "maps.npz"
    assert cli("heatmaps", mixed, "--model", model, "--device", "cuda", "--out", out).code == 1
    assert failures(tmp_path / "maps-errors.csv") == [("a/2.png", "score")]


def test_a_graph_that_has_no_memory_is_a_failure_of_the_machine(
    cli: Cli, mixed: Path, scorer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Graph.scores
    calls = []

    def scores(self: Graph, fitted: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            session = type("Session", (), {"run": _no_memory})()
            monkeypatch.setattr(self, "_session", session)
            try:
                return real(self, fitted)
            finally:
                monkeypatch.undo()
        return real(self, fitted)

    monkeypatch.setattr(Graph, "scores", scores)
    assert cli("heatmaps", mixed, "--model", scorer, "--out", tmp_path / "m.npz").code == 1
    ((_, stage),) = failures(tmp_path / "m-errors.csv")
    assert stage == "memory"


def _no_memory(*_: object) -> None:
    raise RuntimeError("[ONNXRuntimeError] : Failed to allocate memory for requested buffer")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("input_size", [30_000, 30_000], "30000 x 30000 pixels"),
        ("input_size", [10**18, 10**18], "must be 2 numbers"),
        ("input_size", [10**400, 7], "must be 2 numbers"),
        ("input_size", "[" * 100_000, "which is not JSON"),
        ("input_size", "[" + "9" * 5000 + ", 1]", "which is not JSON"),
        ("input_size", "[1e999, 1]", "must be 2 numbers"),
        ("input_size", "[NaN, 1]", "which is not JSON"),
        ("input_size", [-5, 7], "must be positive"),
        ("input_size", [True, True], "must be 2 numbers"),
        ("input_size", {"0": 1, "1": 2}, "must be 2 numbers"),
        ("channel_order", "[" * 100_000 + "]" * 100_000, "which is not JSON"),
        ("channel_order", ["RGB"] * 100_000, "must be RGB or BGR"),
        ("std", [1e-300] * 3, "must be positive"),
        ("mean", [1e300] * 3, "must be 3 numbers"),
    ],
)
def test_metadata_beyond_measure_is_refused(
    tmp_path: Path, key: str, value: Any, words: str
) -> None:
    model = models.save_scorer(tmp_path / "m.onnx", side=None, **{key: value})
    with pytest.raises(ScorerError) as error:
        Scorer(model)
    assert words in str(error.value)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("shape", [["N", 3, 30_000, 30_000], ["N", 3, 10**18, 7], [0, 3, 7, 7]])
def test_an_input_beyond_measure_is_refused(tmp_path: Path, shape: list[int | str]) -> None:
    with pytest.raises(ScorerError):
        Scorer(models.save_identity(tmp_path / "m.onnx", shape), grid=1)


@pytest.mark.parametrize("side", [20_000, 10**9])
def test_a_map_beyond_measure_is_refused(tmp_path: Path, side: int) -> None:
    """A few bytes of a graph can ask for any memory: here for a map of any size."""
    node = helper.make_node("Expand", ["image", "shape"], ["map"])
    shape = numpy_helper.from_array(np.array([1, 1, side, 2000], np.int64), "shape")
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["whole"], ["image"], axes=[1, 2, 3], keepdims=1), node],
        "scorer",
        [helper.make_tensor_value_info("whole", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("map", TensorProto.FLOAT, [1, 1, None, None])],
        [shape],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", models.OPSET)])
    model.ir_version = models.IR_VERSION
    onnx.save(model, str(tmp_path / "m.onnx"))
    with pytest.raises(ScorerError):
        Scorer(tmp_path / "m.onnx")


def external(path: Path, location: str = "weights.bin") -> Path:
    """Save a scorer whose weights lie in a file beside it."""
    model = onnx.load(models.save_scorer(path))
    external_data_helper.convert_model_to_external_data(
        model, location="weights.bin", size_threshold=0
    )
    onnx.save(model, str(path))
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            entry.value = location if entry.key == "location" else entry.value
    path.write_bytes(model.SerializeToString())
    return path


def change_weights(path: Path) -> None:
    weights = np.frombuffer(path.read_bytes(), np.float32) * np.float32(0.5)
    path.write_bytes(weights.tobytes())


def test_weights_in_another_file_are_part_of_the_scorer(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    model = external(tmp_path / "m.onnx")
    before = Scorer(model).sha256
    assert weight_names(model.read_bytes()) == ["weights.bin"]
    assert before == model_sha256(model) == describe_scorer(model).sha256
    command = ("cutmix", photos, "--model", model, "--out", tmp_path / "out")
    maps = ("heatmaps", photos, "--model", model, "--out", tmp_path / "maps.npz")
    assert (cli(*command).code, cli(*maps).code) == (0, 0)
    assert (cli(*command).code, cli(*maps).code) == (0, 0)
    change_weights(tmp_path / "weights.bin")
    assert Scorer(model).sha256 != before
    end = cli(*command)
    assert (end.code, "was made by another command: scorer was" in end.err) == (2, True)
    end = cli(*maps)
    assert (end.code, "holds maps of another scorer" in end.err) == (2, True)
    assert cli("cutmix", photos, "--heatmaps", tmp_path / "maps.npz", *command[2:]).code == 2


def test_the_api_notices_weights_that_changed(tmp_path: Path) -> None:
    model = external(tmp_path / "m.onnx")
    before = heat_map(light(1), model=model)
    change_weights(tmp_path / "weights.bin")
    assert heat_map(light(1), model=model).tolist() != before.tolist()


@pytest.mark.parametrize(
    "name", ["../weights.bin", "/etc/hostname", "a/../../weights.bin", "", "a\0b", "absent"]
)
def test_weights_outside_of_the_folder_or_missing_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "models").mkdir()
    model = external(tmp_path / "models/m.onnx", name)
    with pytest.raises(ScorerError, match="has weights in "):
        Scorer(model)


def fifo(path: Path) -> None:
    os.mkfifo(path)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(17 << 30)


@pytest.mark.parametrize("make", [fifo, sparse])
def test_weights_that_are_no_file_or_too_large_are_refused(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    model = external(tmp_path / "m.onnx")
    (tmp_path / "weights.bin").unlink()
    make(tmp_path / "weights.bin")
    with pytest.raises(ScorerError, match=r"has weights in 'weights\.bin', which "):
        Scorer(model)
    (tmp_path / "weights.bin").unlink()


def test_a_model_larger_than_onnx_can_hold_is_refused(tmp_path: Path) -> None:
    sparse(tmp_path / "m.onnx")
    with pytest.raises(ScorerError, match="can't be read"):
        Scorer(tmp_path / "m.onnx")
