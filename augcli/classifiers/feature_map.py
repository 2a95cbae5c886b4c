"""The last feature map of a classifier: found by walking back from the class scores."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from augcli.errors import near_miss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.classifiers.classifier_graph import ClassifierGraph, Tensor
    from augcli.classifiers.options import PrepareOptions
    from augcli.classifiers.read import Classifier

RESHAPING = frozenset({"Reshape", "Flatten", "Transpose", "Identity", "Cast", "Squeeze"})
"""They move numbers and change none."""
ATTENTION = frozenset({"MatMul", "Einsum", "Attention", "MultiHeadAttention"})
"""Where two things made of the image meet in one of these, places are mixed."""
LENGTHS_MATTER = frozenset({"l2", "mean"})
"""Kinds of maps that tell nothing where the features of every place have been made as long."""
EXTRA_TOKENS = (0, 1, 2, 5)
"""Tokens before those of the patches: a class token, one to distil with, four registers."""
LARGEST_SIDE = 64
SHOWN = 3


class FeatureMap(NamedTuple):
    """Where the features of each place of the image lie.

    Attributes:
        tensor: Its name.
        channels: How many features a place has.
        height: Rows of places.
        width: Columns of places.
        layout: ``NCHW``, ``NHWC``, or ``NTC`` for the tokens of a transformer.
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
    classifier: Classifier, graph: ClassifierGraph, scores: str, options: PrepareOptions
) -> FeatureMap:
    """Return the last feature map before the class scores, or the one of ``--layer``.

    Args:
        classifier: For messages.
        graph: The classifier's, for one image.
        scores: Name of the output with the class scores.
        options: What is wanted.

    Raises:
        ScorerError: There is none, or there are several; the message names candidates.
    """
    tokens = options.map == "tokens"
    if options.layer is not None:
        return _named(classifier, graph, options.layer, tokens=tokens)
    found = list(dict.fromkeys(_walk_back(graph, scores)))
    maps = [one for one in found if (one.layout == "NTC") == tokens]
    if len(maps) == 1:
        return _before_norm(graph, maps[0]) if options.map in LENGTHS_MATTER else maps[0]
    if len(maps) > 1:
        shown = "; ".join(map(str, maps))
        raise classifier.refused(f"has several last feature maps: {shown}; choose with --layer")
    wanted = "square grid of patch tokens" if tokens else "feature map larger than 1 x 1"
    if found:
        cure = "leave out --map tokens" if tokens else "add --map tokens"
        raise classifier.refused(f"has no {wanted} before its class scores, but {found[0]}; {cure}")
    raise classifier.refused(
        f"has no {wanted} before its class scores{_candidates(graph, tokens=tokens)}"
    )


def _walk_back(graph: ClassifierGraph, scores: str) -> Iterator[FeatureMap]:
    """Yield the feature maps that are met first on every way back from the scores."""
    waiting, seen = [scores], {scores}
    while waiting:
        name = waiting.pop(0)
        node = graph.producers.get(name)
        found = as_feature_map(graph, graph.tensor(name))
        # What was only moved came from where it can be told apart better; an average pooling
        # that leaves some cells has lost places that its input still has.
        moved = RESHAPING if found and found.layout == "NTC" else {"AveragePool"}
        if found and not (node is not None and node.op_type in moved):
            yield found
            continue
        if node is None:
            continue
        sources = graph.sources(node)
        if node.op_type in ATTENTION and (len(sources) > 1 or node.op_type != "MatMul"):
            continue
        fresh = [one for one in sources if one not in seen]
        seen.update(fresh)
        waiting += fresh


def _before_norm(graph: ClassifierGraph, found: FeatureMap) -> FeatureMap:
    """Return what a layer norm made the map of, if one did: after it, every place is as long."""
    name = found.tensor
    while (node := graph.producers.get(name)) is not None and node.op_type in RESHAPING:
        name = node.input[0]
    if node is None or node.op_type != "LayerNormalization":
        return found
    before = as_feature_map(graph, graph.tensor(node.input[0])) or found
    same = (before.height, before.width, before.extra) == (found.height, found.width, 0)
    return before if same else found


def as_feature_map(graph: ClassifierGraph, tensor: Tensor) -> FeatureMap | None:
    """Return a tensor as a feature map, if its shape is that of one."""
    if not graph.depends_on_the_image(tensor.name) or 0 in tensor.shape[1:]:
        return None
    (image,) = graph.model.graph.input
    if sorted(tensor.shape[1:]) == sorted(graph.tensor(image.name).shape[1:]):
        return None  # the image itself, or what scaling made of it
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
    """Return whether channels are last: told by what pools the tensor, else by its shape."""
    for node in graph.consumers.get(tensor.name, []):
        if node.op_type in ("GlobalAveragePool", "AveragePool", "GlobalMaxPool", "Conv"):
            return False
        if node.op_type == "LayerNormalization":
            return [one.i % 4 for one in node.attribute if one.name == "axis"] in ([], [3])
        if node.op_type in ("ReduceMean", "ReduceMax", "ReduceSum"):
            axes = {axis % 4 for axis in graph.axes(node) or []}
            if axes in ({1, 2}, {2, 3}):
                return axes == {1, 2}
        if node.op_type == "Transpose":
            perm = [one.ints for one in node.attribute if one.name == "perm"]
            if perm and list(perm[0]) in ([0, 3, 1, 2], [0, 2, 3, 1]):
                return list(perm[0]) == [0, 3, 1, 2]
    producer = graph.producers.get(tensor.name)
    if producer is not None and producer.op_type in ("Conv", "MaxPool", "BatchNormalization"):
        return False
    first, middle, last = tensor.shape[1:]
    return first == middle != last


def _named(
    classifier: Classifier, graph: ClassifierGraph, name: str, *, tokens: bool
) -> FeatureMap:
    """Return the tensor that ``--layer`` names: itself, or the output of a node of that name."""
    nodes = {one.name: one.output[0] for one in graph.model.graph.node if one.name and one.output}
    tensor = graph.tensor(nodes.get(name, name) if name not in graph.shapes else name)
    if tensor.name not in graph.producers:
        hint = near_miss(name, graph.producers) or _candidates(graph, tokens=tokens)
        raise classifier.refused(f"has no layer {name!r}{hint}")
    found = as_feature_map(graph, tensor)
    if found is None or (found.layout == "NTC") != tokens:
        shape = " x ".join(map(str, tensor.shape)) or "of a shape that is not known"
        wanted = "patch tokens, (N, T, C)" if tokens else "a feature map, (N, C, h, w)"
        raise classifier.refused(
            f"--layer {name} is {shape}, not {wanted}{_candidates(graph, tokens=tokens)}"
        )
    return found


def _candidates(graph: ClassifierGraph, *, tokens: bool) -> str:
    """Return what could be named instead, in words, the last of each size."""
    last = {
        (one.height, one.layout): one
        for node in graph.model.graph.node
        for name in node.output
        if (one := as_feature_map(graph, graph.tensor(name))) is not None
        and 1 < one.height == one.width <= LARGEST_SIDE
        and (one.layout == "NTC") == tokens
    }
    shown = "; ".join(str(one) for one in [*reversed(last.values())][:SHOWN])
    return f"; --layer can name {shown}" if shown else ""
