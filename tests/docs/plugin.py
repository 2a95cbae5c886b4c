"""The worked example of docs/adding-an-augmentation.md, as a module that can be imported."""

from __future__ import annotations

import doctest
import functools
import inspect
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from augcli.augmentations import METHODS, REGISTRY
from augcli.augmentations.base import Augmentation
from tests.contract import test_augmentations, test_declarations
from tests.contract.cases import COMMANDS, EVERY_METHOD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pytest

    Method = type[Augmentation[Any]]


def methods_in(names: Mapping[str, Any]) -> list[Method]:
    """Return the methods among some names that augcli itself does not have."""
    classes = [value for value in names.values() if inspect.isclass(value)]
    known = {*METHODS.values(), Augmentation}
    return [kind for kind in classes if issubclass(kind, Augmentation) and kind not in known]


def register(names: Mapping[str, Any], patch: pytest.MonkeyPatch) -> None:
    """Add commands for the methods among some names."""
    new = [method for method in methods_in(names) if hasattr(method, "paper")]
    if new:
        patch.setattr("augcli.cli.generated.REGISTRY", (*REGISTRY, *new))


def fresh_module(name: str, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the namespace of a new module that can be imported by its name."""
    module = ModuleType(name)
    patch.setitem(sys.modules, name, module)
    return vars(module)


def imported(source: str, patch: pytest.MonkeyPatch) -> Method:
    """Import the text of a module and return the method in it."""
    names = fresh_module("stripe", patch)
    exec(compile(source, "stripe.py", "exec", dont_inherit=True), names)
    (method,) = methods_in(names)
    assert doctest.testmod(sys.modules["stripe"]).failed == 0
    return method


def contract() -> Iterator[Callable[..., None]]:
    """Yield the tests of the contract that every command must pass; each needs ``cls``."""
    for module in (test_augmentations, test_declarations):
        for test in vars(module).values():
            marks = getattr(test, "pytestmark", [])
            by_name = {mark.args[0]: mark.args[1] for mark in marks if mark.name == "parametrize"}
            if by_name.get("cls") not in (EVERY_METHOD, COMMANDS):
                continue
            if "frame" in by_name:
                for frame in by_name["frame"]:
                    yield functools.partial(test, frame=frame)
            else:
                yield test
