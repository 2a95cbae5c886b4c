"""Devices: where a scorer runs, and whether it really runs there.

onnxruntime calls devices "execution providers". It lists those that it was compiled with,
whether they work or not, and falls back to the processor silently. Only a session that was made
knows which one it uses.
"""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from typing import TYPE_CHECKING, Any

from augcli.attention.model_file import ModelFileError
from augcli.errors import ParameterError, near_miss
from augcli.files import MODEL_LIMIT, read_file

if TYPE_CHECKING:
    from pathlib import Path

    import onnxruntime as ort

CPU = "cpu"
AUTO = "auto"
GPUS = ("cuda", "migraphx", "rocm", "dml")
"""What ``auto`` tries, in this order."""
SUFFIX = "ExecutionProvider"
NEWER_IR = re.compile(r"model IR version: (\d+), max supported IR version: (\d+)")
NEWER_OPSET = re.compile(r"Opset (\d+) is under .* for domain ([\w.]+) is till opset (\d+)")
"""What onnxruntime says of a file that is newer than itself."""
OPTIONS = {"cuda": {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}}
"""Settings that make every run compute the same sums.

cuDNN may choose an algorithm by timing several, and TF32 cuts factors to 10 bits: both are off.
"""


def parse_device(value: Any) -> str:
    """Return the name of a device in lower case.

    Raises:
        ValueError: It is not one word.

    Example:
        >>> parse_device("CUDA")
        'cuda'
    """
    if isinstance(value, str) and re.fullmatch(r"\w+", value):
        return value.lower()
    raise ValueError(f"is {value!r}, but must be auto, cpu, cuda or another of onnxruntime's")


def providers() -> dict[str, str]:
    """Return the devices that onnxruntime was compiled for, each with its provider.

    Example:
        >>> providers()["cpu"]
        'CPUExecutionProvider'
    """
    import onnxruntime as ort  # noqa: PLC0415 - 0.1 s that only scoring should pay

    return {name.removesuffix(SUFFIX).lower(): name for name in ort.get_available_providers()}


def open_session(path: Path, device: str = CPU, profile: str = "") -> ort.InferenceSession:
    """Load a graph on a device.

    Args:
        path: The ONNX file.
        device: ``cpu``, ``cuda`` or the name of another provider of onnxruntime, without
            ``ExecutionProvider``.
        profile: Prefix of the path of a file to which onnxruntime writes where each step ran;
            empty for no such file.

    Raises:
        ModelFileError: The file is not a graph that onnxruntime can load.
        ParameterError: The device is not available, or the session does not really use it.
    """
    import onnxruntime as ort  # noqa: PLC0415

    available = providers()
    if device not in available:
        hint = (
            near_miss(device, available) or "; a GPU needs another package, such as onnxruntime-gpu"
        )
        raise ParameterError(
            "device", f"is {device!r}, but this onnxruntime has only {', '.join(available)}{hint}"
        )
    provider = available[device]
    if device == "cuda":
        _load_libraries_of_pip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            session = ort.InferenceSession(
                str(path),
                _options(path, device, profile),
                providers=[(provider, OPTIONS.get(device, {}))],
            )
    except Exception as error:  # onnxruntime has a class for each cause and no common base
        raise ModelFileError(path, _why_not_loaded(error, device)) from None
    if session.get_providers()[0] != provider:
        raise ParameterError(
            "device",
            f"is {device!r}, but onnxruntime fell back to {session.get_providers()[0]}: the "
            "driver or its libraries are missing, or of a version that it does not support",
        )
    return session


def _load_libraries_of_pip() -> None:
    """Load CUDA and cuDNN where pip installed them, as ``onnxruntime-gpu[cuda,cudnn]`` does.

    onnxruntime itself looks only where the system has its libraries. What it prints about those
    that are missing does not belong into the output: whether the device works is seen later.
    """
    import onnxruntime as ort  # noqa: PLC0415

    # From onnxruntime 1.21 on.
    if hasattr(ort, "preload_dlls"):
        with contextlib.redirect_stdout(io.StringIO()):
            ort.preload_dlls()


def _why_not_loaded(error: Exception, device: str) -> str:
    """Return why a graph can't be loaded, as a clause whose subject is the file."""
    import onnxruntime as ort  # noqa: PLC0415

    text = first_line(error)
    upgrade = "upgrade it (pip install -U onnxruntime), or export the file with"
    if ir := NEWER_IR.search(text):
        has, most = ir.groups()
        return (
            f"has IR version {has}, but onnxruntime {ort.__version__} supports at most {most}; "
            f"{upgrade} an older version of the package onnx"
        )
    if opset := NEWER_OPSET.search(text):
        has, domain, most = opset.groups()
        return (
            f"has opset {has} of {domain}, but onnxruntime {ort.__version__} supports at most "
            f"{most}; {upgrade} opset {most}"
        )
    return f"is not an ONNX graph that onnxruntime can load on {device} ({text})"


def _options(path: Path, device: str, profile: str) -> ort.SessionOptions:
    import onnxruntime as ort  # noqa: PLC0415

    options = ort.SessionOptions()
    options.log_severity_level = 4
    if profile:
        options.enable_profiling = True
        options.profile_file_prefix = profile
    if device == CPU:
        # One thread: it is the worker processes that run in parallel.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # Without the arena, memory for a large batch is freed after it; 2% slower.
        options.enable_cpu_mem_arena = False
    if not computes_in_integers(path):
        # Weights of 8 bits run 2 to 3 times faster when they are widened once, at load.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
    return options


def computes_in_integers(path: Path) -> bool:
    """Return whether a graph computes in 8 bits, rather than only storing its weights so."""
    try:
        content = read_file(path, MODEL_LIMIT).data
    except OSError:
        return False  # loading the graph will report why
    # With the byte for its length before it: DequantizeLinear ends in the same letters.
    return b"\x0eQuantizeLinear" in content


def first_line(error: Exception) -> str:
    """Return the first line of an error of onnxruntime: the lines after it give advice."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
