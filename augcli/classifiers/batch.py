"""How many images a classifier takes at once: any number, wherever that can be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from augcli.classifiers.classifier_graph import PREFIX

if TYPE_CHECKING:
    import onnx

    from augcli.classifiers.classifier_graph import ClassifierGraph

ANY = "N"


class Reshapes:
    """The reshapes that have the number of images as a constant.

    Args:
        graph: The classifier's.
        batch: The number of images that it was exported with; 0 for any.
    """

    def __init__(self, graph: ClassifierGraph, batch: int) -> None:
        self._fixed: dict[str, str] = {}
        self._free: dict[str, onnx.TensorProto] = {}
        for node in graph.model.graph.node if batch else ():
            self._look_at(graph, node, batch)

    def free(self, model: onnx.ModelProto) -> None:
        """Let them keep the number that they are given."""
        known = {one.name for one in model.graph.initializer}
        for node in model.graph.node:
            shape = self._free.get(node.output[0])
            if shape is not None:
                node.input[1] = shape.name
                if shape.name not in known:
                    model.graph.initializer.append(shape)

    def fix(self, model: onnx.ModelProto) -> None:
        """Let them be as they were."""
        for node in model.graph.node:
            if node.output[0] in self._fixed:
                node.input[1] = self._fixed[node.output[0]]

    def _look_at(self, graph: ClassifierGraph, node: onnx.NodeProto, batch: int) -> None:
        from onnx import numpy_helper  # noqa: PLC0415

        if node.op_type != "Reshape" or not graph.sources(node):
            return
        shape = graph.constant(node.input[1])
        allows_zero = any(one.name == "allowzero" and one.i for one in node.attribute)
        if shape is None or not shape.size or shape[0] != batch or allows_zero:
            return
        kept = np.array([0, *shape[1:]], np.int64)
        name = node.output[0]
        self._fixed[name] = node.input[1]
        self._free[name] = numpy_helper.from_array(kept, f"{PREFIX}shape-of-{name}")
