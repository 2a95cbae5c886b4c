"""Describing a scorer: what it takes and gives, what it was made of and what it costs."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from augcli.attention.device import first_line
from augcli.attention.graph import Graph
from augcli.attention.input_spec import ramp
from augcli.attention.model_file import (
    ModelFileError,
    model_size,
    scorer_sha256,
    shipped_model,
    shipped_small_model,
)
from augcli.classifiers.classifier_graph import measure_shapes
from augcli.errors import ScorerError
from augcli.files import MODEL_LIMIT, parse_json, read_file

if TYPE_CHECKING:
    import os

    import onnx

    from augcli.classifiers.classifier_graph import Shape
    from augcli.pixels.frame import Frame

RUNS = 15
"""Timed runs, of which the median counts."""
SHAPES_AND_INDICES = frozenset({"INT64", "INT32", "BOOL", "STRING"})
"""Types of constants that are no parameters."""


@dataclass(frozen=True, slots=True)
class ScorerFacts:
    """What is known about a scorer.

    Attributes:
        file: Its path.
        bytes: Size of the file, and of other files in which it keeps weights.
        small: The second file of the shipped scorer, for images of at most 64 pixels; else empty.
        sha256: What identifies it in run.json and in files of heat maps: the SHA-256 of its file,
            or for the shipped scorer of both files.
        input: Type and shape of its input.
        input_size: Height and width to which images are squashed.
        channel_order: ``RGB`` or ``BGR``.
        scaling: ``range``, ``mean`` and ``std``; empty where it takes unscaled pixels.
        map: Rows and columns of its output.
        recipe: How it was made, from its metadata; empty where they don't say.
        source: The classifier that it was made of: file, bytes, sha256; else empty.
        parameters: Number of its weights; None without onnx.
        multiply_adds: For one image; None where that is not known.
        milliseconds: For one image on one thread of this machine, the median of several runs.
    """

    file: str
    bytes: int
    small: str
    sha256: str
    input: str
    input_size: list[int]
    channel_order: str
    scaling: dict[str, list[float]]
    map: list[int]
    recipe: str
    source: dict[str, Any]
    parameters: int | None
    multiply_adds: int | None
    milliseconds: float


def describe_scorer(path: str | os.PathLike[str] | None = None) -> ScorerFacts:
    """Describe a scorer.

    Args:
        path: The ONNX file; the shipped one when None.

    Raises:
        ScorerError: The file is missing or is not a scorer.

    Example:
        >>> facts = describe_scorer()
        >>> facts.channel_order, facts.map
        ('RGB', [7, 7])
    """
    file = Path(path) if path else shipped_model()
    try:
        identity = scorer_sha256(Path(path) if path else None)
        graph = Graph(file)
        milliseconds = _milliseconds(graph)
    except ModelFileError as error:
        raise ScorerError(f"{error.path}: {error.problem}") from None
    spec = graph.input_spec
    cost = graph_cost(file, spec.frame)
    height, width = spec.frame if not graph.flexible else ("H", "W")
    metadata = graph.metadata
    defaults: dict[str, list[float]] = {"range": [0, 1], "mean": [0, 0, 0], "std": [1, 1, 1]}
    return ScorerFacts(
        file=str(file),
        bytes=model_size(file),
        small="" if path else str(shipped_small_model()),
        sha256=identity,
        input=f"uint8 (N, {height}, {width}, 3)"
        if spec.pixels
        else f"float32 (N, 3, {height}, {width})",
        input_size=list(spec.frame),
        channel_order="BGR" if spec.bgr else "RGB",
        scaling={}
        if spec.pixels
        else {key: _value(metadata, key, value) for key, value in defaults.items()},
        map=list(graph.native),
        recipe=_text(_value(metadata, "recipe", "")),
        source=_table(_value(metadata, "source", {})),
        parameters=cost.parameters if cost else None,
        multiply_adds=cost.multiply_adds if cost else None,
        milliseconds=round(milliseconds, 3),
    )


class GraphCost(NamedTuple):
    """What a graph costs.

    Attributes:
        parameters: Numbers in its constants, without shapes and indices.
        multiply_adds: Of its convolutions and matrix products, for one image; None where the
            shape of one of them is not known.
    """

    parameters: int
    multiply_adds: int | None


def graph_cost(path: Path, frame: Frame) -> GraphCost | None:
    """Return what a graph costs, or None where onnx is not installed or can't read the file.

    Args:
        path: The ONNX file.
        frame: Height and width of the image.
    """
    try:
        import onnx  # noqa: PLC0415
    except ImportError:
        return None
    try:
        if model_size(path) > MODEL_LIMIT:
            return None
        model = onnx.load_model_from_string(read_file(path).data)
        onnx.load_external_data_for_model(model, str(path.parent))
        for declared in model.graph.input:
            tensor = declared.type.tensor_type
            pixels = tensor.elem_type == onnx.TensorProto.UINT8
            shape = (1, *frame, 3) if pixels else (1, 3, *frame)
            for dimension, side in zip(tensor.shape.dim, shape, strict=True):
                dimension.dim_value = side
    except Exception:  # onnx has a class for each cause and no common base
        return None
    try:
        shapes = measure_shapes(model)
    except Exception:  # and so has onnxruntime
        shapes = {}
    graph = model.graph
    parameters = sum(
        math.prod(tensor.dims)
        for tensor in graph.initializer
        if onnx.TensorProto.DataType.Name(tensor.data_type) not in SHAPES_AND_INDICES
    )
    return GraphCost(parameters, _multiply_adds(list(graph.node), shapes))


def _multiply_adds(nodes: list[onnx.NodeProto], shapes: dict[str, Shape]) -> int | None:
    total = 0
    for node in nodes:
        if node.op_type not in ("Conv", "Gemm", "MatMul"):
            continue
        output = shapes.get(node.output[0], ())
        first, weights = (shapes.get(name, ()) for name in node.input[:2])
        if not (output and first and weights and all((*output, *first, *weights))):
            return None
        # How many products are summed for each number of the output.
        if node.op_type == "Conv":
            summed = math.prod(weights[1:])
        elif any(attribute.name == "transA" and attribute.i for attribute in node.attribute):
            summed = first[0]
        else:
            summed = first[-1]
        total += math.prod(output) * summed
    return total


def _milliseconds(graph: Graph) -> float:
    picture = ramp(graph.input_spec.frame)
    times = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        try:
            graph.scores([picture])
        except Exception as error:  # onnxruntime has a class for each cause and no common base
            raise graph.refused(f"can't be run: {first_line(error)}") from None
        times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times)


def _value(metadata: dict[str, str], key: str, default: Any) -> Any:
    try:
        return parse_json(metadata[f"augcli.{key}"].encode("utf-8"))
    except (KeyError, ValueError):
        return default


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
