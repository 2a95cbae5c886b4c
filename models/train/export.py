"""From a trained student to attention.onnx: folded, 16-bit weights, described by metadata."""

import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .network import GRID, INPUT_SIDE, Student

OPSET = 17
IR_VERSION = 8  # onnxruntime 1.17 reads up to 9


class Shipped(nn.Module):
    """The student as it is shipped: pixels 0..255 in, heat map 0..1 out."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.stem, self.middle, self.wide = student.stem, student.middle, student.wide
        self.heat = student.heat

    def forward(self, pixels: Tensor) -> Tensor:
        """Give the heat map (N, 7, 7)."""
        return torch.sigmoid(self.heat(self.wide(self.middle(self.stem(pixels)))))[:, 0]


def fold(module: nn.Module) -> None:
    """Fold every batch norm into the convolution before it, in place."""
    for child in module.children():
        fold(child)
    if isinstance(module, nn.Sequential):
        for position in range(len(module) - 1):
            convolution, norm = module[position], module[position + 1]
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                module[position] = fuse_conv_bn_eval(convolution, norm)
                module[position + 1] = nn.Identity()


def ship(student: Student) -> Shipped:
    """Fold the norms and the factor 1/255 into the convolutions."""
    shipped = Shipped(student).eval()
    fold(shipped)
    first = next(m for m in shipped.stem.modules() if isinstance(m, nn.Conv2d))
    with torch.no_grad():
        first.weight /= 255
    return shipped


def halve(model: onnx.ModelProto) -> None:
    """Store large weights in 16 bits behind a Cast, which runtimes fold when they load."""
    kept, casts = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < 256:
            kept.append(tensor)
            continue
        # The first convolution holds values of about 1/1000, where 16 bits lose digits: it
        # stays in 32 bits.
        if np.abs(values).max() < 0.01:
            kept.append(tensor)
            continue
        short = tensor.name + ".half"
        kept.append(numpy_helper.from_array(values.astype(np.float16), short))
        casts.append(helper.make_node("Cast", [short], [tensor.name], to=onnx.TensorProto.FLOAT))
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    nodes = casts + list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def export(student: Student, file: Path, recipe: str) -> None:
    """Write the shipped network with the metadata that augcli reads."""
    shipped = ship(student)
    pixels = torch.rand(2, 3, INPUT_SIDE, INPUT_SIDE) * 255
    raw = file.with_suffix(".raw.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter announces its own successor
        torch.onnx.export(
            shipped,
            (pixels,),
            str(raw),
            input_names=["image"],
            output_names=["heat_map"],
            dynamic_axes={"image": {0: "N"}, "heat_map": {0: "N"}},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(str(raw))
    raw.unlink()
    halve(model)
    model.ir_version = IR_VERSION
    model.producer_name, model.producer_version = "augcli", ""
    entries: dict[str, object] = {
        "input_size": [INPUT_SIDE, INPUT_SIDE],
        "range": [0, 255],
        "channel_order": "RGB",
        "mean": [0, 0, 0],
        "std": [1, 1, 1],
        "grid": GRID,
        "version": "1",
        "recipe": recipe,
    }
    helper.set_model_props(
        model, {f"augcli.{key}": json.dumps(value) for key, value in entries.items()}
    )
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(file))
