"""torchvision, also where its compiled operators don't fit the PyTorch that is installed.

Wheels of torchvision are built for PyTorch with CUDA. With a build for processors alone they can't
be loaded, and importing torchvision fails. Its transforms and folders need none of them: here they
are declared, without a kernel.
"""

from __future__ import annotations

import importlib
import re
import sys
from typing import Any

MISSING = re.compile(r"operator torchvision::(\w+) does not exist")


def torchvision(name: str = "torchvision") -> Any:
    """Return torchvision, or a library that imports it.

    Args:
        name: Of the module.

    Raises:
        ImportError: It is not installed.
    """
    library = None
    while True:
        try:
            return importlib.import_module(name)
        except RuntimeError as error:
            missing = MISSING.search(str(error))
            if not missing:
                raise
            import torch

            library = library or torch.library.Library("torchvision", "FRAGMENT")
            library.define(f"{missing[1]}(Tensor any) -> Tensor")
            KEPT.append(library)
            for one in [one for one in sys.modules if one.startswith("torchvision")]:
                del sys.modules[one]


KEPT: list[Any] = []
"""Libraries of operators live as long as their objects."""
