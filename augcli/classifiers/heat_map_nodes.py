"""Nodes that compute the heat map from a feature map: standard operators of ONNX."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from augcli.classifiers.class_layer import find_class_layer
from augcli.classifiers.classifier_graph import PREFIX
from augcli.pixels.heat_maps import between, blur_matrix, centre_weights, overlaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from augcli.classifiers.classifier_graph import ClassifierGraph, GraphBuilder
    from augcli.classifiers.feature_map import FeatureMap
    from augcli.classifiers.options import ClassifierOptions
    from augcli.classifiers.read import Classifier

OUTPUT = f"{PREFIX}heat_map"
SMALLEST = 1e-9
"""Divisor in place of 0, where a map is zero everywhere."""


def add_heat_map(
    classifier: Classifier,
    graph: ClassifierGraph,
    builder: GraphBuilder,
    scores: str,
    features: FeatureMap,
    options: ClassifierOptions,
) -> None:
    """Add the nodes that compute the heat map (N, grid, grid) from the features.

    Args:
        classifier: For messages.
        graph: The classifier's.
        builder: Gets the nodes; the last one's output is :data:`OUTPUT`.
        scores: Name of the output with the class scores.
        features: The feature map.
        options: Kind and size of the heat map.

    Raises:
        ScorerError: The classifier has no class activation map, and ``map`` is ``cam``.
    """
    from onnx import TensorProto  # noqa: PLC0415

    values = builder.add("Cast", features.tensor, to=TensorProto.FLOAT)
    if features.layout == "NHWC":
        values = builder.add("Transpose", values, perm=[0, 3, 1, 2])
    if features.layout == "NTC" and options.map != "tokens":  # one token for each cell
        values = builder.add("Transpose", values, perm=[0, 2, 1])
        values = builder.reshape(values, [0, features.channels, features.height, features.width])
    if options.map == "tokens":
        plain = _token_similarity(builder, values, features)
    elif options.map == "cam":
        plain = _class_activation(classifier, graph, builder, scores, values, features)
    else:
        operator = {"l2": "ReduceL2", "mean": "ReduceMean"}[options.map]
        plain = builder.reduce(operator, values, [1])
    last = _fit_to_grid(builder, plain, features, options)
    if not options.raw:
        last = _normalise(builder, last)
        if options.middle:
            weights = builder.constant(options.middle * centre_weights(options.grid))
            last = builder.add("Add", last, weights)
    builder.add("Identity", last, name=OUTPUT)


def to_grid(side: int, grid: int, sigma: float) -> NDArray[np.float64]:
    """Return the matrix (grid, side) that resizes one side of a map to the grid and blurs it.

    A larger map is area-averaged, as stored maps are; a smaller one is interpolated linearly.

    Example:
        >>> to_grid(4, 2, 0).tolist()
        [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    fitted = overlaps(side, grid) if side >= grid else between(side, grid)
    return blur_matrix(grid, sigma) @ fitted


def _fit_to_grid(
    builder: GraphBuilder, plain: str, features: FeatureMap, options: ClassifierOptions
) -> str:
    rows = to_grid(features.height, options.grid, options.blur)
    columns = to_grid(features.width, options.grid, options.blur)
    left = builder.add("MatMul", builder.constant(rows), plain)
    return builder.add("MatMul", left, builder.constant(columns.T))


def _normalise(builder: GraphBuilder, heat_map: str) -> str:
    """Divide each map by its largest magnitude: a map may be negative everywhere."""
    top = builder.reduce("ReduceMax", builder.add("Abs", heat_map), [1, 2], keep=True)
    return builder.add("Div", heat_map, builder.add("Max", top, builder.constant(SMALLEST)))


def _class_activation(
    classifier: Classifier,
    graph: ClassifierGraph,
    builder: GraphBuilder,
    scores: str,
    values: str,
    features: FeatureMap,
) -> str:
    """Add a class activation map: the mean of all classes' maps, weighted by probability."""
    from onnx import TensorProto  # noqa: PLC0415

    layer = find_class_layer(classifier, graph, scores, features)
    numbers = builder.add("Cast", layer.scores, to=TensorProto.FLOAT)
    likely = builder.add("Softmax", builder.reshape(numbers, [0, layer.classes]), axis=1)
    if layer.weights:
        weights = builder.add("Cast", layer.weights, to=TensorProto.FLOAT)
        if not layer.by_class:
            weights = builder.add("Transpose", weights, perm=[1, 0])
        weights = builder.reshape(weights, [layer.classes, layer.features])
        likely = builder.add("MatMul", likely, weights)
    channels, height, width = features.channels, features.height, features.width
    if layer.features == channels:
        weights = builder.reshape(likely, [0, channels, 1, 1])
    elif features.layout == "NCHW":
        weights = builder.reshape(likely, [0, channels, height, width])
    else:
        weights = builder.reshape(likely, [0, height, width, channels])
        weights = builder.add("Transpose", weights, perm=[0, 3, 1, 2])
    return builder.reduce("ReduceSum", builder.add("Mul", values, weights), [1])


def _token_similarity(builder: GraphBuilder, values: str, features: FeatureMap) -> str:
    """Add the cosine between each patch's token and the class token, else the patches' mean."""
    count = features.height * features.width
    indices = builder.constant(np.arange(count) + features.extra, np.int64)
    patches = builder.add("Gather", values, indices, axis=1)
    if features.extra:
        whole = builder.add("Gather", values, builder.constant([0], np.int64), axis=1)
    else:
        whole = builder.reduce("ReduceMean", patches, [1], keep=True)
    both = builder.add("Mul", _unit_length(builder, patches), _unit_length(builder, whole))
    alike = builder.reduce("ReduceSum", both, [2])
    return builder.reshape(alike, [0, features.height, features.width])


def _unit_length(builder: GraphBuilder, tokens: str) -> str:
    length = builder.reduce("ReduceL2", tokens, [2], keep=True)
    return builder.add("Div", tokens, builder.add("Max", length, builder.constant(SMALLEST)))
