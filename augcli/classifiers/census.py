"""What a graph costs: its parameters, and its multiply-adds for one image. Needs onnx."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from augcli.classifiers.shapes import measure_shapes

if TYPE_CHECKING:
    from pathlib import Path

    import onnx

    from augcli.classifiers.shapes import Shape
    from augcli.pixels.frame import Frame

SHAPES_AND_INDICES = frozenset({"INT64", "INT32", "BOOL", "STRING"})
"""Types of constants that are no parameters."""


class Census(NamedTuple):
    """What a graph costs.

    Attributes:
        parameters: Numbers in its constants, without shapes and indices.
        multiply_adds: Of its convolutions and matrix products, for one image; None where the
            shape of one of them is not known.
    """

    parameters: int
    multiply_adds: int | None


def count_graph(path: Path, frame: Frame) -> Census | None:
    """Count a graph; None where onnx is not installed or can't read the file.

    Args:
        path: The ONNX file.
        frame: Height and width of the image.
    """
    try:
        import onnx  # noqa: PLC0415
    except ImportError:
        return None
    try:
        model = onnx.load(str(path))
        for one in model.graph.input:
            sides = one.type.tensor_type.shape.dim
            pixels = one.type.tensor_type.elem_type == onnx.TensorProto.UINT8
            shape = (1, *frame, 3) if pixels else (1, 3, *frame)
            for dimension, side in zip(sides, shape, strict=True):
                dimension.dim_value = side
    except Exception:  # onnx has a class for each cause and no common base
        return None
    try:
        shapes = measure_shapes(model)
    except Exception:  # nor has onnxruntime
        shapes = {}
    graph = model.graph
    parameters = sum(
        math.prod(one.dims)
        for one in graph.initializer
        if onnx.TensorProto.DataType.Name(one.data_type) not in SHAPES_AND_INDICES
    )
    return Census(parameters, _multiply_adds(list(graph.node), shapes))


def _multiply_adds(nodes: list[onnx.NodeProto], shapes: dict[str, Shape]) -> int | None:
    total = 0
    for node in nodes:
        if node.op_type not in ("Conv", "Gemm", "MatMul"):
            continue
        made = shapes.get(node.output[0], ())
        first, weights = (shapes.get(name, ()) for name in node.input[:2])
        if not (made and first and weights and all((*made, *first, *weights))):
            return None
        # How many products each number that comes out sums up.
        if node.op_type == "Conv":
            summed = math.prod(weights[1:])
        elif any(one.name == "transA" and one.i for one in node.attribute):
            summed = first[0]
        else:
            summed = first[-1]
        total += math.prod(made) * summed
    return total
