"""Two data sets side by side: how they were made, what they hold, and pictures of one source."""

from __future__ import annotations

import heapq
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from augcli.report.figures.table import ORIGINAL
from augcli.report.pictures.choice import Chosen
from augcli.report.view import flattened

if TYPE_CHECKING:
    from augcli.data.manifest import Row
    from augcli.report.view import View

EXAMPLES: Final = 24
"""Sources whose outputs are shown side by side."""
KEPT: Final = 2_000
"""Sources of each data set among which common ones are looked for."""
STEP = re.compile(r"steps\.(\d+)\.(?:choices\.(\d+)\.)?")
"""How the path of an option of a step begins."""


class Difference(NamedTuple):
    """An option that differs.

    Attributes:
        name: The option.
        first: Its value in the first data set.
        second: Its value in the second.
    """

    name: str
    first: Any
    second: Any


class ClassChange(NamedTuple):
    """How much of a class two data sets have.

    Attributes:
        name: The class, as it is.
        first: Summed weights in the first.
        second: Summed weights in the second.
    """

    name: str
    first: float
    second: float


@dataclass(frozen=True)
class Comparison:
    """Two data sets.

    Attributes:
        first: The one.
        second: The other.
        differences: Options that differ.
        classes: How much of each class there is, the largest change first.
        pairs: A row of each, made of the same base.
    """

    first: View
    second: View
    differences: list[Difference]
    classes: list[ClassChange]
    pairs: list[tuple[Chosen, Chosen]]

    def to_json(self) -> dict[str, Any]:
        """Return both and how they differ, as JSON can hold it."""
        return {
            "first": self.first.to_json(),
            "second": self.second.to_json(),
            "differences": [one._asdict() for one in self.differences],
            "classes": [one._asdict() for one in self.classes],
            "pairs": [[one.row.file_name, other.row.file_name] for one, other in self.pairs],
        }


class OfSources:
    """Keeps the first output of some sources; of two data sets those of the same sources."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._chosen: dict[str, Chosen] = {}
        self._rows = 0

    def add(self, row: Row) -> None:
        """Take one row."""
        self._rows += 1
        name = row.source_a
        if row.method == ORIGINAL or name in self._chosen:
            return
        # The largest is at the top of the heap.
        key = -_key(name)
        chosen = Chosen(row, self._rows - 1)
        if len(self._heap) < KEPT:
            heapq.heappush(self._heap, (key, name))
        elif key > self._heap[0][0]:
            _, dropped = heapq.heapreplace(self._heap, (key, name))
            del self._chosen[dropped]
        else:
            return
        self._chosen[name] = chosen

    def common(self, others: OfSources) -> list[tuple[Chosen, Chosen]]:
        """Return rows of sources that both have, by a hash of the source."""
        names = sorted(self._chosen.keys() & others._chosen.keys(), key=lambda n: (_key(n), n))
        return [(self._chosen[name], others._chosen[name]) for name in names[:EXAMPLES]]


def compared(first: View, second: View, pairs: list[tuple[Chosen, Chosen]]) -> Comparison:
    """Return two data sets side by side."""
    return Comparison(first, second, _differences(first, second), _classes(first, second), pairs)


def _differences(first: View, second: View) -> list[Difference]:
    one, other = _options(first), _options(second)
    pairs = ((name, one.get(name), other.get(name)) for name in dict.fromkeys([*one, *other]))
    return [Difference(*pair) for pair in pairs if pair[1] != pair[2]]


def _options(view: View) -> dict[str, Any]:
    """Return all that a data set depends on, by names for people."""
    record = view.record
    is_plain = view.chain is not None and view.chain.plain
    options = {
        _name(path, is_plain=is_plain): value for path, value in flattened(record.identity).items()
    }
    if is_plain:
        # The command says it.
        del options["step"], options["method"]
    versions = {f"version of {name}": value for name, value in record.versions.items()}
    colour = None if record.mean_colour is None else list(record.mean_colour)
    given = {**options, **flattened(record.amounts), "mean_colour": colour}
    return {**given, "version of augcli": record.augcli, **versions}


def _name(path: str, *, is_plain: bool) -> str:
    """Return the name of an option for people.

    Example:
        >>> _name("steps.0.choices.0.top_n", is_plain=True)
        'top_n'
        >>> _name("steps.1.choices.2.top_n", is_plain=False)
        'step 2, choice 3: top_n'
    """
    found = STEP.match(path)
    if not found:
        return path
    step, choice = found.groups()
    where = f"step {int(step) + 1}" + (f", choice {int(choice) + 1}" if choice else "")
    return path[found.end() :] if is_plain else f"{where}: {path[found.end() :]}"


def _classes(first: View, second: View) -> list[ClassChange]:
    weights = [{one.name: one.weight for one in view.figures.classes} for view in (first, second)]
    names = dict.fromkeys([*weights[0], *weights[1]])
    found = [
        ClassChange(name, weights[0].get(name, 0.0), weights[1].get(name, 0.0)) for name in names
    ]
    return sorted(found, key=lambda one: -abs(one.second - one.first))


def _key(name: str) -> int:
    """Return what sources are chosen by: the same in every process."""
    return zlib.crc32(name.encode("utf-8", "surrogatepass"))
