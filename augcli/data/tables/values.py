"""The values of a table: cells become labels, splits and groups."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from augcli.data.labels import SUM_TOLERANCE, Label
from augcli.data.tables.formats import shortened
from augcli.files import parse_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from augcli.data.tables.choice import TableChoice
    from augcli.data.tables.columns import Found

USUAL_SEPARATORS = ("|", ";", ",")
NONE = -1
"""The number of no value."""
_JSON_BRACKETS = ("{", "[")


class Numbers:
    """Gives equal values one number: a million cells hold few different ones."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._number: dict[Any, int] = {}

    def of(self, value: Any) -> int:
        """Return the number of a value."""
        number = self._number.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


class Labels:
    """Turns cells of one table into numbers of labels.

    Args:
        found: Its columns.
        choice: What a person said about it.
        labels: Numbers the labels, of several tables together.

    Attributes:
        are_scaled: Whether weights were divided by their sum.
        joined: A class whose name holds what usually separates classes; empty for none.
    """

    def __init__(self, found: Found, choice: TableChoice, labels: Numbers) -> None:
        self._found = found
        self._choice = choice
        self._labels = labels
        self._known: dict[Any, int] = {}
        self._separator = choice.label_separator
        self._is_json: bool | None = None
        self.are_scaled = False
        self.joined = ""

    @property
    def number_of(self) -> Callable[[Sequence[Any]], int]:
        """Return the function that gives the number of a row's label, -1 for none.

        It raises ``ValueError`` with a clause whose subject is the row.
        """
        found = self._found
        if found.two_classes:
            return self._of_two_classes
        if found.weights:
            return self._of_columns
        known, position = self._known, found.label
        assert position is not None

        def of_cell(cells: Sequence[Any]) -> int:
            cell = cells[position]
            try:
                return known[cell]
            except (KeyError, TypeError):
                return self._of_value(cell)

        return of_cell

    def _of_value(self, cell: Any) -> int:
        """Return the number of a label that was not seen before."""
        if isinstance(cell, str):
            label = self._of_text(cell)
            number = self._labels.of(label) if label is not None else NONE
            self._known[cell] = number
            return number
        # 1, 1.0 and True are one key of a dict, and different labels: no number is remembered.
        label = self._of_content(cell)
        return self._labels.of(label) if label is not None else NONE

    def _of_text(self, cell: str) -> Label | None:
        if self._is_json is None and cell.strip():
            self._is_json = cell.lstrip().startswith(_JSON_BRACKETS) and _is_json(cell)
        if self._is_json and cell.strip():
            return self._of_content(_parsed(cell))
        name = normalize("NFC", cell)
        if self._choice.multi_label:
            return self._of_names(self._parts(name))
        if not name:
            return None
        if not self.joined and any(mark in name for mark in USUAL_SEPARATORS[:2]):
            self.joined = name
        return Label.of(name)

    def _parts(self, text: str) -> list[str]:
        """Return the classes that a text names.

        Raises:
            ValueError: It could be separated in several ways.
        """
        if self._separator is None:
            there = [mark for mark in USUAL_SEPARATORS if mark in text]
            if len(there) > 1:
                raise ValueError(
                    f"has the label {shortened(text)!r}, whose classes could be separated by "
                    f"{' or '.join(map(repr, there))}; give `label_separator`"
                )
            if not there:
                return [text]
            self._separator = there[0]
        return text.split(self._separator)

    def _of_content(self, content: Any) -> Label | None:
        """Return the label that a value of JSON or Parquet is."""
        if content == {}:
            return Label()
        if isinstance(content, dict):
            return self._of_weights((str(name), weight) for name, weight in content.items())
        if isinstance(content, list):
            return self._of_list(content)
        if content is None or content == "":
            return Label() if self._choice.multi_label else None
        name = _name(content)
        return self._of_names(self._parts(name)) if self._choice.multi_label else Label.of(name)

    def _of_list(self, content: list[Any]) -> Label:
        # A map of Parquet is a list of pairs.
        if content and all(isinstance(each, tuple) and len(each) == 2 for each in content):
            return self._of_weights((str(name), weight) for name, weight in content)
        if self._choice.multi_label:
            return self._of_names(map(_name, content))
        if len(content) == 1:
            return Label.of(_name(content[0]))
        raise ValueError(
            f"has {len(content)} classes; give `multi_label` for images of several classes"
        )

    def _of_names(self, names: Iterable[str]) -> Label:
        present = dict.fromkeys(name for each in names if (name := each.strip()))
        return Label(tuple((name, 1.0) for name in present))

    def _of_columns(self, cells: Sequence[Any]) -> int:
        values = tuple([cells[at] for at, _ in self._found.weights])
        if values not in self._known:
            pairs = zip((name for _, name in self._found.weights), values, strict=True)
            self._known[values] = self._labels.of(self._of_weights(pairs, sparse=True))
        return self._known[values]

    def _of_two_classes(self, cells: Sequence[Any]) -> int:
        name_a, weight_a, name_b, weight_b = [cells[at] for at in self._found.two_classes]
        # Formats with types have no text where there is no class.
        pairs = [(str(name_a or ""), weight_a)]
        if name_b or _weight(weight_b, "weight_b"):
            pairs.append((str(name_b), weight_b))
        is_labelled = pairs[0][0] or len(pairs) > 1
        return self._labels.of(self._of_weights(pairs) if is_labelled else Label())

    def _of_weights(self, pairs: Iterable[tuple[str, Any]], *, sparse: bool = False) -> Label:
        """Return the label of weights by class.

        Args:
            pairs: Class and weight.
            sparse: Whether classes of weight 0 are left out.

        Raises:
            ValueError: A weight is no share, or all are 0.
        """
        weights: dict[str, float] = {}
        for name, value in pairs:
            if value is None:
                continue
            weight = _weight(value, name)
            key = normalize("NFC", name)
            if not key and weight:
                raise ValueError("has a weight without a class")
            if weight or not sparse:
                weights[key] = weights.get(key, 0.0) + weight
        if self._choice.multi_label:
            high = next((name for name, weight in weights.items() if weight > 1), None)
            if high is not None:
                raise ValueError(
                    f"has the weight {weights[high]:g} for class {high!r}, but with `multi_label` "
                    "it must be from 0 to 1"
                )
            return Label(tuple(weights.items()))
        total = math.fsum(weights.values())
        if not total:
            raise ValueError("has weights that sum to 0; give at least one class a weight")
        if not math.isfinite(total):
            raise ValueError("has weights that are too large")
        if abs(total - 1) > SUM_TOLERANCE:
            self.are_scaled = True
            weights = {name: weight / total for name, weight in weights.items()}
        return Label(tuple(weights.items()))


