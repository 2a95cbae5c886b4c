"""The linear layer that computes class scores from the features, for class activation maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import onnx

    from augcli.classifiers.classifier_graph import ClassifierGraph
    from augcli.classifiers.feature_map import FeatureMap
    from augcli.classifiers.read import Classifier
    from augcli.errors import ScorerError

ACTIVATIONS = frozenset({"Softmax", "LogSoftmax", "Sigmoid"})
"""Operators that turn class scores into probabilities."""
MOVING = frozenset({"Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Dropout"})
POOLING = frozenset({"GlobalAveragePool", "AveragePool", "ReduceMean", "ReduceSum"})


class ClassLayer(NamedTuple):
    """How the class scores are computed from the features.

    Attributes:
        scores: Tensor of the scores, before they become probabilities.
        classes: Number of classes.
        weights: Tensor of the weights; empty where the features of a cell are its class scores.
        by_class: Whether a row of the weights belongs to a class, and not to a feature.
        features: Number of weights of a class.
    """

    scores: str
    classes: int
    weights: str
    by_class: bool
    features: int


def find_class_layer(
    classifier: Classifier, graph: ClassifierGraph, scores: str, features: FeatureMap
) -> ClassLayer:
    """Return the layer between the pooled features and the class scores.

    Raises:
        ScorerError: There is more between them than pooling and one linear layer.
    """
    layer: ClassLayer | None = None
    name, plain_scores = scores, scores
    while name != features.tensor:
        node = graph.producers.get(name)
        sources = graph.sources(node) if node is not None else []
        if node is None or len(sources) != 1:
            raise _refused(classifier, node, features)
        linear = _linear(graph, node, plain_scores)
        if layer is None and linear is not None:
            layer = linear
        elif layer is None and node.op_type in ACTIVATIONS:
            plain_scores = sources[0]
        elif not _is_harmless(graph, node, bias=layer is None):
            raise _refused(classifier, node, features)
        name = sources[0]
    if layer is None:
        return ClassLayer(plain_scores, features.channels, "", True, features.channels)
    cells = features.height * features.width
    if layer.features not in (features.channels, features.channels * cells):
        raise classifier.refused(
            f"has weights for {layer.features:,} features, but `layer` names {features}; `map` cam "
            "needs the feature map that the class layer gets: use `map` l2"
        )
    return layer


def _linear(graph: ClassifierGraph, node: onnx.NodeProto, scores: str) -> ClassLayer | None:
    """Return the layer that a node is, or None if it is not linear with constant weights."""
    if node.op_type not in ("Gemm", "MatMul", "Conv") or graph.depends_on_the_image(node.input[1]):
        return None
    shape = graph.tensor(node.input[1]).shape
    if node.op_type == "Conv":
        if (
            len(shape) != 4
            or shape[2:] != (1, 1)
            or graph.tensor(node.output[0]).shape[2:] != (1, 1)
        ):
            return None
        return ClassLayer(scores, shape[0], node.input[1], True, shape[1])
    if len(shape) != 2:
        return None
    flags = {attribute.name: attribute.i for attribute in node.attribute}
    by_class = bool(flags.get("transB"))
    classes, features = shape if by_class else shape[::-1]
    return ClassLayer(scores, classes, node.input[1], by_class, features)


def _is_harmless(graph: ClassifierGraph, node: onnx.NodeProto, *, bias: bool) -> bool:
    """Return whether a node only pools or moves numbers, or adds the class layer's bias."""
    if node.op_type == "Transpose":  # pooled features lie in a row, whatever the order of the axes
        return sum(side > 1 for side in graph.tensor(node.output[0]).shape[1:]) <= 1
    return node.op_type in MOVING | POOLING or (bias and node.op_type == "Add")


def _refused(
    classifier: Classifier, node: onnx.NodeProto | None, features: FeatureMap
) -> ScorerError:
    operator = "an operator that can't be followed" if node is None else node.op_type
    return classifier.refused(
        f"has {operator} between its feature map {features.tensor!r} and its class scores, but "
        "`map` cam allows only pooling and one linear layer there; use `map` l2"
    )
