"""Networks in ONNX run by PyTorch: the teacher and the classifiers, on any device."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor
from torch.nn import functional

Attributes = dict[str, Any]


def _convolution(
    given: Attributes, x: Tensor, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    top, left, bottom, right = given.get("pads", [0, 0, 0, 0])
    padding = [top, left]
    if (top, left) != (bottom, right):
        x, padding = functional.pad(x, (left, right, top, bottom)), [0, 0]
    return functional.conv2d(
        x, weight, bias, given["strides"], padding, given["dilations"], given.get("group", 1)
    )


def _dequantize(given: Attributes, x: Tensor, scale: Tensor, zero: Tensor | None = None) -> Tensor:
    shape = [1] * x.dim()
    if scale.dim():
        shape[given.get("axis", 1)] = -1
    moved = x.float() if zero is None else x.float() - zero.float().reshape(shape)
    return moved * scale.reshape(shape)


def _normalise(
    given: Attributes, x: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor
) -> Tensor:
    statistics = (each.float() for each in (mean, variance, scale, shift))
    return functional.batch_norm(x.float(), *statistics, eps=given["epsilon"]).to(x.dtype)


OPERATORS: dict[str, Callable[..., Tensor]] = {
    "Add": lambda _, x, y: x + y,
    "AveragePool": lambda given, x: functional.avg_pool2d(
        x, given["kernel_shape"], given["strides"]
    ),
    "BatchNormalization": _normalise,
    "Cast": lambda _, x: x.float(),
    "Clip": lambda given, x: x.clamp(*given["bounds"]),
    "Concat": lambda given, *parts: torch.cat(parts, given["axis"]),
    "Constant": lambda given: given["value"],
    "Conv": _convolution,
    "DequantizeLinear": _dequantize,
    "Flatten": lambda _, x: x.flatten(1),
    "Gather": lambda given, x, index: x.select(given["axis"], int(index)),
    "Gemm": lambda _, x, weight, bias: functional.linear(x, weight, bias),
    "GlobalAveragePool": lambda _, x: x.mean(dim=(2, 3), keepdim=True),
    "Mul": lambda _, x, y: x * y,
    "ReduceMean": lambda given, x: x.mean(dim=tuple(given["axes"]), keepdim=True),
    "Relu": lambda _, x: x.relu(),
    "Sigmoid": lambda _, x: x.sigmoid(),
    "Sub": lambda _, x, y: x - y,
}
"""What an operator's attributes and inputs give."""


class Frozen:
    """An ONNX network of the operators above; 16-bit floats on a GPU."""

    def __init__(self, file: Path, outputs: Sequence[str], device: torch.device) -> None:
        graph = onnx.load(str(file)).graph
        self.input, self.outputs = graph.input[0].name, outputs
        self.side = graph.input[0].type.tensor_type.shape.dim[2].dim_value
        self.type = torch.float16 if device.type == "cuda" else torch.float32
        known = {
            each.name: torch.from_numpy(numpy_helper.to_array(each).copy())
            for each in graph.initializer
        }
        self.nodes: list[tuple[str, Attributes, list[str], str]] = []
        for node in graph.node:
            given = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            if "value" in given:
                given["value"] = torch.from_numpy(numpy_helper.to_array(given["value"]).copy())
            names = [name for name in node.input if name]
            if node.op_type == "Clip":
                # As numbers of Python: from a GPU they would be read at every call.
                names, ends = names[:1], names[1:]
                given["bounds"] = [known[end].item() for end in ends]
            # Weights are stored in 8 bits: what depends on weights alone is computed once.
            if all(name in known for name in names):
                known[node.output[0]] = OPERATORS[node.op_type](given, *(known[n] for n in names))
            else:
                self.nodes.append((node.op_type, given, names, node.output[0]))
        # What no later operator needs is freed: the inner tensors of a batch are large.
        self.done: list[list[str]] = [[] for _ in self.nodes]
        last = {name: place for place, node in enumerate(self.nodes) for name in node[2]}
        for name, place in last.items():
            if name not in known and name not in outputs:
                self.done[place].append(name)
        # Bounds and indices stay on the processor, where Python reads them.
        self.weights = {
            name: value.to(device, self.type) if value.dim() else value
            for name, value in known.items()
        }

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> list[Tensor]:
        """Give the outputs for images (N, 3, side, side), 0..1."""
        values = dict(self.weights)
        values[self.input] = images.to(self.type).contiguous(memory_format=torch.channels_last)
        for (operator, given, names, output), done in zip(self.nodes, self.done, strict=True):
            values[output] = OPERATORS[operator](given, *(values[name] for name in names))
            for name in done:
                del values[name]
        return [values[name].float() for name in self.outputs]