def text_of(value: Any, what: str) -> str:
    """Return the text of a cell that names a file, a split or a group.

    Raises:
        ValueError: It is empty; the message is a clause whose subject is the row.
    """
    text = "" if value is None else str(value)
    if not text.strip():
        raise ValueError(f"has no {what}")
    return text


def _parsed(cell: str) -> Any:
    try:
        return parse_json(cell.encode("utf-8"))
    except ValueError as error:
        raise ValueError(
            f"has the label {shortened(cell)!r}, which is no JSON as those before it ({error})"
        ) from None


def _name(value: Any) -> str:
    """Return the name of a class as text.

    Raises:
        ValueError: It is none.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"has the label {value}, but must name a class")
    if isinstance(value, str | int | float):
        return normalize("NFC", str(value))
    raise ValueError(f"has the label {shortened(repr(value))}, but must name a class")


def _is_json(cell: str) -> bool:
    """Return whether the first label of a table is meant as JSON: one that nearly is, too."""
    return cell.rstrip().endswith(("}", "]"))


def _weight(value: Any, name: str) -> float:
    """Return a weight.

    Raises:
        ValueError: It is no number, or below 0.
    """
    if value is None or value == "":
        return 0.0
    try:
        weight = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"has {shortened(repr(value))} for class {name!r}, but must have a number; name the "
            "columns of classes with `label_columns`"
        ) from None
    if not (0 <= weight < math.inf):
        raise ValueError(
            f"has the weight {weight:g} for class {name!r}, but a weight must be a number from 0"
        )
    return weight
