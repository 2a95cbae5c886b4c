"""A classifier's graph: which node makes a tensor, its shape, whether it depends on the image.

Shapes are measured by running the graph once. What a file says of shapes, and what can be inferred
without a run, ends at the first reshape whose shape is computed too.
"""

from __future__ import annotations

import itertools
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import onnx
    from numpy.typing import NDArray

    Shape = tuple[int, ...]

SHAPE_OPERATORS = frozenset({"Shape", "Size"})
"""Operators that read a tensor's shape only: their output does not depend on the image."""
COMBINING = frozenset(
    {"Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Mean", "Sum", "Where", "PRelu"}
    | {"Concat", "MatMul", "Gemm", "Einsum"}
)
"""Operators with several equal inputs; of all others, only the first input is followed."""
PREFIX = "augcli/"
"""Of the names of everything that augcli adds to a graph."""


class Tensor(NamedTuple):
    """What is known about a tensor.

    Attributes:
        name: Its name in the graph.
        shape: Its shape for one image; empty where it is not known.
    """

    name: str
    shape: Shape


class ClassifierGraph:
    """A graph that takes one image, for looking things up.

    Args:
        model: Its input must have a fixed size, for one image.
        shapes: Shapes of its tensors, see :func:`measure_shapes`.
    """

    def __init__(self, model: onnx.ModelProto, shapes: dict[str, Shape]) -> None:
        self.model = model
        self.shapes = shapes
        versions = [
            opset.version for opset in model.opset_import if opset.domain in ("", "ai.onnx")
        ]
        self.opset = max(versions, default=0)
        self.producers = {name: node for node in model.graph.node for name in node.output if name}
        self.consumers: dict[str, list[onnx.NodeProto]] = {}
        for node in model.graph.node:
            for name in node.input:
                self.consumers.setdefault(name, []).append(node)
        self._live = self._depending_on_the_image()

    def tensor(self, name: str) -> Tensor:
        """Return what is known about a tensor."""
        return Tensor(name, self.shapes.get(name, ()))

    def sources(self, node: onnx.NodeProto) -> list[str]:
        """Return the inputs of a node that depend on the image and are worth following back."""
        followed = node.input if node.op_type in COMBINING else node.input[:1]
        return [name for name in dict.fromkeys(followed) if name in self._live]

    def depends_on_the_image(self, name: str) -> bool:
        """Return whether a tensor differs from image to image."""
        return name in self._live

    def constant(self, name: str) -> NDArray[Any] | None:
        """Return the value of an initializer or a Constant; None for anything else."""
        from onnx import numpy_helper  # noqa: PLC0415

        for tensor in self.model.graph.initializer:
            if tensor.name == name:
                return numpy_helper.to_array(tensor)
        node = self.producers.get(name)
        if node is not None and node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    return numpy_helper.to_array(attribute.t)
                if attribute.name in ("value_int", "value_ints"):
                    return np.atleast_1d(np.array(attribute.i or list(attribute.ints), np.int64))
        return None

    def axes(self, node: onnx.NodeProto) -> list[int] | None:
        """Return the axes of a reduction: an attribute before opset 18, an input since."""
        for attribute in node.attribute:
            if attribute.name == "axes":
                return list(attribute.ints)
        axes = self.constant(node.input[1]) if len(node.input) > 1 else None
        return None if axes is None else [int(axis) for axis in axes.ravel()]

    def _depending_on_the_image(self) -> set[str]:
        live = {image.name for image in self.model.graph.input}
        for node in self.model.graph.node:
            if node.op_type not in SHAPE_OPERATORS and live.intersection(names_read(node)):
                live.update(node.output)
        return live


def measure_shapes(model: onnx.ModelProto) -> dict[str, Shape]:
    """Return the shape of every tensor of a graph, also of its weights, by running it once.

    Args:
        model: Its one input has a fixed size. It is unchanged afterwards.

    Raises:
        Exception: onnxruntime can't run it on that size; it has a class for each cause.
    """
    (image,) = model.graph.input
    size = tuple(dimension.dim_value for dimension in image.type.tensor_type.shape.dim)
    names = _tensor_names(model)
    measured = _run(_with_shapes_as_outputs(model, names), image, size)
    weights = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    return {**weights, image.name: size, **dict(zip(names, measured, strict=True))}


