"""How many images a classifier takes at once: any number, wherever that can be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from augcli.attention.preparing.classifier_graph import PREFIX

if TYPE_CHECKING:
    from augcli.attention.preparing.classifier_graph import ClassifierGraph

ANY = "N"


def free_batch(graph: ClassifierGraph, batch: int) -> None:
    """Let reshapes keep the number of images where the graph has it as a constant.

    Args:
        graph: The classifier's; it is changed.
        batch: The number that it was exported with; 0 for any, where nothing is to be done.
    """
    from onnx import numpy_helper  # noqa: PLC0415

    if not batch:
        return
    for number, node in enumerate(graph.model.graph.node):
        if node.op_type != "Reshape" or not graph.sources(node):
            continue
        shape = graph.constant(node.input[1])
        keeps = not any(one.name == "allowzero" and one.i for one in node.attribute)
        if shape is not None and shape.size and shape[0] == batch and keeps:
            name = f"{PREFIX}shape-{number}"
            free = np.array([0, *shape[1:]], np.int64)
            graph.model.graph.initializer.append(numpy_helper.from_array(free, name))
            node.input[1] = name
