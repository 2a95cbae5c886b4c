"""What to do about a library that can't be imported, judged by its error message."""

from __future__ import annotations

import re
from typing import Final

_MISSING: Final = re.compile(r"(lib[\w.+-]+\.(?:so[.\d]*|dylib)|[\w.+-]+\.dll)\b", re.IGNORECASE)
_OF_WINDOWS: Final = re.compile(r"lib(GL|EGL|X\w+|xcb|SM|ICE|gthread|glib)\b", re.IGNORECASE)
"""Libraries for windows and buttons, which are missing in slim containers."""


def missing_library(text: str) -> str:
    """Return the first shared library that a message reports as missing, or an empty string.

    Example:
        >>> missing_library("libGL.so.1: cannot open shared object file: No such file")
        'libGL.so.1'
    """
    for line in text.splitlines():
        if "cannot open" in line or "not found" in line.lower() or "missing" in line:
            names = _MISSING.findall(line)
            if names:
                # The library that needs it may be named before it.
                return str(names[-1])
    return ""


def fix_for_import(failure: str, module: str, distribution: str, *, installed: bool) -> str:
    """Return what to do about a library that can't be imported.

    Args:
        failure: Error message of the import.
        module: Name of the module.
        distribution: Name of its package for pip.
        installed: Whether pip lists the package, so that a plain ``pip install`` does nothing.

    Example:
        >>> failure = "ModuleNotFoundError: No module named 'cv2'"
        >>> fix_for_import(failure, "cv2", "opencv-python-headless", installed=False)
        'pip install opencv-python-headless'
    """
    if missing_library(failure):
        return _fix_for_missing(missing_library(failure), module)
    if "DLL load failed" in failure:
        return "install the Microsoft Visual C++ Redistributable for Visual Studio 2015 to 2022"
    if "SIGILL" in failure:
        return (
            "this build needs instructions that the processor does not have: "
            f"install another version of {distribution}, or build it on this machine"
        )
    if module != "numpy" and re.search(r"numpy|multiarray|_ARRAY_API", failure, re.IGNORECASE):
        return f"it was built for another NumPy: pip install --upgrade numpy {distribution}"
    if installed:
        return f"pip install --force-reinstall --no-deps {distribution}"
    return f"pip install {distribution}"


def _fix_for_missing(library: str, module: str) -> str:
    if module == "cv2" and _OF_WINDOWS.match(library):
        return (
            "use the OpenCV package without windows, which does not need this library: "
            "pip uninstall -y opencv-python opencv-contrib-python; "
            "pip install --force-reinstall --no-deps opencv-python-headless"
        )
    return f"install the package with {library}, with the system's package manager"
