"""A scorer's file put together: what comes before and after, and what it says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import augcli
from augcli.classifiers.batch import ANY
from augcli.classifiers.classifier_graph import prune
from augcli.classifiers.entry import KEYS, as_texts, put_in_front
from augcli.classifiers.heat_map_nodes import OUTPUT

if TYPE_CHECKING:
    from augcli.classifiers.classifier_graph import GraphBuilder
    from augcli.classifiers.entry import Entry
    from augcli.classifiers.feature_map import FeatureMap
    from augcli.classifiers.options import PrepareOptions
    from augcli.classifiers.read import Classifier


def recipe_of(classifier: Classifier, features: FeatureMap, options: PrepareOptions) -> str:
    """Return how a scorer is made, in a sentence."""
    words = {
        "l2": "length of the features",
        "mean": "mean of the features",
        "cam": "class activation map",
        "tokens": "likeness of the tokens",
    }
    text = f"{words[options.map]} {features} of {classifier.path.name}"
    text += f", fitted to {options.grid} x {options.grid}"
    if options.raw:
        return f"{text}, raw"
    return f"{text}, blur {options.blur:g}, centre {options.middle:g}"


def assemble(
    classifier: Classifier, entry: Entry, drawing: GraphBuilder, options: PrepareOptions
) -> None:
    """Put the parts together and leave out what no heat map needs."""
    from onnx import TensorProto, helper  # noqa: PLC0415

    model = classifier.model
    before = put_in_front(model, entry, drawing.opset)
    nodes = [*before, *model.graph.node, *drawing.nodes]
    del model.graph.node[:], model.graph.value_info[:], model.graph.output[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(drawing.constants)
    side = options.grid
    model.graph.output.append(
        helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [ANY, side, side])
    )
    prune(model.graph, [OUTPUT])


def describe(
    classifier: Classifier,
    entry: Entry,
    features: FeatureMap,
    recipe: str,
    options: PrepareOptions,
) -> None:
    """Write what the scorer expects and where it came from into its metadata."""
    told = {
        **entry.metadata(),
        "grid": options.grid,
        "recipe": recipe,
        "source": {
            "file": classifier.path.name,
            "bytes": classifier.size,
            "sha256": classifier.sha256,
        },
        "prepared": {
            "version": augcli.__version__,
            "map": options.map,
            **features._asdict(),
            "smooth": options.blur,
            "centre": options.middle,
            "raw": options.raw,
        },
    }
    texts = as_texts(told)
    model = classifier.model
    kept = {
        one.key: one.value
        for one in model.metadata_props
        if one.key.removeprefix("augcli.") not in KEYS
    }
    del model.metadata_props[:]
    for key, value in sorted({**kept, **texts}.items()):
        model.metadata_props.add(key=key, value=value)
