"""Devices: where a scorer runs, and whether it really runs there.

onnxruntime lists the providers that it was compiled with, not those that work, and falls back
to the processor without a word. What a session says after it was made is the truth.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

from augcli.errors import ParameterError, ScorerError, near_miss

if TYPE_CHECKING:
    from pathlib import Path

    import onnxruntime as ort

CPU = "cpu"
AUTO = "auto"
GPUS = ("cuda", "migraphx", "rocm", "dml")
"""What ``auto`` tries, in this order."""
SUFFIX = "ExecutionProvider"
OPTIONS = {"cuda": {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}}
"""The same sums in every run: no search by timing, no numbers cut to 10 bits."""


def parse_device(found: Any) -> str:
    """Return the name of a device in small letters.

    Raises:
        ValueError: It is not one word.

    Example:
        >>> parse_device("CUDA")
        'cuda'
    """
    if isinstance(found, str) and re.fullmatch(r"\w+", found):
        return found.lower()
    raise ValueError(f"is {found!r}, but must be auto, cpu, cuda or another of onnxruntime's")


def providers() -> dict[str, str]:
    """Return the providers that onnxruntime was compiled with, by the names of their devices."""
    import onnxruntime as ort  # noqa: PLC0415 - 0.1 s that only scoring should pay

    return {name.removesuffix(SUFFIX).lower(): name for name in ort.get_available_providers()}


def open_session(path: Path, device: str = CPU, profile: str = "") -> ort.InferenceSession:
    """Load a graph on a device.

    Args:
        path: The ONNX file.
        device: ``cpu``, ``cuda`` or the name of another provider of onnxruntime, without
            ``ExecutionProvider``.
        profile: Beginning of the path of a file that is to tell where each step ran; none is
            written when empty.

    Raises:
        ScorerError: The file is not a graph that onnxruntime can load.
        ParameterError: The device is not there, or the session does not really use it.
    """
    import onnxruntime as ort  # noqa: PLC0415

    found = providers()
    if device not in found:
        hint = near_miss(device, found) or "; a GPU needs another package, such as onnxruntime-gpu"
        raise ParameterError(
            "device", f"is {device!r}, but this onnxruntime has only {', '.join(found)}{hint}"
        )
    provider = found[device]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            session = ort.InferenceSession(
                str(path),
                _options(path, device, profile),
                providers=[(provider, OPTIONS.get(device, {}))],
            )
    except Exception as error:  # onnxruntime has a class for each cause and no common base
        raise ScorerError(
            f"--model {path}: is not an ONNX graph that onnxruntime can load on {device} "
            f"({first_line(error)})"
        ) from None
    if session.get_providers()[0] != provider:
        raise ParameterError(
            "device",
            f"is {device!r}, but onnxruntime fell back to {session.get_providers()[0]}: the "
            "driver or its libraries are missing, or of another version than it wants",
        )
    return session


def _options(path: Path, device: str, profile: str) -> ort.SessionOptions:
    import onnxruntime as ort  # noqa: PLC0415

    options = ort.SessionOptions()
    options.log_severity_level = 4
    if profile:
        options.enable_profiling = True
        options.profile_file_prefix = profile
    if device == CPU:
        # One thread: the workers are the parallelism.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # Without the arena a worker gives back what a large batch took; 2% slower.
        options.enable_cpu_mem_arena = False
    if not computes_in_integers(path):
        # Weights of 8 bits run 2 to 3 times faster when they are widened once, at load.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
    return options


def computes_in_integers(path: Path) -> bool:
    """Return whether a graph rounds what it computes to 8 bits, and not its weights alone."""
    try:
        content = path.read_bytes()
    except OSError:
        return False  # onnxruntime tells why
    # The operator's name as a field of ONNX: DequantizeLinear ends in the same letters.
    return b"\x0eQuantizeLinear" in content


def first_line(error: Exception) -> str:
    """Return an error of onnxruntime without the advice that follows it."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
