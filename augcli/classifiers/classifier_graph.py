"""A graph that can be asked: who makes a tensor, what shape it has, what depends on the image."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import onnx
    from numpy.typing import NDArray

    from augcli.classifiers.shapes import Shape

SHAPE_OPERATORS = frozenset({"Shape", "Size"})
"""They look at a tensor's shape alone, and not at what the image holds."""
COMBINING = frozenset(
    {"Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Mean", "Sum", "Where", "PRelu"}
    | {"Concat", "MatMul", "Gemm", "Einsum"}
)
"""Operators with several inputs of equal standing; of others, only the first is followed."""
PREFIX = "augcli/"


class Tensor(NamedTuple):
    """What is known of a tensor.

    Attributes:
        name: Its name in the graph.
        shape: For one image; empty where it is not known.
    """

    name: str
    shape: Shape


class ClassifierGraph:
    """A view of a graph that takes one image.

    Args:
        model: Its input has a fixed size for one image.
        shapes: Of its tensors.
    """

    def __init__(self, model: onnx.ModelProto, shapes: dict[str, Shape]) -> None:
        self.model = model
        self.shapes = shapes
        self.opset = max(
            (one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), default=0
        )
        self.producers = {name: node for node in model.graph.node for name in node.output if name}
        self.consumers: dict[str, list[onnx.NodeProto]] = {}
        for node in model.graph.node:
            for name in node.input:
                self.consumers.setdefault(name, []).append(node)
        self._live = self._depending_on_the_image()

    def tensor(self, name: str) -> Tensor:
        """Return what is known of a tensor."""
        return Tensor(name, self.shapes.get(name, ()))

    def sources(self, node: onnx.NodeProto) -> list[str]:
        """Return the inputs of a node that carry what was made of the image."""
        followed = node.input if node.op_type in COMBINING else node.input[:1]
        return [name for name in dict.fromkeys(followed) if name in self._live]

    def depends_on_the_image(self, name: str) -> bool:
        """Return whether a tensor differs from image to image."""
        return name in self._live

    def constant(self, name: str) -> NDArray[Any] | None:
        """Return the value of an initializer or a Constant; None for anything else."""
        from onnx import numpy_helper  # noqa: PLC0415

        for one in self.model.graph.initializer:
            if one.name == name:
                return numpy_helper.to_array(one)
        node = self.producers.get(name)
        if node is not None and node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    return numpy_helper.to_array(attribute.t)
                if attribute.name in ("value_int", "value_ints"):
                    return np.atleast_1d(np.array(attribute.i or list(attribute.ints), np.int64))
        return None

    def axes(self, node: onnx.NodeProto) -> list[int] | None:
        """Return the axes of a reduction: an attribute, or an input since opset 18."""
        for attribute in node.attribute:
            if attribute.name == "axes":
                return list(attribute.ints)
        found = self.constant(node.input[1]) if len(node.input) > 1 else None
        return None if found is None else [int(axis) for axis in found.ravel()]

    def _depending_on_the_image(self) -> set[str]:
        live = {one.name for one in self.model.graph.input}
        for node in self.model.graph.node:
            if node.op_type not in SHAPE_OPERATORS and live.intersection(names_read(node)):
                live.update(node.output)
        return live


class GraphBuilder:
    """Nodes that are added to a graph.

    Args:
        opset: Version of the operators that the graph speaks.
        prefix: Of the names of nodes and constants; no two drawings in a graph share it.
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
        named = helper.make_node(operator, list(inputs), [output], name=output, **attributes)
        self.nodes.append(named)
        return output

    def constant(self, value: Any, kind: Any = np.float32) -> str:
        """Add a constant and return its name."""
        from onnx import numpy_helper  # noqa: PLC0415

        name = f"{self._prefix}constant-{next(self._numbers)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def reshape(self, tensor: str, shape: Sequence[int]) -> str:
        """Give a tensor another shape; 0 keeps a dimension."""
        return self.add("Reshape", tensor, self.constant(shape, np.int64))

    def reduce(self, operator: str, tensor: str, axes: Sequence[int], *, keep: bool = False) -> str:
        """Reduce a tensor over axes: an attribute at first, an input in later opsets."""
        since = 13 if operator == "ReduceSum" else 18
        if self.opset < since:
            return self.add(operator, tensor, axes=list(axes), keepdims=int(keep))
        return self.add(operator, tensor, self.constant(axes, np.int64), keepdims=int(keep))


def names_read(node: onnx.NodeProto) -> Iterator[str]:
    """Yield the tensors that a node reads, also those of graphs inside it."""
    yield from node.input
    for attribute in node.attribute:
        for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
            for one in inner.node:
                yield from names_read(one)
            yield from (one.name for one in inner.output)


def prune(graph: onnx.GraphProto, wanted: Iterable[str]) -> None:
    """Remove every node and constant from which nothing wanted is made."""
    needed = set(wanted)
    for place in reversed(range(len(graph.node))):
        node = graph.node[place]
        if needed.intersection(node.output):
            needed.update(names_read(node))
        else:
            del graph.node[place]
    for place in reversed(range(len(graph.initializer))):
        if graph.initializer[place].name not in needed:
            del graph.initializer[place]
    for place in reversed(range(len(graph.sparse_initializer))):
        if graph.sparse_initializer[place].values.name not in needed:
            del graph.sparse_initializer[place]
