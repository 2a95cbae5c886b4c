"""Labels of samples: the fields ``cls``, ``json`` and ``txt``, and the names of the classes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from augcli.data.labels import SUM_TOLERANCE, Label
from augcli.errors import InputError
from augcli.files import JSON_LIMIT, is_bucket, is_url, parse_json, read_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LABEL_FIELDS = frozenset({"cls", "json", "txt"})
LARGEST_LABEL = 1 << 20
"""Bytes of a label, or of a JSON field that may hold one."""
JSON_KEYS = ("label", "class", "class_name", "label_name", "cls", "category", "target")
"""Where a label stands in JSON: the first of these that is there."""
LONGEST_CLASS = 1000
"""Characters of a class name."""
LONGEST_TEXT = 100
"""Characters of a text that is a label; a longer one, or several lines, describe the picture."""
NEAR = 1e-3
"""How far soft labels of other programs may be from a sum of 1, which are then divided by it."""
_CLASS_FILES = ("classes.txt", "classnames.txt")
_INFO = "dataset_info.json"
_NUMBER = re.compile(r"[0-9]{1,18}")
_MOST_REMEMBERED = 100_000
"""Different labels that are parsed once."""


class SampleLabels:
    """Reads the labels of samples.

    Args:
        names: The names of the classes; a whole number is a place in it, from 0. Without names,
            numbers are the names.

    Attributes:
        numbered: Whether whole numbers were used as names.
        descriptions: How many samples have a text that is no label.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._names = names
        self._known: dict[bytes, Label] = {}
        self.numbered = False
        self.descriptions = 0

    def of(self, fields: Mapping[str, bytes]) -> Label:
        """Return the label of a sample; empty where it has none.

        Weights in ``json`` come before ``cls``, that before a class in ``json``, that before
        ``txt``.

        Args:
            fields: Content of those fields that may hold a label.

        Raises:
            ValueError: A field holds no label.

        Example:
            >>> labels = SampleLabels(["cat", "dog"])
            >>> print(labels.of({"cls": b"1"}), labels.of({"json": b'{"label": "emu"}'}))
            dog emu
            >>> print(labels.of({"cls": b"0", "json": b'{"label": {"cat": 0.75, "dog": 0.25}}'}))
            cat 0.75, dog 0.25
        """
        value = None
        if "json" in fields:
            value = _labelled(fields["json"])
            if isinstance(value, (dict, list)):
                return self._weights(value)
        if "cls" in fields:
            return self._text("cls", fields["cls"])
        if value is not None:
            return self._one(value, "json")
        return self._text("txt", fields["txt"]) if "txt" in fields else Label()

    def _text(self, field: str, data: bytes) -> Label:
        known = self._known.get(data)
        if known is not None:
            return known
        try:
            text = data.decode("utf-8").strip(" \t\r\n\0\ufeff")
        except UnicodeDecodeError:
            raise ValueError(f"its {field} is no text in UTF-8") from None
        if field == "txt" and (len(text) > LONGEST_TEXT or "\n" in text):
            self.descriptions += 1
            return Label()
        label = self._one(int(text) if _NUMBER.fullmatch(text) else text, field)
        if len(self._known) < _MOST_REMEMBERED and len(data) < LONGEST_TEXT:
            self._known[data] = label
        return label

    def _one(self, value: Any, field: str) -> Label:
        """Return the label of one class."""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is int:
            return Label.of(self._name(value))
        if isinstance(value, str):
            return Label.of(_checked(value, field))
        raise ValueError(f"the label in its {field} is no name and no whole number")

    def _name(self, number: int) -> str:
        if not self._names:
            self.numbered = True
            return str(number)
        if not 0 <= number < len(self._names):
            raise ValueError(
                f"its label is class {number}, but there are the names of {len(self._names):,} "
                "classes, from 0"
            )
        return self._names[number]

    def _weights(self, value: dict[str, Any] | list[Any]) -> Label:
        """Return a soft label: a weight for each class, by its name or in their order."""
        if isinstance(value, dict):
            pairs = [(_checked(name, "json"), weight) for name, weight in value.items()]
        else:
            if self._names and len(value) != len(self._names):
                raise ValueError(
                    f"the label in its json has {len(value):,} weights for "
                    f"{len(self._names):,} classes"
                )
            if not all(type(weight) in (int, float) for weight in value):
                raise ValueError(
                    "the label in its json is a list, but not of a weight for each class"
                )
            pairs = [(self._name(number), weight) for number, weight in enumerate(value)]
        total = 0.0
        for name, weight in pairs:
            if type(weight) not in (int, float) or not 0 <= weight <= 1 + NEAR or not name:
                raise ValueError(
                    f"the weight of {name[:100]!r} in its json is {str(weight)[:20]}, not a "
                    "number from 0 to 1"
                )
            total += weight
        if not abs(total - 1) <= NEAR:
            raise ValueError(f"the weights in its json sum to {total:.6g}, not to 1")
        divisor = 1.0 if abs(total - 1) <= SUM_TOLERANCE else total
        return Label(tuple((name, weight / divisor) for name, weight in pairs if weight))


