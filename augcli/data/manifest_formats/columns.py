"""The columns of the manifest: a row as cells, and the row that cells hold.

They differ in how the label stands there: in the columns of the base's and the donor's class, as
JSON, as a column for each class, or as a list of weights.
"""

from __future__ import annotations

import functools
import itertools
import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from augcli.data.labels import Label
from augcli.data.manifest import OTHER_COLUMNS, ROWS_AT_ONCE, Row
from augcli.files import parse_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

SoftLabel = Literal["pair", "json", "wide", "list"]
"""How a label stands in the manifest."""
MOST_CLASSES = {"wide": 1_000, "list": 10_000}
"""Classes of a manifest whose rows have a weight for each of them."""
PAIR = ("label_a", "weight_a", "label_b", "weight_b")
"""The base's class and the donor's; what holds no class is empty."""
FACTS = ("source_a", "source_b", "method", "draw", "width", "height", "copy", "sha256")
CLASSES = ("label_a", "label_b")
"""Those of them that hold a class."""
COLUMNS = ("file_name", *PAIR, *FACTS)
"""The columns where each source has one class."""
SOFT_COLUMNS = ("file_name", "label", *FACTS)
"""The same where a label is JSON, a weight by class."""
LIST = "soft_label"
"""The column of a weight for each class, in the order of classes.txt."""
WIDE_ENDING = "_weight"
"""How the column of a class ends; in front of the name it would make a column ``weight_a`` of a
class ``a``, and of ``x_file_name`` what Hugging Face datasets takes for a column of images."""
_NUMBERS = {"weight_a": "float64", "weight_b": "float64"} | dict.fromkeys(
    ("width", "height", "copy"), "int64"
)


_PLAIN = {str, int, float, bool, type(None)}
"""Types of cells by which a label can be looked up."""


def soft_label_of(text: str) -> SoftLabel:
    """Return how labels stand in a manifest, as run.json says; ``json`` where it does not."""
    return next((form for form in get_args(SoftLabel) if form == text), "json")


