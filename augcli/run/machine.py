"""The machine: versions for run.json, processor, cores and GPU."""

from __future__ import annotations

import os
import platform
import re
import shutil
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from augcli.files import read_file

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def usable_cores(root: str = "/") -> int:
    """Return how many cores this process may use, by its affinity and its control groups.

    A quota that is no whole number of cores is rounded up.

    Args:
        root: The folder where the system's ``proc`` and ``sys`` are.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quotas = [quota for folder in _control_groups(root) if (quota := _quota(folder))]
    return min([cores or 1, *quotas])


def _control_groups(root: str) -> Iterator[str]:
    """Yield the folders of the groups that may limit this process: its own and those around it.

    A line of /proc/self/cgroup is ``NUMBER:CONTROLLERS:PATH``; version 2 has no controllers. In a
    container the path may be the host's: then only the topmost folder exists, the container's.
    """
    try:
        lines = read_file(os.path.join(root, "proc/self/cgroup")).data.decode().splitlines()
    except (OSError, ValueError):
        lines = []
    # Without that file, the topmost groups are still known.
    for line in [*lines, "0::/", "1:cpu:/"]:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        names = ("", "unified") if not controllers else (controllers, "cpu", "cpu,cpuacct")
        # A path with ".." leads out of what this process sees.
        parts = [part for part in path.split("/") if part] if ".." not in path else []
        for name in names:
            for depth in range(len(parts), -1, -1):
                yield os.path.join(root, "sys/fs/cgroup", name, *parts[:depth])


def _quota(folder: str) -> int | None:
    """Return the cores that a control group allows; None where it has no limit."""
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        try:
            texts = [read_file(f"{folder}/{name}").data.decode("ascii") for name in names]
            quota, period = (int(word) for word in " ".join(texts).split())
        except (OSError, ValueError):  # the other version's group, or "max"
            continue
        if quota > 0 and period > 0:  # -1 is no limit
            return -(-quota // period)
    return None


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
