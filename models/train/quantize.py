"""From a network in 32-bit floats to one in 8-bit integers, three times faster on a processor.

Weights have 7 bits, so that sums of two products always fit into 16 bits: processors without
instructions for 8-bit products add them in 16 bits, and would clip larger sums. So every processor
computes the same whole numbers.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

BATCH = 64


class Views(CalibrationDataReader):
    """Batches of training views, on which the ranges of all layers are measured."""

    def __init__(self, images: NDArray[np.uint8], name: str) -> None:
        self._batches: Iterator[dict[str, NDArray[np.float32]]] = iter(
            {name: images[start : start + BATCH].astype(np.float32)}
            for start in range(0, len(images), BATCH)
        )

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:  # type: ignore[override]
        """Give the next batch, None at the end."""
        return next(self._batches, None)


def quantize(
    plain: Path, target: Path, images: NDArray[np.uint8], *, pixels: bool
) -> onnx.ModelProto:
    """Compute every convolution but the last in 8 bits.

    The last one and all that follows stay in floats: the heat map needs more than 256 levels.

    Args:
        plain: The network in floats; its input is float32 (N, side, side, 3), 0..255.
        target: Path for an intermediate file.
        images: uint8 (n, side, side, 3), to measure ranges on.
        pixels: Take uint8 (N, side, side, 3); else float32 (N, 3, side, side), 0..255, which
            every tool can feed, for a tenth more time.
    """
    logging.getLogger().setLevel(logging.ERROR)
    model = onnx.load(str(plain))
    nodes = list(model.graph.node)
    last = max(place for place, node in enumerate(nodes) if node.op_type == "Conv")
    quantize_static(
        str(plain),
        str(target),
        Views(images, model.graph.input[0].name),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["Conv", "Add", "Relu"],
        nodes_to_exclude=[node.name for node in nodes[last:]],
        calibrate_method=CalibrationMethod.MinMax,
    )
    quantized = onnx.load(str(target))
    take_bytes(quantized)
    if not pixels:
        take_floats(quantized)
    return quantized


def take_bytes(model: onnx.ModelProto) -> None:
    """Make the input uint8, and remove the step that rounds it to bytes."""
    graph = model.graph
    turned = next(node for node in graph.node if node.op_type == "Transpose").output[0]
    rounds = next(
        node for node in graph.node if node.op_type == "QuantizeLinear" and node.input[0] == turned
    )
    constants = {tensor.name: tensor for tensor in graph.initializer}
    scale, zero = (onnx.numpy_helper.to_array(constants[name]) for name in rounds.input[1:3])
    if (scale, zero) != (1, 0):
        raise ValueError(f"pixels would be scaled by {scale} and moved by {zero}")
    for node in graph.node:
        for number, name in enumerate(node.input):
            if name == rounds.output[0]:
                node.input[number] = turned
    graph.node.remove(rounds)
    graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.UINT8
    # The types of tensors in between have changed.
    del graph.value_info[:]


def take_floats(model: onnx.ModelProto) -> None:
    """Make the input float32 (N, 3, side, side), 0..255, and add a step that rounds it to bytes."""
    graph = model.graph
    entry = graph.input[0]
    batch, height, width, channels = entry.type.tensor_type.shape.dim
    sides = [batch.dim_param, channels.dim_value, height.dim_value, width.dim_value]
    name, inner = entry.name, "pixels"
    for node in graph.node:
        for number, source in enumerate(node.input):
            if source == name:
                node.input[number] = inner
    constants = {"one": np.float32(1), "nothing": np.uint8(0)}
    graph.initializer.extend(
        onnx.numpy_helper.from_array(np.array(value), key) for key, value in constants.items()
    )
    rounded = onnx.helper.make_node("QuantizeLinear", [name, *constants], ["planes"])
    turned = onnx.helper.make_node("Transpose", ["planes"], [inner], perm=[0, 2, 3, 1])
    graph.node.insert(0, rounded)
    graph.node.insert(1, turned)
    graph.input[0].CopyFrom(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, sides))
