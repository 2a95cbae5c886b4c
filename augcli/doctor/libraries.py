"""The libraries that augcli needs, and the packages that provide them."""

from __future__ import annotations

from typing import NamedTuple


class Library(NamedTuple):
    """A library that augcli needs.

    Attributes:
        title: Its name for people.
        module: The name by which it is imported.
        distribution: The name by which pip installs it.
        family: Pattern for the names of packages that install files into the same folder; empty
            where there are no others.
        preferred: Those of them to keep if several are installed, best first.
    """

    title: str
    module: str
    distribution: str
    family: str = ""
    preferred: tuple[str, ...] = ()


LIBRARIES = (
    Library("NumPy", "numpy", "numpy"),
    Library("Pillow", "PIL", "pillow"),
    Library(
        "OpenCV",
        "cv2",
        "opencv-python-headless",
        "opencv",
        ("opencv-contrib-python-headless", "opencv-contrib-python", "opencv-python-headless"),
    ),
    Library("onnxruntime", "onnxruntime", "onnxruntime", "onnxruntime|ort-", ("onnxruntime-gpu",)),
)
OTHERS = ("typer", "rich")
"""Packages that are certain to be importable: the command line has imported them."""