class Columns(NamedTuple):
    """Which columns a manifest has.

    Attributes:
        soft_label: How the label stands there.
        splits: Whether there is a column ``split``.
        groups: Whether there is a column ``group``.
        shards: Whether there is a column ``shard``: the file that holds the output.
        classes: The names of the classes, in the order of classes.txt; for ``wide`` and ``list``.

    Example:
        >>> wide = Columns("wide", classes=("cat", "dog"))
        >>> wide.names[:4]
        ('file_name', 'cat_weight', 'dog_weight', 'source_a')
        >>> row = Row("cat/a.jpg", Label((("dog", 0.25),)), "a", "", "cutout", "{}", 8, 8, 0, "")
        >>> wide.cells(row)[:3], Columns("json").cells(row)[:2]
        (('cat/a.jpg', 0.0, 0.25), ('cat/a.jpg', '{"dog": 0.25}'))
    """

    soft_label: SoftLabel = "pair"
    splits: bool = False
    groups: bool = False
    shards: bool = False
    classes: tuple[str, ...] = ()

    @property
    def of_labels(self) -> tuple[str, ...]:
        """The names of the columns of the label, in order."""
        if self.soft_label == "wide":
            return tuple(f"{name}{WIDE_ENDING}" for name in self.classes)
        return {"pair": PAIR, "json": ("label",), "list": (LIST,)}[self.soft_label]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns, in order."""
        others = (["split"] * self.splits, ["group"] * self.groups, ["shard"] * self.shards)
        return ("file_name", *self.of_labels, *FACTS, *itertools.chain.from_iterable(others))

    @property
    def types(self) -> dict[str, str]:
        """The type of each column: ``string``, ``int64``, ``float64`` or ``list`` of these."""
        types = {name: _NUMBERS.get(name, "string") for name in self.names}
        if self.soft_label == "wide":
            types |= dict.fromkeys(self.of_labels, "float64")
        return types | ({LIST: "list"} if self.soft_label == "list" else {})

    @classmethod
    def of(cls, names: Sequence[str], classes: Sequence[str] = ()) -> Columns:
        """Return what columns of these names hold.

        Args:
            names: All of them, in order.
            classes: Those of classes.txt, which a list of weights does not name.

        Raises:
            ValueError: augcli writes no such columns.
        """
        wide = [name.removesuffix(WIDE_ENDING) for name in names if name.endswith(WIDE_ENDING)]
        forms: dict[SoftLabel, Sequence[str]] = {"pair": (), "json": (), "list": classes}
        forms["wide"] = wide
        others = list(itertools.product((False, True), repeat=3))
        for form, of_form in forms.items():
            for splits, groups, shards in others:
                columns = cls(form, splits, groups, shards, tuple(of_form))
                if columns.names == tuple(names):
                    return columns
        raise ValueError(OTHER_COLUMNS)

    def cells(self, row: Row) -> tuple[Any, ...]:
        """Return the cells of a row: text, numbers, and for ``list`` a list of numbers."""
        cells = (row.file_name, *self._label_cells(row.label), *row[2:10])
        if self.splits:
            cells = (*cells, row.split)
        if self.groups:
            cells = (*cells, row.group)
        return (*cells, row.file_name.partition("/")[0]) if self.shards else cells

    def values(self, row: Row) -> dict[str, Any]:
        """Return the cells by column."""
        return dict(zip(self.names, self.cells(row), strict=True))

    def rows(self, table: Iterable[Sequence[Any]]) -> Iterator[Row]:
        """Yield the rows that cells hold, each number as itself or as text.

        Raises:
            ValueError: It has another number of cells, or something else in their place.
        """
        # Most rows have the label of others. By type too: true is no number, although it equals 1.
        remembered = functools.lru_cache(maxsize=1000, typed=True)(self._label)
        rows = iter(table)
        while some := list(itertools.islice(rows, ROWS_AT_ONCE)):
            yield from self._rows(some, remembered)

    def _rows(
        self, table: Sequence[Sequence[Any]], remembered: Callable[..., Label]
    ) -> Iterator[Row]:
        """Return the rows of some cells, read column by column."""
        columns = dict(zip(self.names, zip(*table, strict=True), strict=True))
        of_labels = [columns[name] for name in self.of_labels]
        # A list can't be looked up.
        are_plain = all(set(map(type, column)) <= _PLAIN for column in of_labels)
        label_of = remembered if are_plain else self._label
        labels = map(label_of, *of_labels) if of_labels else [Label()] * len(table)
        texts = {
            name: _texts(columns[name]) if name in columns else [""] * len(table)
            for name in ("file_name", *FACTS, "split", "group")
            if name not in _NUMBERS
        }
        return map(
            Row,
            texts["file_name"],
            list(labels),
            texts["source_a"],
            texts["source_b"],
            texts["method"],
            texts["draw"],
            [_count(cell) for cell in columns["width"]],
            [_count(cell) for cell in columns["height"]],
            [_count(cell) for cell in columns["copy"]],
            texts["sha256"],
            texts["split"],
            texts["group"],
        )

    def _label_cells(self, label: Label) -> tuple[Any, ...]:
        if self.soft_label == "pair":
            (label_a, weight_a), (label_b, weight_b), *_ = (*label.weights, ("", 0.0), ("", 0.0))
            return label_a, weight_a if label_a else 1.0, label_b, weight_b
        if self.soft_label == "json":
            return (json.dumps(label.to_json(), ensure_ascii=False),)
        weights = dict(label.weights)
        vector = [weights.get(name, 0.0) for name in self.classes]
        return tuple(vector) if self.soft_label == "wide" else (vector,)

    def _label(self, *cells: Any) -> Label:
        """Return the label that the cells of its columns hold."""
        if self.soft_label == "pair":
            return _of_pair(*cells)
        if self.soft_label == "json":
            return _of_json(_text(cells[0]))
        vector = cells if self.soft_label == "wide" else _list(cells[0])
        if len(vector) != len(self.classes):
            raise ValueError(
                f"{LIST} has {len(vector)} weights, but classes.txt {len(self.classes)} classes"
            )
        weights = zip(self.classes, map(_number, vector), strict=True)
        return Label(tuple((name, weight) for name, weight in weights if weight))


def _of_pair(label_a: Any, weight_a: Any, label_b: Any, weight_b: Any) -> Label:
    pairs = [(_text(label_a or ""), _number(weight_a)), (_text(label_b or ""), _number(weight_b))]
    if pairs[1] == ("", 0.0):
        del pairs[1]
    return Label() if pairs == [("", 1.0)] else Label(tuple(pairs))


def _of_json(text: str) -> Label:
    content = parse_json(text.encode("utf-8"))
    weights: dict[str, Any] = content if isinstance(content, dict) else {"": None}
    # Twice as large as a weight is an error that verify names; a number that no float holds is not.
    if not all(type(weight) in (int, float) and abs(weight) < 1e9 for weight in weights.values()):
        raise ValueError(f"label is {text[:80]!r}, but must be a JSON object of weights")
    "".join(weights).encode("utf-8")  # raises where JSON's escapes hold half of a character
    return Label.from_json({name: float(weight) for name, weight in weights.items()})


def _list(value: Any) -> list[Any]:
    content = parse_json(value.encode("utf-8")) if isinstance(value, str) else value
    if isinstance(content, list):
        return content
    raise ValueError(f"{LIST} is {str(value)[:80]!r}, but must be a list of weights")


def _texts(values: Sequence[Any]) -> Sequence[str]:
    if set(map(type, values)) == {str}:
        "".join(values).encode("utf-8")  # as below, for all of them
        return values
    return list(map(_text, values))


def _text(value: Any) -> str:
    if isinstance(value, str):
        value.encode("utf-8")  # raises where JSON's escapes hold half of a character
        return value
    raise ValueError(f"a cell is {str(value)[:80]!r}, but must be text")


def _count(value: Any) -> int:
    if type(value) in (int, str):
        return int(value)
    raise ValueError(f"a cell is {str(value)[:80]!r}, but must be a whole number")


def _number(value: Any) -> float:
    if type(value) is str or (type(value) in (int, float) and abs(value) < 1e9):
        return float(value)
    raise ValueError(f"a weight is {str(value)[:80]!r}, but must be a number")
