"""The last feature map of a classifier: found by walking back from the class scores."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from augcli.errors import near_miss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.classifiers.classifier_graph import ClassifierGraph, Tensor
    from augcli.classifiers.options import ClassifierOptions
    from augcli.classifiers.read import Classifier

RESHAPING = frozenset({"Reshape", "Flatten", "Transpose", "Identity", "Cast", "Squeeze"})
"""Operators that move numbers and change none."""
ATTENTION = frozenset({"MatMul", "Einsum", "Attention", "MultiHeadAttention"})
"""Operators that mix the cells where two of their inputs depend on the image."""
LENGTHS_MATTER = frozenset({"l2", "mean"})
"""Kinds of maps that say little where a norm gave the features of all cells the same length."""
EXTRA_TOKENS = (0, 1, 2, 5)
"""How many tokens may come before those of the patches.

A class token, a distillation token and four registers are usual.
"""
LARGEST_SIDE = 64
SUGGESTIONS = 3
"""Layers that a message suggests."""


class FeatureMap(NamedTuple):
    """A tensor with features for each cell of the image.

    Attributes:
        tensor: Its name.
        channels: Features of a cell.
        height: Rows of cells.
        width: Columns of cells.
        layout: Order of its dimensions: ``NCHW``, ``NHWC``, or ``NTC`` for the tokens of a
            transformer.
        extra: Tokens that come before those of the patches.
    """

    tensor: str
    channels: int
    height: int
    width: int
    layout: str
    extra: int = 0

    def __str__(self) -> str:
        text = f"{self.tensor!r}, {self.channels:,} channels, {self.height} x {self.width}"
        if self.layout == "NTC":
            return f"{text} tokens and {self.extra} more, {self.layout}"
        return f"{text}, {self.layout}"


def find_feature_map(
    classifier: Classifier, graph: ClassifierGraph, scores: str, options: ClassifierOptions
) -> FeatureMap:
    """Return the last feature map before the class scores, or the one that ``layer`` names.

    Args:
        classifier: For messages.
        graph: The classifier's, for one image.
        scores: Name of the output with the class scores.
        options: Kind of map, and the layer if one is named.

    Raises:
        ScorerError: There is none, or there are several; the message suggests layers.
    """
    tokens = options.map == "tokens"
    if options.layer is not None:
        return _named(classifier, graph, options.layer, tokens=tokens)
    last = list(dict.fromkeys(_walk_back(graph, scores)))
    maps = [features for features in last if (features.layout == "NTC") == tokens]
    if len(maps) == 1:
        return _before_norm(graph, maps[0]) if options.map in LENGTHS_MATTER else maps[0]
    if len(maps) > 1:
        shown = "; ".join(map(str, maps))
        raise classifier.refused(f"has several last feature maps: {shown}; choose with `layer`")
    wanted = "square grid of patch tokens" if tokens else "feature map larger than 1 x 1"
    problem = f"has no {wanted} before its class scores"
    if last:
        fix = "leave out `map` tokens" if tokens else "add `map` tokens"
        raise classifier.refused(f"{problem}, but {last[0]}; {fix}")
    raise classifier.refused(f"{problem}{_suggestions(graph, tokens=tokens)}")


def _walk_back(graph: ClassifierGraph, scores: str) -> Iterator[FeatureMap]:
    """Yield the first feature map on each path from the scores back to the image."""
    waiting, seen = [scores], {scores}
    while waiting:
        name = waiting.pop(0)
        node = graph.producers.get(name)
        features = as_feature_map(graph, graph.tensor(name))
        # Tokens that were only moved are easier to recognise before that; an average pooling
        # that leaves several cells has more of them in its input.
        passed = RESHAPING if features and features.layout == "NTC" else {"AveragePool"}
        if features and not (node is not None and node.op_type in passed):
            yield features
            continue
        if node is None:
            continue
        sources = graph.sources(node)
        if node.op_type in ATTENTION and (len(sources) > 1 or node.op_type != "MatMul"):
            continue
        unseen = [source for source in sources if source not in seen]
        seen.update(unseen)
        waiting += unseen


def _before_norm(graph: ClassifierGraph, features: FeatureMap) -> FeatureMap:
    """Return the input of the layer norm that made a feature map, or the map if none made it.

    After the norm, the features of all cells have about the same length.
    """
    name = features.tensor
    while (node := graph.producers.get(name)) is not None and node.op_type in RESHAPING:
        name = node.input[0]
    if node is None or node.op_type != "LayerNormalization":
        return features
    before = as_feature_map(graph, graph.tensor(node.input[0])) or features
    same = (before.height, before.width, before.extra) == (features.height, features.width, 0)
    return before if same else features


def as_feature_map(graph: ClassifierGraph, tensor: Tensor) -> FeatureMap | None:
    """Return a tensor as a feature map, or None if its shape is not that of one."""
    if not graph.depends_on_the_image(tensor.name) or 0 in tensor.shape[1:]:
        return None
    (image,) = graph.model.graph.input
    if sorted(tensor.shape[1:]) == sorted(graph.tensor(image.name).shape[1:]):
        return None  # the image itself, or the scaled image
    if len(tensor.shape) == 3:
        return _as_tokens(tensor)
    if len(tensor.shape) != 4 or sum(side > 1 for side in tensor.shape[1:]) < 2:
        return None
    if _channels_last(graph, tensor):
        height, width, channels = tensor.shape[1:]
        layout = "NHWC"
    else:
        channels, height, width = tensor.shape[1:]
        layout = "NCHW"
    return FeatureMap(tensor.name, channels, height, width, layout)


def _as_tokens(tensor: Tensor) -> FeatureMap | None:
    count, channels = tensor.shape[1:]
    for extra in EXTRA_TOKENS:
        side = math.isqrt(max(count - extra, 0))
        if side > 1 and side * side == count - extra and channels > 1:
            return FeatureMap(tensor.name, channels, side, side, "NTC", extra)
    return None


def _channels_last(graph: ClassifierGraph, tensor: Tensor) -> bool:
    """Return whether channels are last, judged by what reads the tensor, else by its shape."""
    for node in graph.consumers.get(tensor.name, []):
        if node.op_type in ("GlobalAveragePool", "AveragePool", "GlobalMaxPool", "Conv"):
            return False
        if node.op_type == "LayerNormalization":
            return [
                attribute.i % 4 for attribute in node.attribute if attribute.name == "axis"
            ] in ([], [3])
        if node.op_type in ("ReduceMean", "ReduceMax", "ReduceSum"):
            axes = {axis % 4 for axis in graph.axes(node) or []}
            if axes in ({1, 2}, {2, 3}):
                return axes == {1, 2}
        if node.op_type == "Transpose":
            orders = [
                list(attribute.ints) for attribute in node.attribute if attribute.name == "perm"
            ]
            if orders and orders[0] in ([0, 3, 1, 2], [0, 2, 3, 1]):
                return orders[0] == [0, 3, 1, 2]
    producer = graph.producers.get(tensor.name)
    if producer is not None and producer.op_type in ("Conv", "MaxPool", "BatchNormalization"):
        return False
    first, middle, last = tensor.shape[1:]
    return first == middle != last


def _named(
    classifier: Classifier, graph: ClassifierGraph, name: str, *, tokens: bool
) -> FeatureMap:
    """Return the feature map that ``layer`` names: a tensor, or a node whose output it is."""
    nodes = {
        node.name: node.output[0] for node in graph.model.graph.node if node.name and node.output
    }
    tensor = graph.tensor(nodes.get(name, name) if name not in graph.shapes else name)
    if tensor.name not in graph.producers:
        hint = near_miss(name, graph.producers) or _suggestions(graph, tokens=tokens)
        raise classifier.refused(f"has no layer {name!r}{hint}")
    features = as_feature_map(graph, tensor)
    if features is None or (features.layout == "NTC") != tokens:
        shape = " x ".join(map(str, tensor.shape)) or "of a shape that is not known"
        wanted = "patch tokens, (N, T, C)" if tokens else "a feature map, (N, C, h, w)"
        raise classifier.refused(
            f"`layer` {name} is {shape}, not {wanted}{_suggestions(graph, tokens=tokens)}"
        )
    return features


def _suggestions(graph: ClassifierGraph, *, tokens: bool) -> str:
    """Return layers that can be named instead, in words: the last one of each size."""
    last = {
        (features.height, features.layout): features
        for node in graph.model.graph.node
        for name in node.output
        if (features := as_feature_map(graph, graph.tensor(name))) is not None
        and 1 < features.height == features.width <= LARGEST_SIDE
        and (features.layout == "NTC") == tokens
    }
    shown = "; ".join(map(str, [*reversed(last.values())][:SUGGESTIONS]))
    return f"; `layer` can name {shown}" if shown else ""
