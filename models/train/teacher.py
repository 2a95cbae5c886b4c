"""The teacher: a larger network whose heat maps and inner features the student imitates."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from .pictures import Image

SIDE = 224
# Inner tensors of the teacher that are worth imitating: the last map of its backbone (what
# things are) and the joined maps of its head (where the object is). Both are 7 x 7.
FEATURES = ("b147", "h_/m/Concat_1_output_0")


@dataclass(frozen=True)
class Answer:
    """The teacher's labels for a batch of views."""

    heat: NDArray[np.float32]  # (N, 7, 7), 0..1
    features: NDArray[np.float32]  # (N, channels, 7, 7)


class Teacher:
    """Runs the teacher on one thread."""

    def __init__(self, file: Path, threads: int = 1) -> None:
        model = onnx.load(str(file))
        model.graph.output.extend(
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
            for name in FEATURES
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Weights are stored in 8 bits; computing in float is 2.3 times faster on a CPU.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        self.session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, images: list[Image]) -> Answer:
        """Score views that are SIDE x SIDE each."""
        batch = np.stack(images).transpose(0, 3, 1, 2).astype(np.float32) / 255
        heat, *maps = self.session.run(["heat", *FEATURES], {"image": batch})
        scaled = [each / np.sqrt(np.mean(np.square(each)) + 1e-8) for each in maps]
        return Answer(np.asarray(heat).reshape(-1, 7, 7), np.concatenate(scaled, axis=1))


@dataclass(frozen=True)
class Projection:
    """Principal components of the teacher's features: 64 numbers a cell instead of 512."""

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float16]:
        """Project (N, channels, 7, 7) to (N, components, 7, 7)."""
        centred = features.transpose(0, 2, 3, 1) - self.mean
        return np.asarray((centred @ self.axes).transpose(0, 3, 1, 2), np.float16)


def fit_projection(features: NDArray[np.float32], components: int) -> Projection:
    """Fit the projection; components are scaled by the square root of their spread.

    This is half-way between equal spread, where noise would count as much as meaning, and the
    natural spread, where three components would outweigh all others.
    """
    cells = features.transpose(0, 2, 3, 1).reshape(-1, features.shape[1]).astype(np.float64)
    mean = cells.mean(axis=0)
    spread, axes = np.linalg.eigh(np.cov(cells - mean, rowvar=False))
    best = np.argsort(spread)[::-1][:components]
    scaled = axes[:, best] / np.sqrt(np.sqrt(spread[best]))
    scaled /= np.sqrt(np.mean(np.sqrt(spread[best])))
    return Projection(mean.astype(np.float32), scaled.astype(np.float32))
