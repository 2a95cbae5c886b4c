"""Tiny ONNX graphs: scorers that can be computed by hand, and graphs that are no scorers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

OPSET = 17
IR_VERSION = 9
"""Old enough for the oldest onnxruntime that augcli works with."""


def save_scorer(
    path: Path,
    *,
    side: int | None = 56,
    cell: int = 8,
    weights: Sequence[float] = (1 / 3, 1 / 3, 1 / 3),
    flat: bool = False,
    after: Sequence[str] = (),
    factor: float = 1.0,
    outputs: int = 1,
    images: int | str = "N",
    pixels: bool = False,
    **metadata: Any,
) -> Path:
    """Save a graph that averages weighted channels over cells of ``cell`` pixels.

    Args:
        path: Where to.
        side: Height and width of the input; None for any.
        cell: Pixels of a cell's side; the map has ``side`` / ``cell`` rows and columns.
        weights: Weight of each channel.
        flat: Give (N, h, w) and not (N, 1, h, w).
        after: Operators that follow, each with one input.
        factor: The map is multiplied by it at the end.
        outputs: Number of outputs, each with the heat map.
        images: How many it takes at once; a name for any number.
        pixels: Take uint8 (N, H, W, 3), not float32 (N, 3, H, W).
        **metadata: Values of ``augcli.*`` keys; text is written as it is.
    """
    kernel = np.array(weights, np.float32).reshape(1, 3, 1, 1)
    nodes = [
        helper.make_node("Conv", ["planes" if pixels else "image", "kernel"], ["mixed"]),
        helper.make_node(
            "AveragePool", ["mixed"], ["pooled"], kernel_shape=[cell, cell], strides=[cell, cell]
        ),
    ]
    if pixels:
        nodes.insert(0, helper.make_node("Cast", ["image"], ["numbers"], to=TensorProto.FLOAT))
        planes = helper.make_node("Transpose", ["numbers"], ["planes"], perm=[0, 3, 1, 2])
        nodes.insert(1, planes)
    last = "pooled"
    for operator in after:
        nodes.append(helper.make_node(operator, [last], [operator]))
        last = operator
    nodes.append(helper.make_node("Mul", [last, "factor"], ["scaled"]))
    axes: dict[str, NDArray[Any]] = {"axis": np.array([1], np.int64)} if flat else {}
    for number in range(outputs):
        operator = "Squeeze" if flat else "Identity"
        nodes.append(helper.make_node(operator, ["scaled", *axes], [f"map{number}"]))
    shape: list[int | str | None] = [images, None, None] if flat else [images, 1, None, None]
    sides: list[int | str] = [side or "H", side or "W"]
    size = [images, *sides, 3] if pixels else [images, 3, *sides]
    kind = TensorProto.UINT8 if pixels else TensorProto.FLOAT
    return _save(
        path,
        nodes,
        ("image", kind, size),
        [(f"map{number}", TensorProto.FLOAT, shape) for number in range(outputs)],
        {"kernel": kernel, "factor": np.array([factor], np.float32), **axes},
        metadata,
    )


def save_classifier(path: Path) -> Path:
    """Save a graph that gives class scores and no heat map."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["classes"]),
    ]
    image: Value = ("image", TensorProto.FLOAT, ["N", 3, 56, 56])
    return _save(path, nodes, image, [("classes", TensorProto.FLOAT, ["N", 3])], {}, {})


def save_identity(path: Path, shape: Sequence[int | str], kind: int = TensorProto.FLOAT) -> Path:
    """Save a graph that returns its input."""
    nodes = [helper.make_node("Identity", ["image"], ["same"])]
    return _save(path, nodes, ("image", kind, shape), [("same", kind, shape)], {}, {})


Value = tuple[str, int, "Sequence[int | str | None]"]


def _save(
    path: Path,
    nodes: list[onnx.NodeProto],
    image: Value,
    maps: Sequence[Value],
    constants: dict[str, NDArray[Any]],
    metadata: dict[str, Any],
) -> Path:
    graph = helper.make_graph(
        nodes,
        "scorer",
        [helper.make_tensor_value_info(*image)],
        [helper.make_tensor_value_info(*one) for one in maps],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = IR_VERSION
    for key, value in metadata.items():
        text = value if isinstance(value, str) else json.dumps(value)
        model.metadata_props.add(key=f"augcli.{key}", value=text)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def save_endless(path: Path, *, classes: int = 0) -> Path:
    """Save a graph that can be loaded and never ends: a scorer, or a classifier.

    Args:
        path: Where to.
        classes: Of the classifier; 0 for a scorer.
    """
    number = helper.make_tensor_value_info("number", TensorProto.INT64, [])
    going, still = (
        helper.make_tensor_value_info(name, TensorProto.BOOL, []) for name in ("going", "still")
    )
    value, larger = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, []) for name in ("value", "larger")
    )
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["still"]),
            helper.make_node("Add", ["value", "one"], ["larger"]),
        ],
        "body",
        [number, going, value],
        [still, larger],
        [numpy_helper.from_array(np.array(1, np.float32), "one")],
    )
    kernel = np.ones((8, 3, 8, 8), np.float32)
    nodes = [
        helper.make_node("ReduceMax", ["image"], ["first"], keepdims=0),
        helper.make_node("Loop", ["times", "yes", "first"], ["last"], body=body),
        helper.make_node("Conv", ["image", "kernel"], ["features"], strides=[8, 8]),
        helper.make_node("Add", ["features", "last"], ["sums"]),
    ]
    if classes:
        nodes += [
            helper.make_node("GlobalAveragePool", ["sums"], ["means"]),
            helper.make_node("Flatten", ["means"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weights"], ["result"]),
        ]
        shape: list[int | str] = ["N", classes]
    else:
        nodes.append(helper.make_node("ReduceMean", ["sums"], ["result"], axes=[1], keepdims=1))
        shape = ["N", 1, 7, 7]
    constants = {
        "times": np.array(2**62, np.int64),
        "yes": np.array(1, np.bool_),
        "kernel": kernel,
        "weights": np.ones((8, classes or 1), np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "endless",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, 56, 56])],
        [helper.make_tensor_value_info("result", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opset = helper.make_opsetid("", OPSET)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION), str(path))
    return path
