"""All attacks by name, and how one is run."""

from __future__ import annotations

import functools
import shutil
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.guarantees.attacks.arena import Arena, Check

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


class Attack(NamedTuple):
    """One attack.

    Attributes:
        name: Module, function, and the case where it has several.
        run: Runs it in an arena.
    """

    name: str
    run: Callable[[Arena], None]


def each(**cases: object) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make an attack of each case: the function gets its value as the second argument."""

    def with_cases(function: Callable[..., None]) -> Callable[..., None]:
        vars(function)["cases"] = cases
        return function

    return with_cases


def attacks() -> dict[str, Attack]:
    """Return all attacks by name."""
    from tests.guarantees.attacks import (
        crossings,
        given,
        limits,
        machines,
        options,
        outputs,
        pictures,
        python,
        records,
        sources,
    )

    modules = [outputs, records, sources, pictures, given, options]
    modules += [crossings, limits, machines, python]
    return {attack.name: attack for module in modules for attack in _of(module)}


def _of(module: ModuleType) -> list[Attack]:
    short = module.__name__.rpartition(".")[2]
    found = []
    for name, function in vars(module).items():
        if name.startswith("_") or getattr(function, "__module__", "") != module.__name__:
            continue
        if not callable(function) or isinstance(function, type):
            continue
        cases = vars(function).get("cases")
        if cases is None:
            found.append(Attack(f"{short}.{name}", function))
            continue
        for case, value in cases.items():
            run = functools.partial(_with_case, function, value)
            found.append(Attack(f"{short}.{name}[{case}]", run))
    return found


def _with_case(function: Callable[[Arena, object], None], value: object, arena: Arena) -> None:
    function(arena, value)


def run(attack: Attack, parent: Path | None = None, *, slow: float = 1.0) -> list[Check]:
    """Run an attack in a fresh folder and return what was checked.

    Args:
        attack: The attack.
        parent: Holds the folder; by default that of temporary files.
        slow: How many times longer its commands may take.
    """
    folder = Path(tempfile.mkdtemp(prefix="attack-", dir=parent))
    # Other users, as which some attacks run augcli, get through.
    folder.chmod(0o755)
    (folder / "arena").mkdir()
    arena = Arena(folder / "arena", slow)
    try:
        attack.run(arena)
    except Exception:
        arena.check("the attack itself runs", False, traceback.format_exc())
    finally:
        arena.close()
        shutil.rmtree(folder, ignore_errors=True)
    return arena.checks
