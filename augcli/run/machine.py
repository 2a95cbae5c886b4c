"""The machine and the versions that a run was made with, for run.json."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ["numpy", "pillow", "opencv-python-headless", "opencv-python", "onnxruntime"]


def machine() -> dict[str, Any]:
    """Return versions and platform."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {"versions": versions, "platform": platform.platform()}
