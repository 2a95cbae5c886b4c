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


def torchvision() -> Any:
    """Return torchvision.

    Raises:
        ImportError: It is not installed.
    """
    library = None
    while True:
        try:
            return importlib.import_module("torchvision")
        except RuntimeError as error:
            missing = MISSING.search(str(error))
            if not missing:
                raise
            import torch

            library = library or torch.library.Library("torchvision", "FRAGMENT")
            library.define(f"{missing[1]}(Tensor any) -> Tensor")
            KEPT.append(library)
            for name in [name for name in sys.modules if name.startswith("torchvision")]:
                del sys.modules[name]


KEPT: list[Any] = []
"""Libraries of operators live as long as their objects."""
