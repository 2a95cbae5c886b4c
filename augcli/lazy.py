"""Names whose module is imported on first use (PEP 562), so that start-up is fast."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def names_from(modules: Mapping[str, str], namespace: dict[str, Any]) -> Callable[[str], Any]:
    """Return a ``__getattr__`` for a module that imports each name from its module on first use.

    Args:
        modules: The full name of the module by public name.
        namespace: The ``globals()`` of the module; names are stored there once imported.

    Example:
        >>> lookup = names_from({"sqrt": "math"}, {})
        >>> lookup("sqrt")(9)
        3.0
    """

    def lookup(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module has no attribute {name!r}")
        namespace[name] = getattr(importlib.import_module(modules[name]), name)
        return namespace[name]

    return lookup
