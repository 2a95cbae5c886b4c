"""A trial of a device: one picture scored there, and where each step of the graph really ran.

A provider of onnxruntime may take a session and none of its steps, and then the processor
does the work without a word; only the profile of a run tells.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from augcli.attention.device import CPU, open_session, providers
from augcli.attention.model_file import shipped_model

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FREE_SIDE = 112
"""Side of the picture, where the graph takes any."""


class Trial(NamedTuple):
    """What one picture on a device showed.

    Attributes:
        steps: Steps of the graph.
        there: How many of them ran on the device.
        milliseconds: Of one more run, with the profile being written.
        difference: Largest difference of the heat map from the processor's, as a share of that
            map's range.
    """

    steps: int
    there: int
    milliseconds: float
    difference: float


def try_device(device: str, path: Path | None = None) -> Trial:
    """Score one picture on a device.

    Args:
        device: Name of a provider, as :func:`augcli.attention.device.providers` gives it.
        path: The scorer; the shipped one when None.

    Raises:
        ScorerError: The scorer can't be loaded there.
        ParameterError: The device is not there, or onnxruntime fell back.

    Example:
        >>> trial = try_device("cpu")
        >>> trial.there == trial.steps, trial.difference
        (True, 0.0)
    """
    found, steps, milliseconds = _profiled(device, path or shipped_model())
    expected = found if device == CPU else _profiled(CPU, path or shipped_model())[0]
    span = float(np.ptp(expected)) or 1.0
    difference = float(np.abs(found - expected).max()) / span
    there = sum(one == providers()[device] for one in steps)
    return Trial(len(steps), there, round(milliseconds, 2), difference)


def _profiled(device: str, path: Path) -> tuple[NDArray[np.float32], list[str], float]:
    """Return the scores, the provider of each step, and the milliseconds of the last run."""
    with tempfile.TemporaryDirectory() as folder:
        session = open_session(path, device, profile=os.path.join(folder, "profile"))
        first = session.get_inputs()[0]
        feed = {first.name: _picture(first.shape, first.type)}
        # The first run also prepares what the later ones use.
        session.run(None, feed)
        begun = time.perf_counter()
        scores = session.run(None, feed)[0]
        milliseconds = (time.perf_counter() - begun) * 1000
        with open(session.end_profiling(), encoding="utf-8") as file:
            events = json.load(file)
    # Older releases also note when a step waited, without a provider.
    steps = [one for one in events if one.get("cat") == "Node" and "provider" in one["args"]]
    by_step = {one["name"]: one["args"]["provider"] for one in steps}
    return np.asarray(scores, np.float32), list(by_step.values()), milliseconds


def _picture(shape: list[Any], kind: str) -> NDArray[Any]:
    """Return a picture with some structure, as the graph's input is declared."""
    sides = [1, *(side if isinstance(side, int) else FREE_SIDE for side in shape[1:])]
    values = np.arange(np.prod(sides)).reshape(sides) * 7 % 256
    return values.astype(np.uint8) if kind == "tensor(uint8)" else (values / 255).astype(np.float32)
