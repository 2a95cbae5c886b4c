"""Names that import their module on first use (PEP 562), so that start-up stays light."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def names_from(modules: Mapping[str, str], namespace: dict[str, Any]) -> Callable[[str], Any]:
    """Return a module ``__getattr__`` that looks each name up in its module, once.

    Args:
        modules: Full module name by public name.
        namespace: The ``globals()`` of the module, which keeps what was found.

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
