"""A scorer in figures: what it takes and gives, where it came from and what it costs."""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augcli.attention.device import first_line
from augcli.attention.graph import Graph
from augcli.attention.input_spec import ramp
from augcli.attention.model_file import scorer_sha256, shipped_model, shipped_small_model
from augcli.classifiers.census import count_graph
from augcli.errors import ScorerError

if TYPE_CHECKING:
    import os

RUNS = 15
"""Of which the median is told."""
INPUT_KEYS = ("range", "mean", "std")


@dataclass(frozen=True, slots=True)
class ScorerFacts:
    """What there is to know of a scorer.

    Attributes:
        file: Its path.
        bytes: Size of the file.
        small: The second file of the shipped scorer, for images of at most 64 pixels; else empty.
        sha256: What run.json and files of heat maps call it: of its file, or of the two that
            augcli ships.
        input: Type and shape of what it takes.
        input_size: Height and width to which images are squashed.
        channel_order: ``RGB`` or ``BGR``.
        scaling: ``range``, ``mean`` and ``std``; empty where it takes pixels as they are.
        map: Rows and columns of what it gives.
        recipe: How it was made, in its own words; empty where it does not say.
        source: The classifier it was prepared from: file, bytes, sha256; else empty.
        parameters: Numbers it was trained to have; None without onnx.
        multiply_adds: For one image; None where that is not known.
        milliseconds: For one image on one thread here, the median of some.
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
        ScorerError: It is missing or no scorer.

    Example:
        >>> facts = describe_scorer()
        >>> facts.channel_order, facts.map
        ('RGB', [7, 7])
    """
    file = Path(path) if path else shipped_model()
    try:
        identity = scorer_sha256(Path(path) if path else None)
        graph = Graph(file)
    except ScorerError as error:
        raise ScorerError(str(error).removeprefix("--model ")) from None
    expected = graph.expected
    count = count_graph(file, expected.frame)
    height, width = expected.frame if not graph.flexible else ("H", "W")
    told = graph.metadata
    defaults: dict[str, list[float]] = {"range": [0, 1], "mean": [0, 0, 0], "std": [1, 1, 1]}
    return ScorerFacts(
        file=str(file),
        bytes=file.stat().st_size,
        small="" if path else str(shipped_small_model()),
        sha256=identity,
        input=f"uint8 (N, {height}, {width}, 3)"
        if expected.pixels
        else f"float32 (N, 3, {height}, {width})",
        input_size=list(expected.frame),
        channel_order="BGR" if expected.bgr else "RGB",
        scaling={}
        if expected.pixels
        else {key: _value(told, key, value) for key, value in defaults.items()},
        map=list(graph.native),
        recipe=_text(_value(told, "recipe", "")),
        source=_table(_value(told, "source", {})),
        parameters=count.parameters if count else None,
        multiply_adds=count.multiply_adds if count else None,
        milliseconds=round(_milliseconds(graph), 3),
    )


def _milliseconds(graph: Graph) -> float:
    picture = ramp(graph.expected.frame)
    spent = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        try:
            graph.scores([picture])
        except Exception as error:  # onnxruntime has a class for each cause and no common base
            raise graph.refused(f"can't be run: {first_line(error)}") from None
        spent.append((time.perf_counter() - begun) * 1000)
    return statistics.median(spent)


def _value(metadata: dict[str, str], key: str, default: Any) -> Any:
    try:
        return json.loads(metadata[f"augcli.{key}"])
    except (KeyError, ValueError, RecursionError):
        return default


def _text(found: Any) -> str:
    return found if isinstance(found, str) else ""


def _table(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}
