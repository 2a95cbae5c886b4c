"""The heat map, drawn from a feature map inside the graph by standard operators of ONNX."""

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
    from augcli.classifiers.options import PrepareOptions
    from augcli.classifiers.read import Classifier

OUTPUT = f"{PREFIX}heat_map"
SMALLEST = 1e-9
"""Divided by where a map is zero everywhere."""


def draw_heat_map(
    classifier: Classifier,
    graph: ClassifierGraph,
    drawing: GraphBuilder,
    scores: str,
    features: FeatureMap,
    options: PrepareOptions,
) -> None:
    """Add the nodes that make the heat map (N, grid, grid) of the features.

    Raises:
        ScorerError: A class activation map is wanted of a classifier that has none.
    """
    from onnx import TensorProto  # noqa: PLC0415

    values = drawing.add("Cast", features.tensor, to=TensorProto.FLOAT)
    if features.layout == "NHWC":
        values = drawing.add("Transpose", values, perm=[0, 3, 1, 2])
    if features.layout == "NTC" and options.map != "tokens":  # a token for each place, no more
        values = drawing.add("Transpose", values, perm=[0, 2, 1])
        values = drawing.reshape(values, [0, features.channels, features.height, features.width])
    if options.map == "tokens":
        plain = _likeness(drawing, values, features)
    elif options.map == "cam":
        plain = _activation(classifier, graph, drawing, scores, values, features)
    else:
        operator = {"l2": "ReduceL2", "mean": "ReduceMean"}[options.map]
        plain = drawing.reduce(operator, values, [1])
    last = _to_the_grid(drawing, plain, features, options)
    if not options.raw:
        last = _scaled(drawing, last)
        if options.middle:
            weights = drawing.constant(options.middle * centre_weights(options.grid))
            last = drawing.add("Add", last, weights)
    drawing.add("Identity", last, name=OUTPUT)


def to_grid(side: int, grid: int, sigma: float) -> NDArray[np.float64]:
    """Return the matrix (grid, side) that fits one side of a map to the grid and blurs it.

    Area average from a larger map, as kept maps are averaged; bilinear from a smaller one.

    Example:
        >>> to_grid(4, 2, 0).tolist()
        [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    fitted = overlaps(side, grid) if side >= grid else between(side, grid)
    return blur_matrix(grid, sigma) @ fitted


def _to_the_grid(
    drawing: GraphBuilder, plain: str, features: FeatureMap, options: PrepareOptions
) -> str:
    rows = to_grid(features.height, options.grid, options.blur)
    columns = to_grid(features.width, options.grid, options.blur)
    left = drawing.add("MatMul", drawing.constant(rows), plain)
    return drawing.add("MatMul", left, drawing.constant(columns.T))


def _scaled(drawing: GraphBuilder, heat_map: str) -> str:
    """Scale each map so that its highest magnitude is 1: maps may be below zero everywhere."""
    top = drawing.reduce("ReduceMax", drawing.add("Abs", heat_map), [1, 2], keep=True)
    return drawing.add("Div", heat_map, drawing.add("Max", top, drawing.constant(SMALLEST)))


def _activation(
    classifier: Classifier,
    graph: ClassifierGraph,
    drawing: GraphBuilder,
    scores: str,
    values: str,
    features: FeatureMap,
) -> str:
    """Weigh the features by what they say for the classes, these by their probability."""
    from onnx import TensorProto  # noqa: PLC0415

    layer = find_class_layer(classifier, graph, scores, features)
    numbers = drawing.add("Cast", layer.scores, to=TensorProto.FLOAT)
    likely = drawing.add("Softmax", drawing.reshape(numbers, [0, layer.classes]), axis=1)
    if layer.weights:
        weights = drawing.add("Cast", layer.weights, to=TensorProto.FLOAT)
        if not layer.by_class:
            weights = drawing.add("Transpose", weights, perm=[1, 0])
        weights = drawing.reshape(weights, [layer.classes, layer.features])
        likely = drawing.add("MatMul", likely, weights)
    channels, height, width = features.channels, features.height, features.width
    if layer.features == channels:
        weights = drawing.reshape(likely, [0, channels, 1, 1])
    elif features.layout == "NCHW":
        weights = drawing.reshape(likely, [0, channels, height, width])
    else:
        weights = drawing.reshape(likely, [0, height, width, channels])
        weights = drawing.add("Transpose", weights, perm=[0, 3, 1, 2])
    return drawing.reduce("ReduceSum", drawing.add("Mul", values, weights), [1])


def _likeness(drawing: GraphBuilder, values: str, features: FeatureMap) -> str:
    """Give the cosine between each patch's token and the class token, else their mean."""
    count = features.height * features.width
    places = drawing.constant(np.arange(count) + features.extra, np.int64)
    patches = drawing.add("Gather", values, places, axis=1)
    if features.extra:
        whole = drawing.add("Gather", values, drawing.constant([0], np.int64), axis=1)
    else:
        whole = drawing.reduce("ReduceMean", patches, [1], keep=True)
    both = drawing.add("Mul", _of_length_1(drawing, patches), _of_length_1(drawing, whole))
    alike = drawing.reduce("ReduceSum", both, [2])
    return drawing.reshape(alike, [0, features.height, features.width])


def _of_length_1(drawing: GraphBuilder, tokens: str) -> str:
    length = drawing.reduce("ReduceL2", tokens, [2], keep=True)
    return drawing.add("Div", tokens, drawing.add("Max", length, drawing.constant(SMALLEST)))