def _labelled(data: bytes) -> Any:
    """Return what a JSON field gives as the label, None where it gives none."""
    try:
        content = parse_json(data)
    except ValueError:
        raise ValueError("its json is not JSON in UTF-8") from None
    if not isinstance(content, dict):
        return content if isinstance(content, (str, int, float)) else None
    names, weights = content.get("classes"), content.get("weights")
    if isinstance(names, list) and isinstance(weights, list) and len(names) == len(weights):
        # As augcli itself writes them.
        return dict(zip(map(str, names), weights, strict=True)) or None
    return next((content[key] for key in JSON_KEYS if content.get(key) is not None), None)


def _checked(name: str, field: str) -> str:
    """Return the name of a class in the form NFC.

    Raises:
        ValueError: No manifest could hold it.
    """
    if len(name) > LONGEST_CLASS or "\0" in name:
        raise ValueError(f"the class in its {field} is no name of up to {LONGEST_CLASS} characters")
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"the class in its {field} is no text in UTF-8") from None
    return normalize("NFC", name)


def files_beside(folder: str, names: Sequence[str]) -> list[str]:
    """Return where files of some names would lie; nowhere on a web server, which lists none."""
    is_listed = not is_url(folder) or is_bucket(folder)
    return [f"{folder}/{name}" for name in names] if is_listed else []


def class_names(folder: str) -> list[str]:
    """Return the names of the classes that a file beside the shards gives, in its order.

    That is ``classes.txt`` or ``classnames.txt`` with a name on each line, or the
    ``dataset_info.json`` of Hugging Face.

    Args:
        folder: That of the shards.

    Raises:
        InputError: The file can't be read, or gives two classes one name.
    """
    for path in files_beside(folder, (*_CLASS_FILES, _INFO)):
        try:
            data = read_file(path, JSON_LIMIT).data
            names = _names_of_info(data) if path.endswith(_INFO) else _lines(data)
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            why = error.strerror or error if isinstance(error, OSError) else error
            raise InputError(f"{path} can't be read as the names of classes: {why}") from None
        places: dict[str, int] = {}
        for number, name in enumerate(names):
            if places.setdefault(name, number) != number:
                raise InputError(
                    f"{path} calls the classes {places[name]} and {number} both {name!r}; give "
                    "each a name of its own"
                )
        if names:
            return names
    return []


def _lines(data: bytes) -> list[str]:
    lines = data.decode("utf-8-sig").splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    if not all(line.strip() for line in lines):
        raise ValueError("a line between others is empty")
    return [_checked(line.strip(), "line") for line in lines]


def _names_of_info(data: bytes) -> list[str]:
    """Return the names of the first feature that has any; ``label`` comes before the others."""
    info = parse_json(data)
    features = info.get("features") if isinstance(info, dict) else None
    if not isinstance(features, dict):
        return []
    ordered = [features.get(key) for key in JSON_KEYS] + list(features.values())
    for feature in ordered:
        names = feature.get("names") if isinstance(feature, dict) else None
        if isinstance(names, list) and all(isinstance(name, str) and name for name in names):
            return [_checked(name, "features") for name in names]
    return []
