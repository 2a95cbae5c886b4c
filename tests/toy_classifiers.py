"""Small ONNX classifiers with features that NumPy can compute, built as exporters build them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.models import IR_VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

CHANNELS, CLASSES, PATCH = 6, 5, 8
NEWER_IR = 10
"""The IR version that opset 18 and later need."""


def _random(seed: int, *shape: int) -> Numbers:
    return np.asarray(np.random.default_rng(seed).normal(size=shape))


KERNEL = _random(1, CHANNELS, 3, PATCH, PATCH) / PATCH
BIAS = _random(2, CHANNELS)
WEIGHTS = _random(3, CLASSES, CHANNELS)


class Network:
    """A classifier that is built node by node.

    Args:
        opset: Version of the operators.
        kind: Type of the numbers it computes with.
        images: How many it takes at once; a name for any number.
        side: Height and width of the input; a name for any.
        nhwc: Whether the input's channels are last.
        channels: 3, or 1 for grey images.
    """

    def __init__(
        self,
        *,
        opset: int = 17,
        kind: int = TensorProto.FLOAT,
        images: int | str = "N",
        side: int | str = 56,
        nhwc: bool = False,
        channels: int = 3,
    ) -> None:
        self.channels = channels
        self.opset = opset
        self.kind = kind
        self.type = helper.tensor_dtype_to_np_dtype(kind)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        shape = [images, side, side, channels] if nhwc else [images, channels, side, side]
        self.image = helper.make_tensor_value_info("image", kind, shape)

    def add(self, operator: str, *inputs: str, name: str, **attributes: Any) -> str:
        """Add a node; return its output."""
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, name: str, value: Any, kind: Any = None) -> str:
        """Add a weight; return its name."""
        self.weights.append(numpy_helper.from_array(np.asarray(value, kind or self.type), name))
        return name

    def reduce(self, operator: str, tensor: str, axes: list[int], *, name: str, keep: int) -> str:
        """Add a reduction, in the form that the opset has for it."""
        if self.opset < 18:
            return self.add(operator, tensor, name=name, axes=axes, keepdims=keep)
        return self.add(
            operator,
            tensor,
            self.constant(f"{name}_axes", axes, np.int64),
            name=name,
            keepdims=keep,
        )

    def gives(self, name: str, *shape: int | str) -> None:
        """Make a tensor an output."""
        self.outputs.append(helper.make_tensor_value_info(name, self.kind, shape))

    def features(self, planes: str = "image") -> str:
        """Add the body: one convolution of patches and a ReLU, (N, 6, side / 8, side / 8)."""
        self.constant("kernel", KERNEL[:, : self.channels])
        self.constant("bias", BIAS)
        strides = [PATCH, PATCH]
        self.add("Conv", planes, "kernel", "bias", name="patches", strides=strides)
        return self.add("Relu", "patches", name="features")

    def first_half(self, tensor: str) -> str:
        """Cut off the second half of the channels, at a place that is computed in the graph."""
        for name, value in (("from", [0]), ("axis", [1]), ("one", [1]), ("two", [2])):
            self.constant(name, value, np.int64)
        self.add("Shape", tensor, name="shape")
        self.add("Gather", "shape", "one", name="channels", axis=0)
        self.add("Add", "channels", "one", name="rounded_up")
        self.add("Div", "rounded_up", "two", name="middle")
        return self.add("Slice", tensor, "from", "middle", "axis", name="half")

    def save(self, path: Path, **metadata: str) -> Path:
        """Check the classifier and save it."""
        graph = helper.make_graph(
            self.nodes, "classifier", [self.image], self.outputs, self.weights
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = IR_VERSION if self.opset < 18 else NEWER_IR
        for key, value in metadata.items():
            model.metadata_props.add(key=key, value=value)
        onnx.checker.check_model(model)
        onnx.save(model, str(path))
        return path


def save_classifier(
    path: Path,
    *,
    head: str = "gap",
    opset: int = 17,
    kind: int = TensorProto.FLOAT,
    images: int | str = "N",
    side: int | str = 56,
    softmax: bool = False,
    channels: int = 3,
    **metadata: str,
) -> Path:
    """Save a classifier that computes class scores from ``features`` by pooling and a linear layer.

    Args:
        path: Where to.
        head: ``gap`` (GlobalAveragePool, Flatten, Gemm), ``mean`` (ReduceMean, MatMul, Add),
            ``flat`` (Flatten, Gemm of every place), ``view`` (GlobalAveragePool, Reshape with
            the number of images as a constant, Gemm), ``conv`` (GlobalAveragePool, 1 x 1
            convolution, Flatten), ``map`` (1 x 1 convolution, GlobalAveragePool, Flatten),
            ``hidden`` (with another layer between) or ``nhwc`` (as tf2onnx exports Keras).
        opset: Version of the operators.
        kind: Type of the numbers.
        images: How many it takes at once; a name for any number.
        side: Height and width of the input; a name for any.
        softmax: Whether it gives probabilities.
        channels: Of its input: 3, or 1 for grey images.
        **metadata: Texts by key.
    """
    net = Network(
        opset=opset,
        kind=kind,
        images=images,
        side=side,
        nhwc=head == "nhwc",
        channels=channels,
    )
    if head == "nhwc":
        net.features(net.add("Transpose", "image", name="planes", perm=[0, 3, 1, 2]))
        net.add("Transpose", "features", name="channels_last", perm=[0, 2, 3, 1])
        net.reduce("ReduceMean", "channels_last", [1, 2], name="pooled", keep=0)
    else:
        net.features()
    if head in ("gap", "conv", "view", "hidden"):
        net.add("GlobalAveragePool", "features", name="pool")
    last = HEADS[head](net, images)
    if softmax:
        last = net.add("Softmax", last, name="likely", axis=1)
    net.gives(last, images, CLASSES)
    return net.save(path, **metadata)


def _gemm(net: Network, pooled: str) -> str:
    net.constant("weights", WEIGHTS)
    net.constant("class_bias", np.arange(CLASSES) / 10)
    return net.add("Gemm", pooled, "weights", "class_bias", name="scores", transB=1)


def _gap(net: Network, _images: int | str) -> str:
    return _gemm(net, net.add("Flatten", "pool", name="flat"))


def _view(net: Network, images: int | str) -> str:
    net.constant("shape", [images if isinstance(images, int) else 0, CHANNELS], np.int64)
    return _gemm(net, net.add("Reshape", "pool", "shape", name="flat"))


def _mean(net: Network, _images: int | str) -> str:
    net.reduce("ReduceMean", "features", [2, 3], name="pooled", keep=0)
    return _matmul(net)


def _nhwc(net: Network, _images: int | str) -> str:
    return _matmul(net)


def _matmul(net: Network) -> str:
    net.constant("weights", WEIGHTS.T)
    net.constant("class_bias", np.arange(CLASSES) / 10)
    net.add("MatMul", "pooled", "weights", name="products")
    return net.add("Add", "products", "class_bias", name="scores")


def _flat(net: Network, _images: int | str) -> str:
    net.constant("weights", flat_weights())
    net.add("Flatten", "features", name="flat")
    return net.add("Gemm", "flat", "weights", name="scores", transB=1)


def _conv(net: Network, _images: int | str) -> str:
    net.constant("weights", WEIGHTS[..., None, None])
    net.add("Conv", "pool", "weights", name="one_place")
    return net.add("Flatten", "one_place", name="scores")


def _map(net: Network, _images: int | str) -> str:
    net.constant("weights", WEIGHTS[..., None, None])
    net.add("Conv", "features", "weights", name="class_map")
    net.add("GlobalAveragePool", "class_map", name="pool")
    return net.add("Flatten", "pool", name="scores")


def _hidden(net: Network, _images: int | str) -> str:
    net.add("Flatten", "pool", name="flat")
    net.constant("between", _random(5, CHANNELS, CHANNELS))
    net.add("MatMul", "flat", "between", name="hidden")
    return _gemm(net, net.add("Relu", "hidden", name="rectified"))


HEADS = {
    "gap": _gap,
    "view": _view,
    "mean": _mean,
    "nhwc": _nhwc,
    "flat": _flat,
    "conv": _conv,
    "map": _map,
    "hidden": _hidden,
}
"""By the names that :func:`save_classifier` takes."""


def flat_weights() -> Numbers:
    """Return the weights of the head ``flat`` for a map of 7 x 7."""
    return _random(4, CLASSES, CHANNELS * 49)


def save_mlp(path: Path) -> Path:
    """Save a classifier without a feature map: one linear layer on all pixels."""
    net = Network(side=8)
    net.constant("half", [0.5])
    net.add("Sub", "image", "half", name="scaled")
    net.add("Flatten", "scaled", name="flat")
    net.constant("weights", _random(6, CLASSES, 3 * 64))
    net.add("Gemm", "flat", "weights", name="scores", transB=1)
    net.gives("scores", "N", CLASSES)
    return net.save(path)


def save_transformer(path: Path, *, class_token: bool = True, images: int | str = "N") -> Path:
    """Save a classifier with patches as tokens, one attention, and the tensor ``tokens``.

    Where ``images`` is a number, the class token is a constant, so that the classifier takes no
    other number; else it is computed from the patches.
    """
    net = Network(images=images)
    net.features()
    net.constant("shape", [0, CHANNELS, 49], np.int64)
    net.add("Reshape", "features", "shape", name="rows")
    last = net.add("Transpose", "rows", name="embedded", perm=[0, 2, 1])
    if class_token:
        if isinstance(images, int):
            net.constant("class_token", _random(7, images, 1, CHANNELS))
        else:
            net.reduce("ReduceMax", "embedded", [1], name="class_token", keep=1)
        last = net.add("Concat", "class_token", "embedded", name="with_class", axis=1)
    net.add("Transpose", last, name="turned", perm=[0, 2, 1])
    net.add("MatMul", last, "turned", name="alike")
    net.add("Softmax", "alike", name="attention", axis=2)
    net.add("MatMul", "attention", last, name="mixed")
    net.add("Add", last, "mixed", name="tokens")
    if class_token:
        net.constant("first", 0, np.int64)
        net.add("Gather", "tokens", "first", name="chosen", axis=1)
    else:
        net.reduce("ReduceMean", "tokens", [1], name="chosen", keep=0)
    net.gives(_gemm(net, "chosen"), images, CLASSES)
    return net.save(path)


def features_of(image: NDArray[np.uint8]) -> Numbers:
    """Return the features (6, h, w) of an image (H, W, 3), its pixels scaled to 0..1."""
    return features_of_numbers(image.astype(np.float64) / 255)


def features_of_numbers(pixels: NDArray[Any]) -> Numbers:
    """Return the features (6, h, w) of scaled pixels (H, W, 3), or grey ones (H, W, 1)."""
    height, width = (side // PATCH for side in pixels.shape[:2])
    patches = pixels.reshape(height, PATCH, width, PATCH, -1)
    sums = np.einsum("hywxc,fcyx->fhw", patches, KERNEL[:, : patches.shape[-1]])
    return np.asarray(np.maximum(sums + BIAS[:, None, None], 0))


def probabilities(scores: Numbers) -> Numbers:
    """Return the softmax of class scores."""
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum())
