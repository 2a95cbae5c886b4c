"""From a trained student to attention.onnx: folded, in 8-bit integers, described by metadata."""

import copy
import itertools
import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .augment import SMALL_SIDES, make_small
from .network import GRID, Student
from .pool import VIEW_SIDE
from .quantize import quantize

OPSET = 17
IR_VERSION = 8  # onnxruntime 1.17 reads up to 9


class Shipped(nn.Module):
    """The student as it is shipped: pixels 0..255 in, heat map 0..1 out."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.stem, self.middle, self.wide = student.stem, student.middle, student.wide
        self.heat = student.heat

    def forward(self, pixels: Tensor) -> Tensor:
        """Give the heat map (N, 7, 7) of pixels (N, side, side, 3)."""
        trunk = self.wide(self.middle(self.stem(pixels.permute(0, 3, 1, 2))))
        return torch.sigmoid(self.heat(trunk))[:, 0]


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
    shipped = Shipped(copy.deepcopy(student).cpu()).eval()
    fold(shipped)
    first = next(m for m in shipped.stem.modules() if isinstance(m, nn.Conv2d))
    with torch.no_grad():
        first.weight /= 255
    return shipped


def calibration_views(views: Tensor, side: int) -> NDArray[np.uint8]:
    """Bring views (N, S, S, 3) to the size of the network's input."""
    pixels = views.cpu().permute(0, 3, 1, 2).float()
    if side < pixels.shape[-1]:
        sizes = itertools.cycle(SMALL_SIDES)
        pixels = torch.cat([make_small(some, side, next(sizes)) for some in pixels.split(64)])
    return pixels.round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()


def export(student: Student, views: Tensor, file: Path, recipe: str) -> None:
    """Write the shipped network with the metadata that augcli reads.

    Args:
        student: The trained network.
        views: uint8 (n, S, S, 3): training views, on which ranges are measured.
        file: Where to write it.
        recipe: Data and training in a sentence.
    """
    images = calibration_views(views, student.side)
    # The graph for small images must be fast above all.
    small = student.side < VIEW_SIDE
    shipped = ship(student)
    example = torch.rand(2, student.side, student.side, 3) * 255
    plain = file.with_suffix(".plain.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter recommends its successor
        torch.onnx.export(
            shipped,
            (example,),
            str(plain),
            input_names=["image"],
            output_names=["heat_map"],
            dynamic_axes={"image": {0: "N"}, "heat_map": {0: "N"}},
            opset_version=OPSET,
            dynamo=False,
        )
    # The measured range of pixels must include black and white.
    ends = np.stack([np.zeros_like(images[0]), np.full_like(images[0], 255)])
    model = quantize(
        plain, file.with_suffix(".quantized.onnx"), np.concatenate([images, ends]), pixels=small
    )
    for unfinished in (plain, file.with_suffix(".quantized.onnx")):
        unfinished.unlink()
    model.ir_version = IR_VERSION
    model.producer_name, model.producer_version = "augcli", ""
    entries: dict[str, object] = {
        "input_size": [student.side, student.side],
        "channel_order": "RGB",
        **({} if small else {"range": [0, 255]}),
        "grid": GRID,
        "version": "4",
        "recipe": recipe,
    }
    helper.set_model_props(
        model, {f"augcli.{key}": json.dumps(value) for key, value in entries.items()}
    )
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(file))
