"""A scorer made of a classifier: what ``augcli scorer prepare`` and Python both call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augcli.attention.device import first_line
from augcli.classifiers.assemble import assemble, describe, recipe_of
from augcli.classifiers.batch import Reshapes
from augcli.classifiers.classifier_graph import ClassifierGraph, GraphBuilder
from augcli.classifiers.entry import agree, fix_size
from augcli.classifiers.feature_map import find_feature_map
from augcli.classifiers.heat_map_nodes import draw_heat_map
from augcli.classifiers.options import PrepareOptions
from augcli.classifiers.publish import check_out, publish
from augcli.classifiers.read import need_onnx, read_classifier
from augcli.classifiers.shapes import measure_shapes
from augcli.params import build

if TYPE_CHECKING:
    import os

    from augcli.classifiers.entry import Entry
    from augcli.classifiers.read import Classifier
    from augcli.classifiers.shapes import Shape

LOWEST_OPSET = 9


@dataclass(frozen=True, slots=True)
class PreparedScorer:
    """A scorer that was made of a classifier.

    Attributes:
        file: The scorer.
        sha256: Of its file.
        bytes: Size of its file.
        recipe: How it was made, in a sentence.
        map: ``l2``, ``mean``, ``cam`` or ``tokens``.
        tensor: Name of the tensor that holds the features.
        channels: How many features each place has.
        height: Rows of places.
        width: Columns of places.
        layout: ``NCHW``, ``NHWC`` or ``NTC``.
        grid: Rows and columns of the heat maps.
        enlarged: Whether the map is smaller than the grid and was enlarged.
        batch: Images that it takes at once; 0 for any number.
        expects: What it does to pixels: input_size, channel_order, range, mean, std.
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
            :class:`augcli.classifiers.options.PrepareOptions`.

    Returns:
        What was found and made. The file is there whole, or not at all.

    Raises:
        UsageError: A wrong option, a classifier that can't be used (the message says why), or
            onnx is not installed; nothing was written.

    Example:
        >>> prepare_scorer("nowhere.onnx", preset="imagenet")
        Traceback (most recent call last):
            ...
        augcli.errors.ScorerError: nowhere.onnx: does not exist; give the path of an ONNX classifier
    """
    return prepare(classifier, build(PrepareOptions, options, "the options of a scorer"))


def prepare(classifier: str | os.PathLike[str], options: PrepareOptions) -> PreparedScorer:
    """Make a scorer of a classifier; see :func:`prepare_scorer`."""
    need_onnx()
    check_out(Path(classifier), options)
    found = read_classifier(Path(classifier), options)
    entry = agree(found, options)
    fix_size(found.model, entry, entry.batch or 1)
    graph = ClassifierGraph(found.model, _shapes(found, entry))
    if graph.opset < LOWEST_OPSET:
        raise found.refused(f"speaks opset {graph.opset}, but must speak {LOWEST_OPSET} or later")
    scores = _scores(found, graph, options)
    features = find_feature_map(found, graph, scores, options)
    drawing = GraphBuilder(graph.opset)
    draw_heat_map(found, graph, drawing, scores, features, options)
    reshapes = Reshapes(graph, entry.batch)
    recipe = recipe_of(found, features, options)
    assemble(found, entry, drawing, options)
    describe(found, entry, features, recipe, options)
    written = publish(found, entry.batch, reshapes, options)
    return PreparedScorer(
        file=str(options.out),
        sha256=written.sha256,
        bytes=written.size,
        recipe=recipe,
        map=options.map,
        tensor=features.tensor,
        channels=features.channels,
        height=features.height,
        width=features.width,
        layout=features.layout,
        grid=options.grid,
        enlarged=min(features.height, features.width) < options.grid,
        batch=written.batch,
        expects=entry.metadata(),
    )


def _shapes(classifier: Classifier, entry: Entry) -> dict[str, Shape]:
    """Return the shapes of all tensors: by inference alone a wrong layer may look like the last."""
    try:
        return measure_shapes(classifier.model)
    except Exception as error:  # onnxruntime has a class for each cause and no common base
        raise classifier.refused(
            f"can't be run on {entry.frame.width} x {entry.frame.height} ({first_line(error)}); "
            "--size can give another size"
        ) from None


def _scores(classifier: Classifier, graph: ClassifierGraph, options: PrepareOptions) -> str:
    """Return the name of the output with the class scores."""
    names = [str(one.name) for one in classifier.model.graph.output]
    if options.output is not None and options.output not in names:
        raise classifier.refused(f"has no output {options.output!r}, but {', '.join(names)}")
    if options.output is None and len(names) != 1:
        raise classifier.refused(
            f"gives {len(names)} outputs ({', '.join(names)}); name the class scores with --output"
        )
    name = options.output or names[0]
    shape = graph.tensor(name).shape
    if sum(side > 1 for side in shape[1:]) > 1:
        raise classifier.refused(
            f"gives {shape}, not class scores (N, classes); a file that gives heat maps is a "
            "scorer already: use it with --model"
        )
    return name
