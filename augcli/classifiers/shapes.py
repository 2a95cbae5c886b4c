"""The shapes of what a graph computes: measured, by running it once. Needs onnx.

What a file says of shapes, and what can be inferred without a run, ends at the first reshape
whose shape is computed too.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx

    Shape = tuple[int, ...]


def measure_shapes(model: onnx.ModelProto) -> dict[str, Shape]:
    """Return the shape of every tensor of a graph, weights too.

    Args:
        model: Its one input has a fixed size; it is left as it was.

    Raises:
        Exception: onnxruntime can't run it on that size; it has a class for each cause.
    """
    (image,) = model.graph.input
    size = tuple(one.dim_value for one in image.type.tensor_type.shape.dim)
    names = _tensors(model)
    found = _run(_asking(model, names), image, size)
    shapes = {one.name: tuple(one.dims) for one in model.graph.initializer}
    return {**shapes, image.name: size, **dict(zip(names, found, strict=True))}


def _tensors(model: onnx.ModelProto) -> list[str]:
    """Return what nodes give, but for the few things that have no shape, such as sequences."""
    from onnx import shape_inference  # noqa: PLC0415

    try:
        inferred = shape_inference.infer_shapes(model).graph
    except Exception:  # an operator that onnx does not know, or a wrong shape
        inferred = model.graph
    other = {
        one.name
        for one in (*inferred.value_info, *inferred.output)
        if one.type.WhichOneof("value") not in ("tensor_type", None)
    }
    names = dict.fromkeys(name for node in model.graph.node for name in node.output)
    return [name for name in names if name and name not in other]


def _asking(model: onnx.ModelProto, names: list[str]) -> bytes:
    """Return the model with the shapes of tensors as its outputs: no tensor is kept for long."""
    from onnx import TensorProto, helper  # noqa: PLC0415

    graph = model.graph
    outputs, nodes = list(graph.output), len(graph.node)
    asked = [f"augcli/shape-{place}" for place in range(len(names))]
    del graph.output[:]
    graph.node.extend(
        helper.make_node("Shape", [name], [one]) for name, one in zip(names, asked, strict=True)
    )
    graph.output.extend(
        helper.make_tensor_value_info(one, TensorProto.INT64, None) for one in asked
    )
    try:
        return bytes(model.SerializeToString())
    finally:
        del graph.node[nodes:], graph.output[:]
        graph.output.extend(outputs)


def _run(content: bytes, image: onnx.ValueInfoProto, size: Shape) -> list[Shape]:
    import onnxruntime as ort  # noqa: PLC0415
    from onnx import helper  # noqa: PLC0415

    options = ort.SessionOptions()
    options.log_severity_level = 4
    # A run is all that there will be: to make the graph faster takes longer than that.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    kind = helper.tensor_dtype_to_np_dtype(image.type.tensor_type.elem_type)
    found = session.run(None, {image.name: np.zeros(size, kind)})
    return [tuple(map(int, one)) for one in found]
