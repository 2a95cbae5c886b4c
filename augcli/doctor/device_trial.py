"""Trying a device: one picture is scored on it, and the profile shows where each step ran.

A provider of onnxruntime may accept a session but run none of its steps. The processor then does
the work silently; only the profile of a run shows it.
"""

from __future__ import annotations

import os
import tempfile
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from augcli.attention.device import CPU, open_session, providers
from augcli.attention.model_file import shipped_model
from augcli.files import read_json

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FREE_SIDE = 112
"""Side of the picture in pixels, where the graph takes any size."""


class Trial(NamedTuple):
    """The result of scoring one picture on a device.

    Attributes:
        steps: Number of steps of the graph.
        on_device: How many of them ran on the device.
        milliseconds: Time of a second run, during which the profile was written too.
        difference: Largest difference from the processor's heat map, as a share of the range of
            that map.
    """

    steps: int
    on_device: int
    milliseconds: float
    difference: float


def try_device(device: str, path: Path | None = None) -> Trial:
    """Score one picture on a device.

    Args:
        device: Name of a provider, as :func:`augcli.attention.device.providers` gives it.
        path: The scorer; the shipped one when None.

    Raises:
        ScorerError: The scorer can't be loaded there.
        ParameterError: The device is not available, or onnxruntime fell back to the processor.

    Example:
        >>> trial = try_device("cpu")
        >>> trial.on_device == trial.steps, trial.difference
        (True, 0.0)
    """
    scores, steps, milliseconds = _run_with_profile(device, path or shipped_model())
    expected = scores if device == CPU else _run_with_profile(CPU, path or shipped_model())[0]
    span = float(np.ptp(expected)) or 1.0
    difference = float(np.abs(scores - expected).max()) / span
    on_device = sum(provider == providers()[device] for provider in steps)
    return Trial(len(steps), on_device, round(milliseconds, 2), difference)


def _run_with_profile(device: str, path: Path) -> tuple[NDArray[np.float32], list[str], float]:
    """Return the scores, the provider of each step, and the milliseconds of the last run."""
    with tempfile.TemporaryDirectory() as folder:
        session = open_session(path, device, profile=os.path.join(folder, "profile"))
        first = session.get_inputs()[0]
        feed = {first.name: _picture(first.shape, first.type)}
        # The first run is slower: it also allocates what later runs use.
        session.run(None, feed)
        begun = time.perf_counter()
        scores = session.run(None, feed)[0]
        milliseconds = (time.perf_counter() - begun) * 1000
        events = read_json(session.end_profiling())
    # Older releases also record when a step waited, without a provider.
    steps = [
        event for event in events if event.get("cat") == "Node" and "provider" in event["args"]
    ]
    by_step = {event["name"]: event["args"]["provider"] for event in steps}
    return np.asarray(scores, np.float32), list(by_step.values()), milliseconds


def _picture(shape: list[Any], kind: str) -> NDArray[Any]:
    """Return a picture with some structure, of the shape and type of the graph's input."""
    sides = [1, *(side if isinstance(side, int) else FREE_SIDE for side in shape[1:])]
    values = np.arange(np.prod(sides)).reshape(sides) * 7 % 256
    return values.astype(np.uint8) if kind == "tensor(uint8)" else (values / 255).astype(np.float32)
