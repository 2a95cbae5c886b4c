"""The layer that makes class scores of the features, for class activation maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import onnx

    from augcli.classifiers.classifier_graph import ClassifierGraph
    from augcli.classifiers.feature_map import FeatureMap
    from augcli.classifiers.read import Classifier

AFTER = frozenset({"Softmax", "LogSoftmax", "Sigmoid"})
"""What makes probabilities of scores."""
MOVING = frozenset({"Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Dropout"})
POOLING = frozenset({"GlobalAveragePool", "AveragePool", "ReduceMean", "ReduceSum"})


class ClassLayer(NamedTuple):
    """How class scores come of the features.

    Attributes:
        scores: Tensor of the scores, before they become probabilities.
        classes: How many there are.
        weights: Tensor of the weights; empty where the features are the scores of each place.
        by_class: Whether a row of the weights is a class, and not a feature.
        features: How many features a class has weights for.
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
    name, last = scores, scores
    while name != features.tensor:
        node = graph.producers.get(name)
        sources = graph.sources(node) if node is not None else []
        if node is None or len(sources) != 1:
            raise _refused(classifier, node, features)
        found = _linear(graph, node, last)
        if layer is None and found is not None:
            layer = found
        elif layer is None and node.op_type in AFTER:
            last = sources[0]
        elif not _changes_nothing(graph, node, bias=layer is None):
            raise _refused(classifier, node, features)
        name = sources[0]
    if layer is None:
        return ClassLayer(last, features.channels, "", True, features.channels)
    cells = features.height * features.width
    if layer.features not in (features.channels, features.channels * cells):
        raise classifier.refused(
            f"has weights for {layer.features:,} features, but {features} at --layer; --map cam "
            "needs the feature map that the class layer sees: use --map l2"
        )
    return layer


def _linear(graph: ClassifierGraph, node: onnx.NodeProto, scores: str) -> ClassLayer | None:
    """Return the layer that a node is, if it is a linear one with constant weights."""
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
    flags = {one.name: one.i for one in node.attribute}
    by_class = bool(flags.get("transB"))
    classes, features = shape if by_class else shape[::-1]
    return ClassLayer(scores, classes, node.input[1], by_class, features)


def _changes_nothing(graph: ClassifierGraph, node: onnx.NodeProto, *, bias: bool) -> bool:
    """Return whether a node only pools or moves; a bias is the layer's own."""
    if node.op_type == "Transpose":  # of pooled features, which lie in a row whatever the order
        return sum(side > 1 for side in graph.tensor(node.output[0]).shape[1:]) <= 1
    return node.op_type in MOVING | POOLING or (bias and node.op_type == "Add")


def _refused(
    classifier: Classifier, node: onnx.NodeProto | None, features: FeatureMap
) -> Exception:
    found = "nothing that can be followed" if node is None else node.op_type
    return classifier.refused(
        f"has {found} between its feature map {features.tensor!r} and its class scores, but "
        "--map cam needs pooling and one linear layer alone; use --map l2"
    )
