"""The machine: versions for run.json, processor, cores and GPU."""

from __future__ import annotations

import os
import platform
import re
import shutil
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from augcli.files import read_file

PACKAGES = ["numpy", "pillow", "opencv-python-headless", "opencv-python", "onnxruntime"]


def machine() -> dict[str, Any]:
    """Return the platform, and the versions of Python and of the packages that matter."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {"versions": versions, "platform": platform.platform()}


def usable_cores() -> int:
    """Return how many cores this process may use, by its affinity and its control group."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        quota, period = read_file("/sys/fs/cgroup/cpu.max").data.decode("ascii").split()
        if quota != "max":
            cores = min(cores or 1, -(-int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return cores or 1


FEATURES = {
    "AVX2": {"avx2"},
    "AVX-512": {"avx512f"},
    "VNNI": {"avx512_vnni", "avx_vnni"},
    "AMX": {"amx_int8", "amx_bf16"},
    "NEON": {"asimd", "neon"},
    "dot product": {"asimddp"},
    "I8MM": {"i8mm"},
    "SVE": {"sve"},
}
"""Features of processors that make scoring and decoding fast, with their names in Linux."""


def cpu_flags(path: str = "/proc/cpuinfo") -> frozenset[str]:
    """Return the features of the processor by their names in Linux; none on other systems."""
    try:
        text = read_file(path).data.decode("utf-8", "replace")
        line = re.search(r"^(?:flags|Features)\s*:(.*)$", text, re.MULTILINE)
    except OSError:
        return frozenset()
    return frozenset(line[1].split() if line else ())


def named_features(flags: frozenset[str]) -> list[str]:
    """Return those of :data:`FEATURES` that a processor has, by their usual names.

    Example:
        >>> named_features(frozenset({"sse2", "avx2", "amx_int8"}))
        ['AVX2', 'AMX']
    """
    return [name for name, words in FEATURES.items() if words & flags]


def has_nvidia() -> bool:
    """Return whether a driver for NVIDIA GPUs is installed."""
    return bool(os.path.exists("/proc/driver/nvidia/version") or shutil.which("nvidia-smi"))
