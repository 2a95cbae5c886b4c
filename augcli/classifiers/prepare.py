"""Making a scorer of a classifier: what ``augcli scorer prepare`` and Python both call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augcli.attention.device import first_line
from augcli.classifiers.assemble import assemble, recipe_sentence, write_metadata
from augcli.classifiers.classifier_graph import ClassifierGraph, GraphBuilder, measure_shapes
from augcli.classifiers.feature_map import find_feature_map
from augcli.classifiers.heat_map_nodes import add_heat_map
from augcli.classifiers.image_input import choose_input, set_input_size
from augcli.classifiers.options import ClassifierOptions
from augcli.classifiers.publish import BatchReshapes, check_target, publish
from augcli.classifiers.read import need_onnx, read_classifier
from augcli.params import build

if TYPE_CHECKING:
    import os

    from augcli.classifiers.classifier_graph import Shape
    from augcli.classifiers.image_input import ImageInput
    from augcli.classifiers.read import Classifier

LOWEST_OPSET = 9


@dataclass(frozen=True, slots=True)
class PreparedScorer:
    """A scorer that was made of a classifier.

    Attributes:
        file: Path of the scorer.
        sha256: SHA-256 of its file.
        bytes: Size of its file.
        recipe: How it was made, in a sentence.
        map: Kind of map: ``l2``, ``mean``, ``cam`` or ``tokens``.
        tensor: Name of the feature map in the classifier's graph.
        channels: Features of each cell of the feature map.
        height: Rows of the feature map.
        width: Columns of the feature map.
        layout: Order of its dimensions: ``NCHW``, ``NHWC``, or ``NTC`` for tokens.
        grid: Rows and columns of the heat maps.
        enlarged: Whether the feature map is smaller than the grid and was enlarged.
        batch: Images that the scorer takes at once; 0 for any number.
        expects: What is done to an image: input_size, channel_order, range, mean, std.
    """

    file: str
    sha256: str
    bytes: int
    recipe: str
    map: str
    tensor: str
    channels: int
    height: int
    width: int
    layout: str
    grid: int
    enlarged: bool
    batch: int
    expects: dict[str, Any]


def prepare_scorer(classifier: str | os.PathLike[str], **options: Any) -> PreparedScorer:
    """Make a scorer of a classifier: its last feature map becomes the heat map.

    Args:
        classifier: An ONNX file that gives class scores.
        **options: Such as ``out="scorer.onnx"``, ``map="cam"`` or ``preset="imagenet"``; see
            :class:`augcli.classifiers.options.ClassifierOptions`.

    Returns:
        Where the scorer is and how it was made. Its file is either complete or not there.

    Raises:
        UsageError: An option is wrong, the classifier can't be used, or onnx is not installed;
            nothing was written.

    Example:
        >>> prepare_scorer("nowhere.onnx", preset="imagenet")
        Traceback (most recent call last):
            ...
        augcli.errors.ScorerError: nowhere.onnx: does not exist; give the path of an ONNX classifier
    """
    return make_scorer(classifier, build(ClassifierOptions, options, "the options of a scorer"))


def make_scorer(classifier: str | os.PathLike[str], options: ClassifierOptions) -> PreparedScorer:
    """Make a scorer of a classifier; see :func:`prepare_scorer`."""
    need_onnx()
    check_target(Path(classifier), options)
    read = read_classifier(Path(classifier), options)
    image_input = choose_input(read, options)
    set_input_size(read.model, image_input, image_input.batch or 1)
    graph = ClassifierGraph(read.model, _shapes(read, image_input))
    if graph.opset < LOWEST_OPSET:
        raise read.refused(f"has opset {graph.opset}, but must have {LOWEST_OPSET} or later")
    scores = _scores(read, graph, options)
    features = find_feature_map(read, graph, scores, options)
    builder = GraphBuilder(graph.opset)
    add_heat_map(read, graph, builder, scores, features, options)
    reshapes = BatchReshapes(graph, image_input.batch)
    recipe = recipe_sentence(read, image_input, features, options)
    assemble(read, image_input, builder, options)
    write_metadata(read, image_input, features, recipe, options)
    published = publish(read, image_input.batch, reshapes, options)
    return PreparedScorer(
        file=str(options.out),
        sha256=published.sha256,
        bytes=published.size,
        recipe=recipe,
        map=options.map,
        tensor=features.tensor,
        channels=features.channels,
        height=features.height,
        width=features.width,
        layout=features.layout,
        grid=options.grid,
        enlarged=min(features.height, features.width) < options.grid,
        batch=published.batch,
        expects=image_input.metadata(),
    )


def _shapes(classifier: Classifier, image_input: ImageInput) -> dict[str, Shape]:
    """Return the shapes of all tensors.

    They are measured: with shapes that are only inferred, a wrong layer may look like the last.
    """
    try:
        return measure_shapes(classifier.model)
    except Exception as error:  # onnxruntime has a class for each cause and no common base
        height, width = image_input.frame
        raise classifier.refused(
            f"can't be run on {width} x {height} ({first_line(error)}); another `size` may work"
        ) from None


def _scores(classifier: Classifier, graph: ClassifierGraph, options: ClassifierOptions) -> str:
    """Return the name of the output with the class scores."""
    names = [str(output.name) for output in classifier.model.graph.output]
    if options.output is not None and options.output not in names:
        raise classifier.refused(f"has no output {options.output!r}, but {', '.join(names)}")
    if options.output is None and len(names) != 1:
        raise classifier.refused(
            f"gives {len(names)} outputs ({', '.join(names)}); name the class scores with `output`"
        )
    name = options.output or names[0]
    shape = graph.tensor(name).shape
    if sum(side > 1 for side in shape[1:]) > 1:
        raise classifier.refused(
            f"gives {shape}, not class scores (N, classes); a file that gives heat maps is a "
            "scorer already: use it as the `model` of a run"
        )
    return name
