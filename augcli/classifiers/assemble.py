"""Putting a scorer together: the nodes before and after the classifier's, and the metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

from augcli.classifiers.classifier_graph import prune
from augcli.classifiers.heat_map_nodes import OUTPUT
from augcli.classifiers.image_input import GREY_WEIGHTS, METADATA_KEYS, add_input_nodes, as_texts
from augcli.classifiers.publish import ANY_NUMBER
from augcli.classifiers.read import PREPARED
from augcli.version import VERSION

if TYPE_CHECKING:
    from augcli.classifiers.classifier_graph import GraphBuilder
    from augcli.classifiers.feature_map import FeatureMap
    from augcli.classifiers.image_input import ImageInput
    from augcli.classifiers.options import ClassifierOptions
    from augcli.classifiers.read import Classifier


def recipe_sentence(
    classifier: Classifier,
    image_input: ImageInput,
    features: FeatureMap,
    options: ClassifierOptions,
) -> str:
    """Return how a scorer is made, in a sentence."""
    words = {
        "l2": "length of the features",
        "mean": "mean of the features",
        "cam": "class activation map",
        "tokens": "likeness of the tokens",
    }
    text = f"{words[options.map]} {features} of {classifier.path.name}"
    if image_input.grey:
        red, green, blue = GREY_WEIGHTS
        text += f", of grey images ({red} red + {green} green + {blue} blue)"
    text += f", fitted to {options.grid} x {options.grid}"
    if options.raw:
        return f"{text}, raw"
    return f"{text}, blur {options.blur:g}, centre {options.middle:g}"


def assemble(
    classifier: Classifier,
    image_input: ImageInput,
    builder: GraphBuilder,
    options: ClassifierOptions,
) -> None:
    """Turn the classifier's graph into the scorer's, and remove what no heat map needs."""
    from onnx import TensorProto, helper  # noqa: PLC0415

    model = classifier.model
    before = add_input_nodes(model, image_input, builder.opset)
    nodes = [*before, *model.graph.node, *builder.nodes]
    del model.graph.node[:], model.graph.value_info[:], model.graph.output[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(builder.constants)
    shape: list[str | int] = [ANY_NUMBER, options.grid, options.grid]
    model.graph.output.append(helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, shape))
    prune(model.graph, [OUTPUT])


def write_metadata(
    classifier: Classifier,
    image_input: ImageInput,
    features: FeatureMap,
    recipe: str,
    options: ClassifierOptions,
) -> None:
    """Write what the scorer takes and how it was made into its metadata."""
    own = {
        **image_input.metadata(),
        "grid": options.grid,
        "recipe": recipe,
        "source": {
            "file": classifier.path.name,
            "bytes": classifier.size,
            "sha256": classifier.sha256,
        },
        PREPARED: {
            "version": VERSION,
            "map": options.map,
            **features._asdict(),
            "smooth": options.blur,
            "centre": options.middle,
            "raw": options.raw,
        },
    }
    model = classifier.model
    inherited = {
        entry.key: entry.value
        for entry in model.metadata_props
        if entry.key.removeprefix("augcli.") not in METADATA_KEYS
    }
    del model.metadata_props[:]
    for key, value in sorted({**inherited, **as_texts(own)}.items()):
        model.metadata_props.add(key=key, value=value)