def _tensor_names(model: onnx.ModelProto) -> list[str]:
    """Return the outputs of all nodes, without those that have no shape, such as sequences."""
    from onnx import shape_inference  # noqa: PLC0415

    try:
        inferred = shape_inference.infer_shapes(model).graph
    except Exception:  # an operator that onnx does not know, or a wrong shape
        inferred = model.graph
    no_tensors = {
        value.name
        for value in (*inferred.value_info, *inferred.output)
        if value.type.WhichOneof("value") not in ("tensor_type", None)
    }
    names = dict.fromkeys(name for node in model.graph.node for name in node.output)
    return [name for name in names if name and name not in no_tensors]


def _with_shapes_as_outputs(model: onnx.ModelProto, names: list[str]) -> bytes:
    """Return a model whose outputs are the shapes of tensors: a run need not hold them all."""
    from onnx import TensorProto, helper  # noqa: PLC0415

    graph = model.graph
    outputs, nodes = list(graph.output), len(graph.node)
    shapes = [f"{PREFIX}shape-{number}" for number in range(len(names))]
    del graph.output[:]
    graph.node.extend(
        helper.make_node("Shape", [name], [shape])
        for name, shape in zip(names, shapes, strict=True)
    )
    graph.output.extend(
        helper.make_tensor_value_info(shape, TensorProto.INT64, None) for shape in shapes
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
    # Optimising the graph would take longer than its only run.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    kind = helper.tensor_dtype_to_np_dtype(image.type.tensor_type.elem_type)
    shapes = session.run(None, {image.name: np.zeros(size, kind)})
    return [tuple(map(int, shape)) for shape in shapes]


class GraphBuilder:
    """Builds nodes and constants that are to be added to a graph.

    Args:
        opset: Version of the graph's operators.
        prefix: Of the names of nodes and constants; each builder for a graph needs its own.
    """

    def __init__(self, opset: int, prefix: str = PREFIX) -> None:
        self.opset = opset
        self._prefix = prefix
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._numbers = itertools.count(1)

    def add(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add a node and return its output."""
        from onnx import helper  # noqa: PLC0415

        output = name or f"{self._prefix}{operator}-{next(self._numbers)}"
        self.nodes.append(
            helper.make_node(operator, list(inputs), [output], name=output, **attributes)
        )
        return output

    def constant(self, value: Any, kind: Any = np.float32) -> str:
        """Add a constant and return its name."""
        from onnx import numpy_helper  # noqa: PLC0415

        name = f"{self._prefix}constant-{next(self._numbers)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def reshape(self, tensor: str, shape: Sequence[int]) -> str:
        """Add a reshape; 0 leaves a dimension as it is. Return its output."""
        return self.add("Reshape", tensor, self.constant(shape, np.int64))

    def reduce(self, operator: str, tensor: str, axes: Sequence[int], *, keep: bool = False) -> str:
        """Add a reduction over axes, which are an input in later opsets. Return its output."""
        since = 13 if operator == "ReduceSum" else 18
        if self.opset < since:
            return self.add(operator, tensor, axes=list(axes), keepdims=int(keep))
        return self.add(operator, tensor, self.constant(axes, np.int64), keepdims=int(keep))


def names_read(node: onnx.NodeProto) -> Iterator[str]:
    """Yield the tensors that a node reads, also those of graphs inside it."""
    yield from node.input
    for attribute in node.attribute:
        for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
            for inner_node in inner.node:
                yield from names_read(inner_node)
            yield from (output.name for output in inner.output)


def prune(graph: onnx.GraphProto, wanted: Iterable[str]) -> None:
    """Remove every node and constant that none of the wanted tensors depends on."""
    needed = set(wanted)
    for index in reversed(range(len(graph.node))):
        node = graph.node[index]
        if needed.intersection(node.output):
            needed.update(names_read(node))
        else:
            del graph.node[index]
    for index in reversed(range(len(graph.initializer))):
        if graph.initializer[index].name not in needed:
            del graph.initializer[index]
    for index in reversed(range(len(graph.sparse_initializer))):
        if graph.sparse_initializer[index].values.name not in needed:
            del graph.sparse_initializer[index]
