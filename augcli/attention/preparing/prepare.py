"""A scorer made of a classifier: what ``augcli scorer prepare`` and Python both call."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import augcli
from augcli.attention.preparing.batch import ANY, Reshapes
from augcli.attention.preparing.classifier_graph import ClassifierGraph, Drawing, prune
from augcli.attention.preparing.drawing import OUTPUT, draw_heat_map
from augcli.attention.preparing.entry import KEYS, agree, as_texts, fix_size, put_in_front
from augcli.attention.preparing.finding import find_feature_map
from augcli.attention.preparing.options import PrepareOptions
from augcli.attention.preparing.reading import need_onnx, read_classifier
from augcli.attention.preparing.trial import WrongInBatches, try_out
from augcli.errors import OutputError, ScorerError
from augcli.params import build

if TYPE_CHECKING:
    import onnx

    from augcli.attention.preparing.entry import Entry
    from augcli.attention.preparing.finding import FeatureMap
    from augcli.attention.preparing.reading import Classifier
    from augcli.attention.scorer import Scorer

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
            :class:`augcli.attention.preparing.options.PrepareOptions`.

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
    _check_out(Path(classifier), options)
    found = read_classifier(Path(classifier), options)
    entry = agree(found, options)
    fix_size(found.model, entry, entry.batch or 1)
    graph = ClassifierGraph(found.model)
    if graph.opset < LOWEST_OPSET:
        raise found.refused(f"speaks opset {graph.opset}, but must speak {LOWEST_OPSET} or later")
    scores = _scores(found, graph, options)
    features = find_feature_map(found, graph, scores, options)
    drawing = Drawing(graph.opset)
    draw_heat_map(found, graph, drawing, scores, features, options)
    reshapes = Reshapes(graph, entry.batch)
    recipe = _recipe(found, features, options)
    _assemble(found, entry, drawing, options)
    _describe(found, entry, features, recipe, options)
    return _publish(found, entry, reshapes, features, recipe, options)


def _check_out(classifier: Path, options: PrepareOptions) -> None:
    out = options.out
    if not out.parent.is_dir():
        raise OutputError(f"--out {out}: the folder {out.parent} does not exist")
    if out.is_dir():
        raise OutputError(f"--out {out}: is a folder; give a file, such as scorer.onnx")
    if out.exists() and classifier.exists() and out.samefile(classifier):
        raise OutputError(f"--out {out}: is the classifier itself; give another file")
    if os.path.lexists(out) and not options.overwrite:
        raise OutputError(f"--out {out}: is there already; add --overwrite or give another file")


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


def _recipe(classifier: Classifier, features: FeatureMap, options: PrepareOptions) -> str:
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


def _assemble(
    classifier: Classifier, entry: Entry, drawing: Drawing, options: PrepareOptions
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


def _describe(
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


def _publish(
    classifier: Classifier,
    entry: Entry,
    reshapes: Reshapes,
    features: FeatureMap,
    recipe: str,
    options: PrepareOptions,
) -> PreparedScorer:
    """Write the scorer under a temporary name, try it out, and give it its name."""
    temporary = options.out.with_name(f".{options.out.name}-{os.getpid()}")
    try:
        found, batch = _first_that_works(classifier, entry, reshapes, temporary, options)
        size = temporary.stat().st_size
        temporary.replace(options.out)
    except OSError as error:
        raise OutputError(f"--out {options.out}: can't be written ({error.strerror})") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    return PreparedScorer(
        file=str(options.out),
        sha256=found.sha256,
        bytes=size,
        recipe=recipe,
        map=options.map,
        tensor=features.tensor,
        channels=features.channels,
        height=features.height,
        width=features.width,
        layout=features.layout,
        grid=options.grid,
        enlarged=min(features.height, features.width) < options.grid,
        batch=batch,
        expects=entry.metadata(),
    )


def _first_that_works(
    classifier: Classifier, entry: Entry, reshapes: Reshapes, path: Path, options: PrepareOptions
) -> tuple[Scorer, int]:
    """Write a scorer for any number of images (0), else for one; return it and the number."""
    reshapes.free(classifier.model)
    _write(classifier, path, ANY)
    try:
        return try_out(classifier, path, options.grid, batches=True), 0
    except WrongInBatches:
        if entry.batch > 1:
            raise classifier.refused(
                f"takes {entry.batch} images at once and nothing else; export it for one image, "
                "or for any number"
            ) from None
    reshapes.fix(classifier.model)
    _write(classifier, path, 1)
    return try_out(classifier, path, options.grid, batches=False), 1


def _write(classifier: Classifier, path: Path, batch: int | str) -> None:
    model = classifier.model
    for one in (*model.graph.input, *model.graph.output):
        _set_batch(one, batch)
    try:
        content = model.SerializeToString(deterministic=True)
    except ValueError as error:  # more than the 2 GiB of protobuf
        raise ScorerError(f"{classifier.path}: is too large for one ONNX file ({error})") from None
    path.write_bytes(content)


def _set_batch(tensor: onnx.ValueInfoProto, batch: int | str) -> None:
    dimension = tensor.type.tensor_type.shape.dim[0]
    dimension.Clear()
    if isinstance(batch, str):
        dimension.dim_param = batch
    else:
        dimension.dim_value = batch
